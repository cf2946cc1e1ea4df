//! How fast v1 spends its error budget, and when that is too fast.
//!
//! The multi-window burn rates of Google's SRE workbook (chapter "Alerting on SLOs"), with windows short enough for an
//! abort: a minute, five and an hour instead of an hour, six and a day. `factor = share of the budget * period / window`, as
//! in sloth's `internal/alert/window.go`.

use std::time::Duration;

use super::events::{Count, Events};
use crate::judge::statistics::upper_tail;
use crate::time::Nanos;

/// A burn that chance would make rarer than this of a service that just keeps its objective is none of chance's. It is looked at
/// four times a second, so that an hour has many chances: with 1e-4 one healthy hour in 170 was stopped at 0.2 requests a second.
const CHANCE: f64 = 1e-5;

/// A service level objective.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// The share of good events that is promised; under 1.
    pub ratio: f64,
    /// Over which time.
    pub period: Duration,
}

/// Two windows that must both burn: the long one says that it matters, the short one that it still goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Windows {
    /// How they are called, in metrics.
    pub name: &'static str,
    /// The long window.
    pub long: Duration,
    /// The short one.
    pub short: Duration,
    /// The share of the budget that may be spent in the long one.
    pub budget: f64,
}

/// What is looked at.
pub const WINDOWS: [Windows; 3] = [
    Windows { name: "60s", long: Duration::from_secs(60), short: Duration::from_secs(5), budget: 0.001 },
    Windows { name: "300s", long: Duration::from_secs(300), short: Duration::from_secs(25), budget: 0.0025 },
    Windows { name: "1h", long: Duration::from_secs(3600), short: Duration::from_secs(300), budget: 0.02 },
];

/// What two windows say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burn {
    /// Which.
    pub windows: Windows,
    /// Over the long window, how many times faster than the budget allows.
    pub long: f64,
    /// Over the short one.
    pub short: f64,
    /// From where on it is too fast.
    pub factor: f64,
    /// The events of the long window.
    pub count: Count,
    /// Whether it is too fast, and not by chance.
    pub is_breach: bool,
}

impl Windows {
    /// How many times faster than the budget allows it is spent, if `budget` of it goes in the long window.
    pub fn factor(&self, period: Duration) -> f64 {
        self.budget * period.as_secs_f64() / self.long.as_secs_f64()
    }

    /// What they say of `events`.
    pub fn look(self, now: Nanos, events: &Events, objective: &Objective) -> Burn {
        let budget = 1.0 - objective.ratio;
        let rate = |window: Duration| {
            // What was before the first look counts as good, or a second of errors would be an hour's.
            let seen = events.age(now).as_secs_f64() / window.as_secs_f64();
            events.within(now, window).ratio() / budget * seen.min(1.0)
        };
        let (long, long_rate, short_rate) =
            (events.within(now, self.long), rate(self.long), rate(self.short));
        let factor = self.factor(objective.period);
        let is_fast = long_rate > factor && short_rate > factor;
        Burn {
            windows: self,
            long: long_rate,
            short: short_rate,
            factor,
            count: long,
            // Last, because it is the only one that takes time.
            is_breach: is_fast && upper_tail(long.total, budget, long.bad) < CHANCE,
        }
    }
}

#[cfg(test)]
mod tests;
