//! Whether a limit is broken, beyond what chance does.

use std::time::Duration;

use mirror_common::histogram::{PER_OCTAVE, slot};

use super::experiment::{Bound, Limit, Metric};
use super::sample::{Sample, Window};
use crate::judge::statistics::binomial::upper_tail;
use crate::judge::statistics::log_evidence;
use crate::judge::statistics::quantile::fewest_samples;

/// How often one limit may be called broken that is not, however often it is looked at. Of what grows, both what it was
/// and what it is may be wrong: twice that.
const LEVEL: f64 = 0.005;
/// The same for one look at the last seconds, of which there is one each second.
const LEVEL_OF_A_LOOK: f64 = 1e-4;

/// Both versions over a phase.
#[derive(Clone, Copy, Debug, Default)]
pub struct Both {
    /// The one that serves users.
    pub v1: Window,
    /// The one with the faults.
    pub v2: Window,
    /// The verdict on v2 is FAIL.
    pub is_failed: bool,
}

impl Both {
    /// The version that a metric is of.
    pub fn of(&self, metric: Metric) -> &Window {
        match metric {
            Metric::V1Errors | Metric::V1P99 => &self.v1,
            Metric::V2Errors | Metric::V2P99 | Metric::Verdict => &self.v2,
        }
    }
}

/// Whether it is certain that a limit is broken, by everything of a phase.
pub fn is_broken(limit: &Limit, before: &Both, now: &Both) -> bool {
    let (before, seen) = (&before.of(limit.metric).all, now.of(limit.metric));
    match limit.bound {
        Bound::NotFail => now.is_failed,
        Bound::Share(share) => exceeds(seen.all.errors, seen.all.requests, ratio(share)),
        Bound::Time(time) => {
            let latency = seen.without_worst();
            let above = slot(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)) as usize + 1;
            exceeds(latency.slots.iter().skip(above).sum(), latency.count(), 0.01)
        }
        Bound::Growth(by) => highest_p99_slot(before).is_some_and(|slot| {
            let latency = seen.without_worst();
            exceeds(latency.slots.iter().skip(slot + grown(by) + 1).sum(), latency.count(), 0.01)
        }),
    }
}

/// Whether the last seconds break a limit of errors in a way that is no chance: sooner than [`is_broken`], which has the
/// good times before to outweigh.
pub fn breaks_now(limit: &Limit, recent: &Sample) -> bool {
    let Bound::Share(share) = limit.bound else { return false };
    let bound = ratio(share);
    recent.error_ratio() > bound && upper_tail(recent.requests, bound, recent.errors) < LEVEL_OF_A_LOOK
}

/// Why nothing can be said of a limit by what was seen before the faults; `None` if it can.
pub fn unknown_before(limit: &Limit, seen: &Sample) -> Option<String> {
    let is_growth = matches!(limit.bound, Bound::Growth(_));
    unknown(limit, seen, if is_growth { fewest_before() } else { 0 })
}

/// Why nothing can be said of a limit by what was seen during the faults; `None` if it can.
pub fn unknown_during(limit: &Limit, seen: &Sample) -> Option<String> {
    unknown(limit, seen, fewest_samples(0.99))
}

fn unknown(limit: &Limit, seen: &Sample, fewest: u64) -> Option<String> {
    let version = if matches!(limit.metric, Metric::V1Errors | Metric::V1P99) { "v1" } else { "v2" };
    let (requests, answers) = (seen.requests, seen.latency.count());
    match limit.metric {
        Metric::V1P99 | Metric::V2P99 if answers < fewest => {
            Some(format!("{version} answered {answers} requests, and its p99 takes {fewest}"))
        }
        Metric::V1Errors | Metric::V2Errors if requests == 0 => {
            Some(format!("{version} answered no request"))
        }
        _ => None,
    }
}

/// Evidence that more than the share `bound` of all requests are bad. No share is certain to be exceeded by one.
fn exceeds(bad: u64, all: u64, bound: f64) -> bool {
    if bound <= 0.0 { bad > 0 } else { log_evidence(bad, all.saturating_sub(bad), bound) >= -LEVEL.ln() }
}

/// The slot that the p99 of so many answers is in at most: that of the lowest rank which the true p99 exceeds with a
/// probability of [`LEVEL`] at most (the binomial interval of a quantile). `None` where even the highest rank is not.
///
/// The A/B test of quantiles that judges two versions is of no use here: of the answers of a baseline of seconds it would
/// take thousands before it could say anything, and a hypothesis that cannot fail is none.
fn highest_p99_slot(before: &Sample) -> Option<usize> {
    let (slots, all) = (&before.latency.slots, before.latency.count());
    let mut at_most = 0;
    slots.iter().position(|count| {
        at_most += count;
        *count > 0 && upper_tail(all, 0.99, at_most) <= LEVEL
    })
}

/// The fewest answers of which [`highest_p99_slot`] is known.
fn fewest_before() -> u64 {
    (LEVEL.ln() / 0.99f64.ln()).ceil() as u64
}

/// By how many buckets an answer is slower that is slower by the part `by`, rounded up: what a bucket hides is never held
/// against v1.
fn grown(by: f64) -> usize {
    let octaves = by.max(0.0).ln_1p() / std::f64::consts::LN_2;
    // Not rounded up for the last bits: what doubles moves by an octave and not by a bucket more.
    (octaves * f64::from(PER_OCTAVE) - 1e-9).ceil() as usize
}

fn ratio(share: crate::config::Share) -> f64 {
    f64::from(share.ppm()) * 1e-6
}

/// The p99 in seconds; `None` while it cannot be told.
pub fn p99(sample: &Sample) -> Option<f64> {
    sample.latency.quantile(0.99).filter(|_| sample.tells_p99())
}

/// The same as a duration for people.
pub fn shown(sample: &Sample) -> String {
    let time =
        |seconds: f64| humantime::format_duration(Duration::from_micros((seconds * 1e6) as u64)).to_string();
    p99(sample).map_or_else(|| "not known".to_owned(), time)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the definition, on exact powers: the chance that all of `n` answers are below a p99.
    #[test]
    fn a_baseline_is_long_enough_when_its_slowest_answer_bounds_the_p99() {
        let all_below = |n: u64| (0..n).fold(1.0, |chance, _| chance * 0.99);
        assert_eq!(fewest_before(), 528);
        assert!(all_below(528) <= LEVEL && all_below(527) > LEVEL);
        let of = |answers: u64| {
            let mut sample = Sample::default();
            (0..answers).for_each(|_| sample.latency.record(Duration::from_millis(3)));
            highest_p99_slot(&sample)
        };
        assert_eq!((of(527), of(528)), (None, Some(slot(3_000_000) as usize)));
    }

    /// Of 10,000 answers the p99 is at rank 9900 give or take 10; three of these and it is not exceeded.
    #[test]
    fn the_bound_is_a_few_ranks_above_the_p99() {
        let mut sample = Sample::default();
        for answer in 0..10_000u64 {
            // One bucket for the first 9900, then one for every ten.
            let octave = if answer < 9900 { 0 } else { 1 + (answer - 9900) / 10 };
            sample.latency.record(Duration::from_nanos(1 << (20 + octave)));
        }
        let slot = highest_p99_slot(&sample).unwrap();
        let octave = slot as u32 / PER_OCTAVE + 10 - 20;
        assert!((2..=3).contains(&octave), "{octave}");
    }

    #[test]
    fn growth_moves_whole_buckets_and_never_too_few() {
        assert_eq!([0.0, 0.0905, 0.0906, 0.1, 1.0, 3.0].map(grown), [0, 1, 2, 2, 8, 16]);
    }
}
