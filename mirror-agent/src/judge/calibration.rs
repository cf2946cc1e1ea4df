//! What our own way to a version costs: v1 answers a user, and the same request again from us.
//!
//! v2 is only ever measured on our way. Without knowing how much slower that is, a v2 that is the same as v1 would be
//! accused of it.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Again, Calibrated, Settings};

/// Pairs that a bias needs to be known.
const NEEDED: usize = 60;
/// Pairs that are asked for, until they come by themselves: with fewer the allowance would hide a v2 that is 10 % slower.
const WANTED: usize = 300;
/// Of the newest so many: load comes and goes, and the bias with it.
const KEPT: usize = 1000;
/// The bias is found anew when one in so many pairs is new: fewer change nothing, and it takes sorting them all.
const FRESH: usize = 20;
/// How far the rank of the upper bound of a median is from the middle, in roots of the number of values: a bound that
/// holds in 97 cases of 100 (two standard deviations of a binomial). Newer pairs correct the others before they accuse.
const ABOVE: f64 = 1.0;

/// Measures the bias.
#[derive(Debug)]
pub(super) struct Calibration {
    slower: f64,
    at_least: f64,
    is_asked: bool,
    /// The user's time and ours, in seconds, oldest first.
    pairs: VecDeque<(f64, f64)>,
    /// Of them, those that no bias was found from yet.
    fresh: usize,
    known: Option<Calibrated>,
    /// An upper bound of the median bias as a part of the user's time.
    ratio: f64,
}

impl Calibration {
    pub(super) fn new(settings: &Settings) -> Calibration {
        Calibration {
            slower: settings.slower,
            at_least: settings.slower_by.as_secs_f64(),
            is_asked: settings.again == Again::V1,
            pairs: VecDeque::new(),
            fresh: 0,
            known: None,
            ratio: 0.0,
        }
    }

    /// v1 took `user` for a user and `again` for us.
    pub(super) fn note(&mut self, user: Duration, again: Duration) {
        if self.pairs.len() == KEPT {
            self.pairs.pop_front();
        }
        self.pairs.push_back((user.as_secs_f64(), again.as_secs_f64()));
        self.fresh += 1;
    }

    /// Takes what was noted into account. Only between blocks: all votes of a block are by one rule.
    pub(super) fn settle(&mut self) {
        let count = self.pairs.len();
        if count < NEEDED || self.fresh * FRESH < count {
            return;
        }
        self.fresh = 0;
        let sorted = |of: &dyn Fn(f64, f64) -> f64| {
            let mut values: Vec<f64> = self.pairs.iter().map(|(user, again)| of(*user, *again)).collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let median = |values: &[f64]| values.get(values.len() / 2).copied().unwrap_or_default();
        let excess = sorted(&|user, again| again - user * (1.0 + self.slower));
        let ratios = sorted(&|user, again| again / user.max(1e-9) - 1.0);
        self.ratio = upper(&ratios);
        self.known = Some(Calibrated {
            pairs: count as u64,
            bias_s: median(&sorted(&|user, again| again - user)),
            bias_ratio: median(&ratios),
            allowance_s: self.at_least + upper(&excess).max(0.0),
        });
    }

    pub(super) fn is_known(&self) -> bool {
        self.known.is_some()
    }

    /// Whether more pairs would make the allowance much smaller.
    pub(super) fn is_wanting(&self) -> bool {
        self.pairs.len() < WANTED
    }

    pub(super) fn known(&self) -> Option<Calibrated> {
        self.known
    }

    /// Pairs that are still missing; `None` if nobody asks v1 again.
    pub(super) fn missing(&self) -> Option<usize> {
        self.is_asked.then(|| NEEDED.saturating_sub(self.pairs.len()))
    }

    /// What v2 may take where v1 took `v1`; `None` before the bias is known.
    pub(super) fn allowed(&self, v1: Duration) -> Option<Duration> {
        let known = self.known?;
        Duration::try_from_secs_f64(v1.as_secs_f64() * (1.0 + self.slower) + known.allowance_s).ok()
    }

    /// What a bound on v1's times is on our way; `None` before the bias is known. A small bias is an amount, that of long
    /// answers a part of their time: the larger of the two is allowed.
    pub(super) fn late(&self, bound: Duration) -> Option<Duration> {
        let by_ratio = Duration::try_from_secs_f64(bound.as_secs_f64() * (1.0 + self.ratio.max(0.0))).ok()?;
        Some(self.allowed(bound)?.max(by_ratio))
    }
}

/// An upper bound of the median.
fn upper(sorted: &[f64]) -> f64 {
    let count = sorted.len() as f64;
    let rank = count / 2.0 + ABOVE * count.sqrt();
    sorted.get(rank.ceil() as usize).copied().unwrap_or_default()
}
