//! v1's error budget, and how much of it the experiment has spent. Pure, and kept over restarts.
//!
//! `budget = (1 - objective) * events of the period`. Events are kept by the hour; of a period that is not over, or was not
//! all seen, the rest counts as what was seen.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::guard::{Count, Objective};
use crate::judge::statistics::upper_tail;
use crate::time::Nanos;

const HOUR: Duration = Duration::from_secs(3600);
/// As with the burn rates: a v1 that just keeps its objective has more bad events than it allows half of the time.
const CHANCE: f64 = 1e-5;
/// Less than this says nothing about a period.
const SEEN: Duration = Duration::from_secs(1);

/// What is kept over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// v1's events by the hour since the Unix epoch, oldest first.
    pub hours: VecDeque<(u64, Count)>,
    /// When the first of them was seen, in seconds since the Unix epoch; `None` before.
    #[serde(default)]
    pub since: Option<u64>,
    /// Bad events that the mirror was to blame for, since somebody last granted more.
    pub spent: u64,
    /// Why more was granted, each time; the newest last, at most [`Budget::GRANTS`].
    pub grants: Vec<String>,
}

/// The budget of one service.
#[derive(Clone, Debug)]
pub struct Budget {
    objective: Objective,
    /// The part of it that the experiment may spend.
    share: f64,
    kept: Kept,
    /// What had been counted at the last look.
    last: (Count, u64),
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// What is left of v1's budget as a share of it; below 0 when it is overspent.
    pub remaining_ratio: f64,
    /// Bad events that the mirror is to blame for.
    pub spent: u64,
    /// How many it may be.
    pub allowance: f64,
    /// Whether nothing may be mirrored any more.
    pub is_frozen: bool,
}

impl Budget {
    /// Grants that are remembered.
    pub const GRANTS: usize = 32;

    /// Goes on with what was kept. Of v1's budget, the experiment may spend the part `share`.
    pub fn new(objective: Objective, share: f64, kept: Kept) -> Budget {
        Budget { objective, share, kept, last: (Count::default(), 0) }
    }

    /// What is to be kept.
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Takes v1's events since the agent's start, and the bad ones among them that the mirror is to blame for. `now` is the time
    /// since the Unix epoch.
    pub fn look(&mut self, now: Nanos, v1: Count, excess: u64) {
        let (before, excess_before) = self.last;
        let excess = excess.max(excess_before); // an estimate that falls gives nothing back
        self.last = (v1, excess);
        self.kept.spent = self.kept.spent.saturating_add(excess - excess_before);
        self.kept.since.get_or_insert(now.since(Nanos(0)).as_secs());
        let (hour, new) = (hour(now), v1.since(before));
        match self.kept.hours.back_mut() {
            Some((last, count)) if *last >= hour => *count = count.plus(new),
            _ => self.kept.hours.push_back((hour, new)),
        }
        let oldest = hour.saturating_sub(hours(self.objective.period));
        while self.kept.hours.front().is_some_and(|(hour, _)| *hour <= oldest) {
            self.kept.hours.pop_front();
        }
    }

    /// Of events with the mirror on, the bad ones beyond what the objective allows: what the mirror is to blame for where there
    /// are no pauses to compare with. None while chance may have brought them.
    pub fn beyond(&self, mirrored: Count) -> u64 {
        let allowed = 1.0 - self.objective.ratio;
        if upper_tail(mirrored.total, allowed, mirrored.bad) >= CHANCE {
            return 0;
        }
        (mirrored.bad as f64 - allowed * mirrored.total as f64).max(0.0) as u64
    }

    /// How it stands.
    pub fn standing(&self, now: Nanos) -> Standing {
        let sum = self.kept.hours.iter().fold(Count::default(), |sum, (_, count)| sum.plus(*count));
        let first = self.kept.hours.front().map_or(0, |(hour, _)| hour * HOUR.as_secs());
        let since = Duration::from_secs(first.max(self.kept.since.unwrap_or(0)));
        let seen = now.since(Nanos(0) + since).max(SEEN);
        let whole = (self.objective.period.as_secs_f64() / seen.as_secs_f64().max(1.0)).max(1.0);
        let budget = (1.0 - self.objective.ratio) * sum.total as f64;
        // Where a whole period has less than one event to give, the first is the last.
        let allowance = (self.share * budget * whole).max(1.0);
        Standing {
            remaining_ratio: if sum.total == 0 { 1.0 } else { 1.0 - sum.bad as f64 / budget },
            spent: self.kept.spent,
            allowance,
            is_frozen: self.kept.spent as f64 >= allowance,
        }
    }

