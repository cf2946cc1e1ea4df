//! Two versions that share the users' traffic: other requests for each, so only their distributions compare.
//!
//! It takes the kernel's counts, which hold every request of both versions, mirrored or not. Without pairs it takes more
//! requests to see less: a shift of a quantile shows from about a fifth on, because the kernel's buckets are 9 % wide.

mod claims;

use std::collections::VecDeque;
use std::time::Duration;

use super::statistics::{Bound, log_evidence, quantile, split};
use super::{HISTORY, Settings, TooLong, Verdict};
use crate::time::Nanos;

/// The quantiles that are compared.
const QUANTILES: [(&str, f64); 2] = [("p50", 0.5), ("p99", 0.99)];
/// Seconds with requests before anything is shown: what happens to one second's requests happens to all of them.
const FLOOR: u64 = 10;
/// How often what was counted is kept, to be taken from later counts: a window is that exact.
const KEEP: Duration = Duration::from_secs(10);

/// What one version did since some moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arm {
    /// Requests that it got.
    pub requests: u64,
    /// Answers with a status from 500.
    pub errors: u64,
    /// The others, by how long their first byte took, in the kernel's buckets.
    pub ttfb: Vec<u64>,
}

/// Judges one service whose v2 carries users' traffic.
#[derive(Debug)]
pub struct Unpaired {
    settings: Settings,
    /// The share of the traffic that v2 should get; `None` if nobody said.
    split: Option<f64>,
    started: Nanos,
    now: Looked,
    /// Oldest first.
    kept: VecDeque<Looked>,
    /// By how much more v2 failed than v1 between two looks, as a share of its answers; as old as the history.
    harms: VecDeque<(Nanos, f64)>,
    since_start: Account,
}

/// The counts of a moment.
#[derive(Clone, Debug, Default)]
struct Looked {
    at: Nanos,
    arms: [Arm; 2],
    /// Seconds with requests, and the last of them.
    blocks: u64,
    last: Option<Nanos>,
}

/// The highest evidence of each claim so far.
#[derive(Clone, Debug)]
struct Account {
    errors: f64,
    quantiles: [f64; QUANTILES.len()],
    split: f64,
    bound: Bound,
}

impl Unpaired {
    /// A judge that has seen nothing.
    pub fn new(settings: Settings, split: Option<f64>, now: Nanos) -> Unpaired {
        let first = Looked { at: now, ..Looked::default() };
        Unpaired {
            split,
            started: now,
            kept: VecDeque::from([first.clone()]),
            harms: VecDeque::new(),
            now: first,
            since_start: Account::new(settings.margin),
            settings,
        }
    }

    /// Takes the counts since the start. Call it about every second.
    pub fn look(&mut self, now: Nanos, arms: [Arm; 2]) {
        let [v1, v2] = [0, 1].map(|arm| arms[arm].since(&self.now.arms[arm]));
        let (mut blocks, mut last) = (self.now.blocks, self.now.last);
        if v1.requests + v2.requests > 0 {
            (blocks, last) = (blocks + 1, Some(now));
        }
        if v1.answered() > 0 && v2.answered() > 0 {
            let harm = v2.error_ratio() - v1.error_ratio();
            self.since_start.bound.add(harm);
            self.harms.push_back((now, harm));
        }
        self.now = Looked { at: now, arms, blocks, last };
        if self.now.blocks >= FLOOR {
            self.since_start.look(&self.now.arms, self.split);
        }
        let newest = self.kept.back().map_or(Nanos(0), |kept| kept.at);
        if now.since(newest) >= KEEP {
            self.kept.push_back(self.now.clone());
        }
        while self.harms.front().is_some_and(|(at, _)| now.since(*at) > HISTORY) {
            self.harms.pop_front();
        }
        while self.kept.get(1).is_some_and(|kept| now.since(kept.at) > HISTORY) {
            self.kept.pop_front();
        }
    }

    /// What is said now, of everything since the start, or of the last `window` alone, to ten seconds.
    ///
    /// # Errors
    ///
    /// When the window is longer than [`HISTORY`].
    pub fn verdict(&self, service: &str, now: Nanos, window: Option<Duration>) -> Result<Verdict, TooLong> {
        let Some(window) = window else {
            return Ok(self.judge(
                service,
                now,
                &Looked { at: self.started, ..Looked::default() },
                &self.since_start,
            ));
        };
        if window > HISTORY {
            return Err(TooLong(window));
        }
        let begins = now - window;
        let from = self.kept.iter().rev().find(|kept| kept.at <= begins).or(self.kept.front());
        let from = from.cloned().unwrap_or_default();
        let mut account = Account::new(self.settings.margin);
        let within = self.harms.iter().filter(|(at, _)| *at > from.at);
        within.for_each(|(_, harm)| account.bound.add(*harm));
        if self.now.blocks - from.blocks.min(self.now.blocks) < FLOOR {
            return Ok(self.judge(service, now, &from, &account));
        }
        account.look(&[0, 1].map(|arm| self.now.arms[arm].since(&from.arms[arm])), self.split);
        Ok(self.judge(service, now, &from, &account))
    }
}

impl Account {
    fn new(margin: f64) -> Account {
        Account { errors: 0.0, quantiles: [0.0; QUANTILES.len()], split: 0.0, bound: Bound::new(margin) }
    }

    fn look(&mut self, arms: &[Arm; 2], expected: Option<f64>) {
        let [v1, v2] = arms;
        if let Some(share) = expected {
            let seen = split::split_log_evidence(&[v1.requests, v2.requests], &[1.0 - share, share]);
            self.split = self.split.max(seen);
        }
        // Of an error somewhere, the probability that it is v2's is v2's share of the answers.
        let share = v2.answered() as f64 / (v1.answered() + v2.answered()).max(1) as f64;
        self.errors = self.errors.max(log_evidence(v2.errors, v1.errors, share));
        for (worst, (_, p)) in self.quantiles.iter_mut().zip(QUANTILES) {
            *worst = worst.max(quantile::quantile_log_evidence(&v1.ttfb, &v2.ttfb, p));
        }
    }
}

impl Arm {
    /// What came since an earlier look.
    fn since(&self, earlier: &Arm) -> Arm {
        let before = earlier.ttfb.iter().copied().chain(std::iter::repeat(0));
        Arm {
            requests: self.requests.saturating_sub(earlier.requests),
            errors: self.errors.saturating_sub(earlier.errors),
            ttfb: self.ttfb.iter().zip(before).map(|(now, before)| now.saturating_sub(before)).collect(),
        }
    }

    fn answered(&self) -> u64 {
        self.errors + self.ttfb.iter().sum::<u64>()
    }

    fn error_ratio(&self) -> f64 {
        self.errors as f64 / self.answered().max(1) as f64
    }
}
