//! Whether every clone was read or is known to be lost, judged while clones are on their way.

use std::collections::VecDeque;
use std::time::Duration;

use crate::status::Intake;

/// A clone is read, or a drop of it counted, within this time: a block of the ring is handed over after 8 ms, drops are
/// collected once a second.
const SETTLED: Duration = Duration::from_secs(3);

/// Remembers how many clones there were, so that what was accounted for later can be held against it.
#[derive(Debug, Default)]
pub struct Balance {
    /// When, and how many clones were made by then; oldest first.
    past: VecDeque<(Duration, u64)>,
}

impl Balance {
    /// Notes the clones made by `now`; call it about once a second.
    pub fn note(&mut self, now: Duration, cloned: u64) {
        self.past.push_back((now, cloned));
        while self.past.get(1).is_some_and(|(then, _)| *then + SETTLED <= now) {
            self.past.pop_front();
        }
    }

    /// Frames that should have been accounted for by `now` and are not (positive), or that were accounted for and never
    /// cloned (negative). What is on its way counts as neither.
    pub fn imbalance(&self, now: Duration, intake: &Intake) -> i64 {
        let settled =
            self.past.front().filter(|(then, _)| *then + SETTLED <= now).map_or(0, |(_, cloned)| *cloned);
        let accounted = intake.read + intake.link_dropped + intake.ring_dropped;
        if accounted < settled {
            (settled - accounted) as i64
        } else if accounted > intake.cloned {
            -((accounted - intake.cloned) as i64)
        } else {
            0
        }
    }

    /// The same when nothing is on its way any more.
    pub fn final_imbalance(intake: &Intake) -> i64 {
        intake.cloned.wrapping_sub(intake.read + intake.link_dropped + intake.ring_dropped) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn intake(cloned: u64, read: u64, ring_dropped: u64) -> Intake {
        Intake { cloned, read, ring_dropped, ..Intake::default() }
    }

    #[test]
    fn what_is_on_its_way_is_no_imbalance_and_what_never_comes_is_one() {
        let mut balance = Balance::default();
        for second in 0..10 {
            balance.note(at(second), 100);
        }
        assert_eq!(balance.imbalance(at(9), &intake(150, 100, 0)), 0);
        assert_eq!(balance.imbalance(at(9), &intake(150, 60, 30)), 10);
        assert_eq!(balance.imbalance(at(9), &intake(150, 151, 0)), -1);
        let mut young = Balance::default();
        young.note(at(0), 100);
        assert_eq!(young.imbalance(at(2), &intake(100, 0, 0)), 0);
        assert_eq!(young.imbalance(at(3), &intake(100, 0, 0)), 100);
    }
}
