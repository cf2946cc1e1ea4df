//! Keeps the kernel's lease alive for as long as this value lives.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;

use anyhow::{Context, Result};

use super::control::{Control, RENEWAL};

/// A thread that renews the lease and does nothing else. Dropping this ends the lease at once.
pub struct Lease {
    control: Arc<Control>,
    /// Dropped to wake the thread for the last time.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Lease {
    /// Renews the lease now and every half second. When it finds that the lease had lapsed, because the process or the
    /// machine stood still, it calls `on_lapse` before anything is cloned again.
    ///
    /// # Errors
    ///
    /// When no thread can be had.
    pub fn start(control: Arc<Control>, on_lapse: impl Fn() + Send + 'static) -> Result<Self> {
        let (stop, stopped) = channel::<()>();
        let renewed = control.clone();
        control.renew_lease();
        let renew = move || loop {
            if stopped.recv_timeout(RENEWAL) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            if renewed.has_lapsed() {
                tracing::warn!("the lease had lapsed: nothing was cloned for a while");
                on_lapse();
            }
            renewed.renew_lease();
        };
        let thread = std::thread::Builder::new()
            .name("lease".into())
            .spawn(renew)
            .context("start the lease thread")?;
        Ok(Lease { control, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.control.end_lease();
    }
}