    /// Lets the experiment spend as much again, for a reason that is kept.
    pub fn grant(&mut self, why: &str) {
        self.kept.spent = 0;
        self.kept.grants.push(why.to_owned());
        let surplus = self.kept.grants.len().saturating_sub(Budget::GRANTS);
        self.kept.grants.drain(..surplus);
    }
}

fn hour(now: Nanos) -> u64 {
    now.since(Nanos(0)).as_secs() / HOUR.as_secs()
}

fn hours(period: Duration) -> u64 {
    period.as_secs().div_ceil(HOUR.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECTIVE: Objective = Objective { ratio: 0.999, period: Duration::from_secs(30 * 24 * 3600) };

    fn hour_of(hours: f64) -> Nanos {
        Nanos((hours * 3600e9) as u64)
    }

    /// 100 events an hour from hour 1000 on, of which `bad` are, for so many hours.
    fn run(bad: u64, hours: u64) -> Budget {
        let mut budget = Budget::new(OBJECTIVE, 0.01, Kept::default());
        let mut v1 = Count::default();
        for hour in 0..hours {
            v1 = v1.plus(Count { total: 100_000, bad });
            budget.look(hour_of(1000.0 + hour as f64 + 0.5), v1, 0);
        }
        budget
    }

    #[test]
    fn what_remains_is_what_was_not_spent_within_the_period() {
        let budget = run(25, 100);
        let standing = budget.standing(hour_of(1100.0));
        assert!((standing.remaining_ratio - 0.75).abs() < 1e-9, "{standing:?}");
        // From half past the first hour on: 720 hours of 100 000, and a little more than that, of which a thousandth may be bad, of which a hundredth is ours.
        assert!((standing.allowance - 720.0 * 100.0 / 99.5).abs() < 1.0, "{standing:?}");
        assert!(!standing.is_frozen);
    }

    #[test]
    fn what_is_older_than_the_period_is_forgotten() {
        let mut budget = run(200, 720);
        assert!(budget.standing(hour_of(1720.0)).remaining_ratio < 0.0);
        let last = budget.last.0;
        budget.look(hour_of(1000.0 + 720.0 + 719.5), last.plus(Count { total: 1000, bad: 0 }), 0);
        assert!(budget.standing(hour_of(2440.0)).remaining_ratio == 1.0);
        assert_eq!(budget.kept().hours.len(), 1);
    }

    #[test]
    fn what_the_mirror_spends_freezes_it_until_more_is_granted() {
        let mut budget = run(0, 100);
        let v1 = budget.last.0;
        budget.look(hour_of(1099.6), v1, 500);
        budget.look(hour_of(1099.7), v1, 400); // the estimate has come down
        assert_eq!(budget.standing(hour_of(1100.0)).spent, 500);
        budget.look(hour_of(1099.8), v1, 725);
        assert!(budget.standing(hour_of(1100.0)).is_frozen);
        budget.grant("the fix is in");
        assert_eq!((budget.standing(hour_of(1100.0)).is_frozen, budget.kept().grants.len()), (false, 1));
        for grant in 0..100 {
            budget.grant(&grant.to_string());
        }
        assert_eq!(budget.kept().grants.last().map(String::as_str), Some("99"));
        assert_eq!(budget.kept().grants.len(), Budget::GRANTS);
    }

    #[test]
    fn what_chance_brings_is_not_the_mirrors_fault() {
        let budget = Budget::new(OBJECTIVE, 0.01, Kept::default());
        let beyond = |total, bad| budget.beyond(Count { total, bad });
        assert_eq!([beyond(0, 0), beyond(10_000, 10), beyond(10_000, 20), beyond(10_000, 61)], [0, 0, 0, 50]);
    }

    #[test]
    fn a_restart_forgets_nothing() {
        let mut before = run(10, 50);
        before.look(hour_of(1049.9), before.last.0, 9);
        let text = serde_json::to_string(before.kept()).unwrap();
        let mut after = Budget::new(OBJECTIVE, 0.01, serde_json::from_str(&text).unwrap());
        after.look(hour_of(1050.0), Count { total: 7, bad: 1 }, 2);
        let standing = after.standing(hour_of(1050.0));
        assert_eq!(standing.spent, 11);
        let events = after.kept().hours.iter().map(|(_, count)| count.total).sum::<u64>();
        assert_eq!(events, 50 * 100_000 + 7);
    }

    #[test]
    fn without_traffic_all_of_it_is_left() {
        let budget = Budget::new(OBJECTIVE, 0.01, Kept::default());
        let standing = budget.standing(hour_of(5.0));
        assert_eq!((standing.remaining_ratio, standing.is_frozen, standing.allowance), (1.0, false, 1.0));
    }
}
