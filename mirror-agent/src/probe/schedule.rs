//! When which probe is due.

use std::time::Duration;

use mirror_common::share::murmur3_32;

use crate::time::Nanos;

/// Seed of the hash that spreads the probes.
const SEED: u32 = 0x7072_6f62;

/// Probes by index. Each is due at its own moments, one interval apart, which its name decides: probes that are sent as
/// often do not come all at once, and come as they did after a restart.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    slots: Vec<Slot>,
}

#[derive(Clone, Debug)]
struct Slot {
    every: u64,
    due: Nanos,
    is_out: bool,
}

impl Schedule {
    /// Probes by name and interval; the first of each is due within one interval.
    pub fn new(probes: impl IntoIterator<Item = (String, Duration)>, now: Nanos) -> Schedule {
        let slot = |(name, every): (String, Duration)| {
            let every = u64::try_from(every.as_nanos()).unwrap_or(u64::MAX).max(1);
            let jitter = (u128::from(every) * u128::from(murmur3_32(name.as_bytes(), SEED))) >> 32;
            let due = Nanos(now.0.saturating_add(u64::try_from(jitter).unwrap_or(every)));
            Slot { every, due, is_out: false }
        };
        Schedule { slots: probes.into_iter().map(slot).collect() }
    }

    /// Those that are due, which are out from now on. What was missed is not made up for; one that is out still is left out.
    pub fn take_due(&mut self, now: Nanos) -> Vec<usize> {
        let mut due = Vec::new();
        for (index, slot) in self.slots.iter_mut().enumerate().filter(|(_, slot)| slot.due <= now) {
            let missed = (now.0 - slot.due.0) / slot.every;
            slot.due = Nanos(slot.due.0.saturating_add(slot.every.saturating_mul(missed.saturating_add(1))));
            if !std::mem::replace(&mut slot.is_out, true) {
                due.push(index);
            }
        }
        due
    }

    /// Takes one that is wanted now; `false` if it is out already.
    pub fn take(&mut self, index: usize) -> bool {
        self.slots.get_mut(index).is_some_and(|slot| !std::mem::replace(&mut slot.is_out, true))
    }

    /// One that was out is back.
    pub fn give_back(&mut self, index: usize) {
        if let Some(slot) = self.slots.get_mut(index) {
            slot.is_out = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn of(every: &[u64], now: u64) -> Schedule {
        let probe = |(index, every): (usize, &u64)| (format!("p{index}"), Duration::from_nanos(*every));
        Schedule::new(every.iter().enumerate().map(probe), Nanos(now))
    }

    #[test]
    fn probes_of_one_interval_are_spread_over_it_and_come_at_the_same_moments_again() {
        let mut schedule = of(&[10 * SECOND; 16], 0);
        let mut seen = vec![Vec::new(); 16];
        for tenth in 0..400 {
            for index in schedule.take_due(Nanos(tenth * SECOND / 10)) {
                seen[index].push(tenth);
                schedule.give_back(index);
            }
        }
        let mut firsts: Vec<_> = seen.iter().map(|at| at[0]).collect();
        for at in &seen {
            assert!(at[0] <= 100 && at.windows(2).all(|pair| pair[1] - pair[0] == 100), "{at:?}");
        }
        firsts.sort_unstable();
        firsts.dedup();
        assert!(firsts.len() > 8, "{firsts:?}");
    }

    #[test]
    fn a_long_sleep_is_followed_by_one_and_not_by_a_burst() {
        let mut schedule = of(&[SECOND], 0);
        assert_eq!(schedule.take_due(Nanos(3600 * SECOND)), [0]);
        schedule.give_back(0);
        assert_eq!(schedule.take_due(Nanos(3600 * SECOND)), [0; 0]);
        assert_eq!(schedule.take_due(Nanos(3601 * SECOND)), [0]);
    }

    #[test]
    fn one_of_a_name_is_out_at_a_time() {
        let mut schedule = of(&[SECOND, SECOND], 0);
        assert!(schedule.take(0) && !schedule.take(0) && !schedule.take(2));
        assert_eq!(schedule.take_due(Nanos(SECOND)), [1]);
        schedule.give_back(0);
        assert_eq!(schedule.take_due(Nanos(2 * SECOND)), [0]);
    }

    proptest! {
        /// However time moves, no probe comes more often than its interval allows.
        #[test]
        fn never_more_than_one_an_interval(every in 1u64..1000, steps in prop::collection::vec(0u64..5000, 1..50)) {
            let mut schedule = of(&[every], 0);
            let (mut now, mut count) = (0u64, 0);
            for step in steps {
                now += step;
                for index in schedule.take_due(Nanos(now)) {
                    count += 1;
                    schedule.give_back(index);
                }
            }
            prop_assert!(count <= now / every + 1);
        }

        #[test]
        fn the_edges_of_time_do_not_overflow(now: u64, every: u64, later: u64) {
            let mut schedule = of(&[every], now);
            schedule.take_due(Nanos(later));
            schedule.take_due(Nanos(u64::MAX));
        }
    }
}
