//! A fence, tried around a cgroup that holds nothing.

use super::report::{Item, Row, why};
use crate::kernel::fence;

/// The row.
pub(super) fn row() -> Row {
    judge(fence::try_out())
}

fn judge(tried: anyhow::Result<fence::Proof>) -> Row {
    let item = Item::new("fence", "keeping in what v2 itself connects to");
    match tried {
        Ok(_) => item.ok("put around a cgroup of its own, proven from inside, and taken off again"),
        Err(error) => item.instead(why(&error), "no fence; mirroring does not use it"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::anyhow;

    use super::*;
    use crate::check::State;

    #[test]
    fn mirroring_goes_on_without_a_fence() {
        assert_eq!(judge(Ok(fence::Proof { took: Duration::ZERO })).state, State::Ok);
        let row = judge(Err(anyhow!("cgroup v2 is not mounted")));
        assert_eq!((row.state, row.detail.as_str()), (State::Fallback, "cgroup v2 is not mounted"));
    }
}
