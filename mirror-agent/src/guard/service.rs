//! The guards of one service: what it does to v1, what v2 does, and what is lost between them.

use std::time::Duration;

use super::burn::{Burn, Objective, WINDOWS};
use super::events::{Count, Events};
use super::{Breach, Reason};
use crate::judge::statistics::upper_tail;
use crate::time::Nanos;

/// Chance alone must not make it: as with the burn rates.
const CHANCE: f64 = 1e-4;
/// Over which time losses are measured.
const LOSS_WINDOW: Duration = Duration::from_secs(10);
/// Fewer clones than this say nothing about losses.
const FEWEST_CLONES: u64 = 100;
/// Attempts to connect that failed, before v2 counts as unreachable.
const FEWEST_ATTEMPTS: u64 = 3;

/// What is guarded; `None`: that is not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// What v1 promises.
    pub objective: Option<Objective>,
    /// The share of clones that may be lost.
    pub losses: Option<f64>,
    /// The share of requests in which v2 may fail where v1 does not, and over which time.
    pub v2_errors: Option<(f64, Duration)>,
    /// How long v2 may accept no connection.
    pub v2_unreachable: Option<Duration>,
}

/// What was counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// v1's turns, mirrored or not; bad by its objective.
    pub v1: Count,
    /// Requests that v2 was asked; bad where it failed and v1 did not.
    pub v2: Count,
    /// Attempts to ask v2; bad where no connection was accepted.
    pub attempts: Count,
    /// Clones; bad where one was lost.
    pub clones: Count,
}

/// Watches one service.
#[derive(Debug)]
pub struct Guard {
    limits: Limits,
    v1: Events,
    v2: Events,
    clones: Events,
    attempts: Count,
    /// Since when v2 has accepted nothing, and what was attempted by then.
    unreached: Option<(Nanos, Count)>,
}

impl Guard {
    /// Watches from `now` on, when that much had been counted.
    pub fn new(limits: Limits, now: Nanos, first: &Observation) -> Guard {
        Guard {
            limits,
            v1: Events::new(now, first.v1),
            v2: Events::new(now, first.v2),
            clones: Events::new(now, first.clones),
            attempts: first.attempts,
            unreached: None,
        }
    }

    /// Takes what was counted; says which guard is breached. What endangers v1 goes first.
    pub fn look(&mut self, now: Nanos, seen: &Observation) -> Option<Breach> {
        self.v1.look(now, seen.v1);
        self.v2.look(now, seen.v2);
        self.clones.look(now, seen.clones);
        let unreachable = self.look_at_attempts(now, seen.attempts);
        self.look_at_burns(now)
            .or_else(|| self.look_at_losses(now))
            .or(unreachable)
            .or_else(|| self.look_at_errors(now))
    }

    /// What each pair of windows says of v1; nothing without an objective.
    pub fn burns(&self, now: Nanos) -> Vec<Burn> {
        let look =
            |objective: Objective| WINDOWS.map(|windows| windows.look(now, &self.v1, &objective)).to_vec();
        self.limits.objective.map(look).unwrap_or_default()
    }

    /// v1's turns since it is watched.
    pub fn v1(&self) -> Count {
        self.v1.now()
    }

    fn look_at_burns(&self, now: Nanos) -> Option<Breach> {
        let burn = self.burns(now).into_iter().find(|burn| burn.is_breach)?;
        let (count, windows) = (burn.count, burn.windows);
        let why = format!(
            "v1 spends its error budget {:.1} times too fast over {} and {:.1} times over {} s, over {:.1}: {} of {} were bad",
            burn.long,
            windows.name,
            burn.short,
            windows.short.as_secs(),
            burn.factor,
            count.bad,
            count.total,
        );
        Some(Breach::new(Reason::V1Burn, why))
    }

    fn look_at_losses(&self, now: Nanos) -> Option<Breach> {
        let (limit, count) = (self.limits.losses?, self.clones.within(now, LOSS_WINDOW));
        let why = || {
            let ratio = 100.0 * count.ratio();
            format!("{ratio:.1}% of {} clones were lost in 10 s, over {:.1}%", count.total, 100.0 * limit)
        };
        (count.total >= FEWEST_CLONES && count.ratio() > limit).then(|| Breach::new(Reason::Losses, why()))
    }

    /// Over the whole time and over the last fifth of it: what is over is not held against v2, and what has just begun not yet.
    fn look_at_errors(&self, now: Nanos) -> Option<Breach> {
        let (limit, window) = self.limits.v2_errors?;
        let [long, short] = [window, window / 5].map(|window| self.v2.within(now, window));
        let why = || {
            let (bad, seconds) = (long.bad, window.as_secs_f64());
            format!(
                "v2 failed {bad} of {} requests in {seconds} s that v1 did not fail, over {:.1}%",
                long.total,
                100.0 * limit
            )
        };
        // A v2 that is asked since a moment ago may be warming up.
        let was_asked = long.total > self.v2.within(now, window / 2).total;
        let is_breach = was_asked && long.ratio() > limit && short.ratio() > limit;
        (is_breach && upper_tail(long.total, limit, long.bad) < CHANCE)
            .then(|| Breach::new(Reason::V2Errors, why()))
    }

    fn look_at_attempts(&mut self, now: Nanos, attempts: Count) -> Option<Breach> {
        let new = attempts.since(self.attempts);
        let before = std::mem::replace(&mut self.attempts, attempts);
        if new.total > new.bad {
            self.unreached = None;
            return None;
        }
        if new.bad > 0 && self.unreached.is_none() {
            self.unreached = Some((now, before));
        }
        let (limit, (since, before)) = (self.limits.v2_unreachable?, self.unreached?);
        let (failed, span) = (attempts.since(before).bad, now.since(since));
        let why = || format!("v2 has accepted none of {failed} connections for {:.0} s", span.as_secs_f64());
        (failed >= FEWEST_ATTEMPTS && span >= limit).then(|| Breach::new(Reason::V2Unreachable, why()))
    }
}

#[cfg(test)]
mod tests;
