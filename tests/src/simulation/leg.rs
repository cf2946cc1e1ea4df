//! One version, and how long it takes.

use std::collections::VecDeque;

use super::chance::Chance;
use super::traffic::Version;

/// How long a stall takes: a collection of garbage, a flush of a disk.
const STALL: f64 = 0.2;
/// How different the times of requests are: the standard deviation of their logarithms.
const NOISE: f64 = 0.3;
/// How long a stall is remembered: longer than anybody waits for an answer.
const REMEMBERED: f64 = 60.0;

/// One version.
#[derive(Debug, Default)]
pub(crate) struct Leg {
    /// When stalls begin, earliest first.
    stalls: VecDeque<f64>,
    /// Until when they are known.
    known_to: f64,
}

impl Leg {
    /// When a request that comes at `start` and means `work` seconds of work for both versions is answered.
    pub(crate) fn answer(&mut self, start: f64, work: f64, version: &Version, chance: &mut Chance) -> f64 {
        let slow = if chance.happens(version.slow.share) { version.slow.times } else { 1.0 };
        let mut left = work * version.slower * slow * chance.factor(NOISE);
        if version.stalls == 0.0 {
            return start + left;
        }
        self.learn(start, start + left + REMEMBERED, version.stalls, chance);
        let mut at = start;
        for begin in &self.stalls {
            if begin + STALL <= at {
                continue; // over already
            }
            if *begin >= at + left {
                break;
            }
            left -= (begin - at).max(0.0);
            at = begin + STALL;
        }
        at + left
    }

    /// Makes up the stalls until `end`, and forgets those that are long over.
    fn learn(&mut self, now: f64, end: f64, rate: f64, chance: &mut Chance) {
        while self.stalls.front().is_some_and(|begin| begin + REMEMBERED < now) {
            self.stalls.pop_front();
        }
        self.known_to = self.known_to.max(now - REMEMBERED);
        while self.known_to < end {
            self.known_to += chance.wait(rate);
            self.stalls.push_back(self.known_to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_waits_for_the_end_of_a_stall() {
        let mut leg = Leg { stalls: VecDeque::from([1.0, 1.1, 5.0]), known_to: 1e9 };
        let version = Version { stalls: 0.1, ..Version::default() };
        let mut answer = |start: f64| {
            let work = 1e-9; // so small that its noise is none
            (leg.answer(start, work, &version, &mut Chance::new(1)) * 1000.0).round()
        };
        assert_eq!(
            [0.9, 1.0, 1.15, 1.29, 1.4, 5.1].map(&mut answer),
            [900.0, 1300.0, 1300.0, 1300.0, 1400.0, 5200.0]
        );
    }

    #[test]
    fn a_stall_in_the_middle_adds_its_length() {
        let mut leg = Leg { stalls: VecDeque::from([1.5]), known_to: 1e9 };
        let plain = Version::default();
        let stalls = Version { stalls: 0.1, ..Version::default() };
        let without = Leg::default().answer(1.0, 1.0, &plain, &mut Chance::new(3));
        let with = leg.answer(1.0, 1.0, &stalls, &mut Chance::new(3));
        assert!((with - without - STALL).abs() < 1e-9, "{with} {without}");
    }
}
