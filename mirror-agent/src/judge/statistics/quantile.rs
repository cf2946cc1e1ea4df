//! Evidence that a quantile of v2's latency is higher than v1's, from two unpaired distributions in the same buckets.
//!
//! The A/B test of Howard and Ramdas, "Sequential estimation of quantiles with applications to A/B testing and best-arm
//! identification" (Bernoulli 28, 2022), confseq's `QuantileABTest` in `uniform_boundaries.h`, with one-sided mixtures.

use super::mixture::{Mixture, Side, Tuning};

#[cfg(test)]
mod tests;

/// Logarithm of the evidence that v2's `p`-quantile is higher than v1's, from counts by bucket (not cumulative).
///
/// The null hypothesis is that it is not: `q2 <= q1`, by whatever amount. Then some `x`, such as `q1`, has at most `p`
/// of v1 below it, and at least `p` of v2 at or below it. Evidence against the first grows with v1's count below `x`,
/// against the second as v2's count falls short, and the product of both is an e-value, if only that `x` were known. So
/// the lowest product over all `x` is one too, and is what this answers. It says that v2 is slower, never that it is
/// faster: for that, swap the two.
///
/// Of a bucket with `x` in it only the counts at its bounds are known. v1's evidence never falls with its count, nor
/// v2's with the want of it; so v1's count below the bucket and v2's with it bound the product from below. The price: a
/// shift inside one bucket is never evidence, and at eight buckets an octave one of less than two, 19 %, hardly is.
/// Values count as independent within and between the versions.
///
/// Never NaN; overstated by no more than 1e-5 up to a billion values. 0 for a `p` that is not between 0 and 1, each by
/// a billionth, and for no buckets; a version that lacks buckets has no counts there.
pub fn quantile_log_evidence(v1: &[u64], v2: &[u64], p: f64) -> f64 {
    if !(1e-9..=1.0 - 1e-9).contains(&p) {
        return 0.0;
    }
    let above = Mixture::new(p, Side::Above, tuning(p));
    let below = Mixture::new(p, Side::Below, tuning(p));
    let (all_v1, all_v2) = (total(v1), total(v2));
    lowest_by_bucket(
        v1,
        v2,
        |below_bucket, _| above.log_evidence(below_bucket, all_v1),
        |_, with_bucket| below.log_evidence(with_bucket, all_v2),
    )
}

/// The fewest values with which a `p`-quantile is told, `4p/(1-p)` rounded up: 4 for the median, 36 for p90, 396 for
/// p99, 3996 for p99.9.
///
/// With fewer, the interval of two standard deviations about the quantile's rank reaches past the largest value
/// (GrowthBook's rule, with 1.96 for 2). `u64::MAX` for a `p` that is not between 0 and 1.
pub fn fewest_samples(p: f64) -> u64 {
    if !(p > 0.0 && p < 1.0) {
        return u64::MAX;
    }
    // Not rounded up for the last bits that 1 - p lost: 0.9 asks for 36 and not 37.
    (4.0 * p / (1.0 - p) * (1.0 - 1e-12)).ceil() as u64
}

/// Most sensitive after ten times what a verdict takes at least, and no sooner than after a thousand values: found by
/// simulation on lognormal latencies, where a median asks for more than its few, and p99 for no more.
fn tuning(p: f64) -> Tuning {
    Tuning { trials: (10.0 * fewest_samples(p) as f64).max(1000.0), level: 0.01 }
}

/// The lowest sum, over all buckets, of what each version's evidence makes of its counts below the bucket and with it.
fn lowest_by_bucket(
    v1: &[u64],
    v2: &[u64],
    of_v1: impl Fn(f64, f64) -> f64,
    of_v2: impl Fn(f64, f64) -> f64,
) -> f64 {
    let mut lowest = f64::INFINITY;
    let (mut below_v1, mut below_v2) = (0.0, 0.0);
    for bucket in 0..v1.len().max(v2.len()) {
        let with_v1 = below_v1 + count(v1, bucket);
        let with_v2 = below_v2 + count(v2, bucket);
        // Most buckets are empty, and never the lowest: in the next one that is not, v1's count below is the same and
        // v2's with it no lower; behind the last one, v1's is higher.
        if with_v1 > below_v1 || with_v2 > below_v2 {
            lowest = lowest.min(of_v1(below_v1, with_v1) + of_v2(below_v2, with_v2));
        }
        (below_v1, below_v2) = (with_v1, with_v2);
    }
    if lowest.is_finite() { lowest } else { 0.0 }
}

fn count(counts: &[u64], bucket: usize) -> f64 {
    counts.get(bucket).map_or(0.0, |count| *count as f64)
}

/// As a float from the start: no sum of counts overflows.
fn total(counts: &[u64]) -> f64 {
    counts.iter().map(|count| *count as f64).sum()
}
