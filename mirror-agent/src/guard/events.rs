//! Good and bad events over time: counts that only grow, as of every second, as old as the longest window.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Nanos;

/// The longest window.
pub const LONGEST: Duration = Duration::from_secs(3600);
/// How often a count is kept.
const STEP: Duration = Duration::from_secs(1);

/// How many there were, and how many of them were bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// All.
    pub total: u64,
    /// The bad ones among them.
    pub bad: u64,
}

/// The counts of one thing since the start, now and a while ago.
#[derive(Clone, Debug)]
pub struct Events {
    now: Count,
    /// Oldest first, a [`STEP`] apart at least.
    kept: VecDeque<(Nanos, Count)>,
}

impl Events {
    /// What is counted from `first` on.
    pub fn new(now: Nanos, first: Count) -> Events {
        Events { now: first, kept: VecDeque::from([(now, first)]) }
    }

    /// Takes the counts since the start. One that is lower than before is taken for the one before.
    pub fn look(&mut self, now: Nanos, count: Count) {
        self.now = Count { total: count.total.max(self.now.total), bad: count.bad.max(self.now.bad) };
        if self.kept.back().is_none_or(|(at, _)| now.since(*at) >= STEP) {
            self.kept.push_back((now, self.now));
        }
        while self.kept.get(1).is_some_and(|(at, _)| now.since(*at) >= LONGEST) {
            self.kept.pop_front();
        }
    }

    /// What came in the last `window`, to a second; in all the time there was, if that is shorter.
    pub fn within(&self, now: Nanos, window: Duration) -> Count {
        let index = self.kept.partition_point(|(at, _)| now.since(*at) >= window);
        let before = self.kept.get(index.saturating_sub(1)).map_or(Count::default(), |(_, count)| *count);
        self.now.since(before)
    }

    /// How long there has been a look, at most about [`LONGEST`].
    pub fn age(&self, now: Nanos) -> Duration {
        self.kept.front().map_or(Duration::ZERO, |(at, _)| now.since(*at))
    }

    /// The counts since the start.
    pub fn now(&self) -> Count {
        self.now
    }
}

impl Count {
    /// What came after `earlier`.
    pub fn since(self, earlier: Count) -> Count {
        Count { total: self.total.saturating_sub(earlier.total), bad: self.bad.saturating_sub(earlier.bad) }
    }

    /// Both together.
    pub fn plus(self, other: Count) -> Count {
        Count { total: self.total.saturating_add(other.total), bad: self.bad.saturating_add(other.bad) }
    }

    /// The bad ones as a share of all; 0 of none.
    pub fn ratio(self) -> f64 {
        self.bad as f64 / self.total.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn second(seconds: u64) -> Nanos {
        Nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_window_is_told_from_what_was_before_it() {
        let mut events = Events::new(second(0), Count { total: 1000, bad: 500 });
        for now in 1..=100 {
            events.look(second(now), Count { total: 1000 + now * 10, bad: 500 + now.saturating_sub(90) });
        }
        assert_eq!(events.within(second(100), Duration::from_secs(5)), Count { total: 50, bad: 5 });
        assert_eq!(events.within(second(100), Duration::from_secs(60)), Count { total: 600, bad: 10 });
        assert_eq!(events.within(second(100), LONGEST), Count { total: 1000, bad: 10 });
    }

    #[test]
    fn silence_is_no_event() {
        let mut events = Events::new(second(0), Count::default());
        events.look(second(1), Count { total: 5, bad: 5 });
        events.look(second(50), Count { total: 5, bad: 5 });
        assert_eq!(events.within(second(50), Duration::from_secs(5)), Count::default());
        assert_eq!(events.within(second(50), Duration::from_secs(60)), Count { total: 5, bad: 5 });
    }

    proptest! {
        /// Every window is what a list of all looks says it is, and no more is kept than an hour's worth.
        #[test]
        fn windows_are_those_of_a_list_of_all_looks(
            steps in prop::collection::vec((0u64..3000, 0u64..50, 0u64..50), 1..400),
            window in 1u64..4000,
        ) {
            let (mut now, mut count) = (Nanos(0), Count::default());
            let mut events = Events::new(now, count);
            let mut all = vec![(now, count)];
            for (millis, good, bad) in steps {
                now = now + Duration::from_millis(millis);
                count = count.plus(Count { total: good + bad, bad });
                events.look(now, count);
                if all.last().is_some_and(|(at, _)| now.since(*at) >= STEP) {
                    all.push((now, count));
                }
            }
            let window = Duration::from_secs(window).min(LONGEST);
            let before = all.iter().rev().find(|(at, _)| now.since(*at) >= window).or(all.first());
            prop_assert_eq!(events.within(now, window), count.since(before.unwrap().1));
            prop_assert!(events.kept.len() <= 3602);
        }
    }
}
