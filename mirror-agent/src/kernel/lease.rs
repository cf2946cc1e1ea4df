//! Keeps the kernel's lease alive while somebody holds this, and ends it at once when nobody does.

use std::sync::Arc;

use anyhow::Result;

use super::control::{Control, RENEWAL};
use super::pulse::Pulse;

/// A lease that is renewed every [`RENEWAL`], on a thread of its own: a busy agent is not a dead one.
pub struct Lease {
    control: Arc<Control>,
    renewal: Option<Pulse>,
}

impl Lease {
    /// Takes the lease; it holds when this returns. When a renewal finds that it had lapsed, because the process or the
    /// machine stood still, it calls `on_lapse` before anything is cloned again.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a thread.
    pub fn take(control: &Arc<Control>, mut on_lapse: impl FnMut() + Send + 'static) -> Result<Self> {
        let ours = Arc::clone(control);
        let renewal = Pulse::start("lease", RENEWAL, move || {
            if ours.has_lapsed() {
                tracing::warn!("the lease had lapsed: nothing was cloned for a while");
                on_lapse();
            }
            ours.renew_lease();
        })?;
        control.renew_lease();
        Ok(Lease { control: Arc::clone(control), renewal: Some(renewal) })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal = None; // first, or a renewal could follow the end
        self.control.end_lease();
    }
}
