//! Whether a split of traffic is the one that was asked for.
//!
//! When it is, what happened in either part can be compared without pairs: of all errors, v2's share is then the share
//! of traffic that it gets, unless it errs more. [`super::evidence::log_evidence`] with v2's errors, v1's errors and
//! that share as `theta` says how sure it is that it does. When the split itself is broken no such comparison means
//! anything, so this is to be looked at first.

use super::special::ln_gamma;

/// How closely the prior keeps to the ratio that is tested: as if so many requests had been seen split right. The
/// default of ssrm, made for small mismatches in many requests.
const CONCENTRATION: f64 = 10_000.0;

/// Logarithm of the evidence that requests are not split by `ratio`: its alarm is at 1000, `ln` 6.9, the usual level of
/// 0.001 for a sample ratio mismatch.
///
/// The Bayes factor of a Dirichlet-multinomial against the multinomial of `ratio` (Lindon and Malek, arXiv 2011.03567;
/// optimizely/ssrm `ssrm_test/ssrm_test.py`). `counts` and `ratio` are by part; the ratio may be shares or weights. The
/// null hypothesis is that each request, whatever came before it, falls to a part with its share.
///
/// Infinite when a part has requests that should have none. 0 for a ratio that is none (of another length than the
/// counts, negative, not finite, or all zero). Never NaN.
pub fn split_log_evidence(counts: &[u64], ratio: &[f64]) -> f64 {
    let weight: f64 = ratio.iter().sum();
    let is_ratio = ratio.iter().all(|part| *part >= 0.0) && weight > 0.0 && weight.is_finite();
    if !is_ratio || ratio.len() != counts.len() {
        return 0.0;
    }
    let shares = || ratio.iter().map(|part| part / weight);
    if shares().zip(counts).any(|(share, count)| share == 0.0 && *count > 0) {
        return f64::INFINITY;
    }
    // Parts that neither have nor should have requests say nothing, and their logarithms would be of zero.
    let parts = || {
        shares().zip(counts).filter(|(share, _)| *share > 0.0).map(|(share, count)| (share, *count as f64))
    };
    let split = ln_mixed(parts().map(|(share, count)| (share * CONCENTRATION, count)));
    let asked_for: f64 = parts().map(|(share, count)| count * share.ln()).sum();
    split - asked_for
}

/// `ln` of the probability of one sequence with these counts when the shares are drawn from a Dirichlet distribution,
/// from pairs of its parameter and the count.
fn ln_mixed(parts: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut prior, mut all, mut sum) = (0.0, 0.0, 0.0);
    for (parameter, count) in parts {
        prior += parameter;
        all += count;
        sum += ln_gamma(parameter + count) - ln_gamma(parameter);
    }
    sum + ln_gamma(prior) - ln_gamma(prior + all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::statistics::evidence::log_evidence;
    use crate::judge::statistics::random::{Random, false_alarms};

    /// `ln` of how many sequences have these counts.
    fn ln_orders(row: &[u64]) -> f64 {
        let factorial = |count: u64| (1..=count).map(|factor| (factor as f64).ln()).sum::<f64>();
        factorial(row.iter().sum()) - row.iter().map(|count| factorial(*count)).sum::<f64>()
    }

    /// optimizely/ssrm `ssrm_test/test_ssrm_test.py`, `test_sequential_posteriors`: null 0.4, 0.4, 0.2; Dirichlet 1, 1,
    /// 1. Its marginals are of rows, which adds the orders within each row to both.
    #[test]
    fn the_published_marginals_come_out() {
        let rows = [[20, 17, 9], [18, 21, 8], [4, 6, 4], [18, 19, 11]];
        let log_m1 = [-7.028201432058012, -11.947847738358888, -15.471401950257842, -19.96484521090386];
        let log_m0 = [-4.0776406466061985, -8.265946861099877, -11.610743519545139, -15.781031228536165];
        let (mut counts, mut orders) = ([0; 3], 0.0);
        for (row, (m1, m0)) in rows.iter().zip(log_m1.into_iter().zip(log_m0)) {
            counts.iter_mut().zip(row).for_each(|(count, more)| *count += more);
            orders += ln_orders(row);
            let split = ln_mixed(counts.iter().map(|count| (1.0, *count as f64)));
            let asked_for: f64 =
                counts.iter().zip([0.4f64, 0.4, 0.2]).map(|(count, share)| *count as f64 * share.ln()).sum();
            assert!((split + orders - m1).abs() < 1e-10, "{split} {m1}");
            assert!((asked_for + orders - m0).abs() < 1e-10, "{asked_for} {m0}");
        }
    }

    /// Request by request: each is predicted from those before it.
    #[test]
    fn it_is_the_product_of_predictions() {
        let (ratio, mut random) = ([0.05, 0.15, 0.8], Random(3));
        let (mut counts, mut expected) = ([0u64; 3], 0.0);
        for seen in 0..400 {
            let part = [0.3, 0.6, 1.0].iter().position(|end| random.share() < *end).unwrap_or(2);
            let predicted = (1e4 * ratio[part] + counts[part] as f64) / (1e4 + f64::from(seen));
            expected += (predicted / ratio[part]).ln();
            counts[part] += 1;
        }
        assert!((split_log_evidence(&counts, &ratio) - expected).abs() < 1e-7);
        let as_weights = ratio.map(|share| share * 20.0);
        assert!((split_log_evidence(&counts, &as_weights) - expected).abs() < 1e-7);
    }

    #[test]
    fn a_broken_split_alarms_and_a_right_one_does_not() {
        let alarm = 1000f64.ln();
        assert!(split_log_evidence(&[50_000, 50_300], &[50.0, 50.0]) < 0.0);
        assert!(split_log_evidence(&[50_000, 51_500], &[50.0, 50.0]) > alarm);
        assert!(split_log_evidence(&[940, 60], &[0.0, 1.0]).is_infinite());
    }

    #[test]
    fn it_is_never_nan() {
        let odd = [0.0, -0.0, 1.0, 1e-300, 1e300, f64::MAX, -1.0, f64::INFINITY, f64::NAN];
        for one in odd {
            for other in odd {
                for counts in [[0, 0], [0, 5], [1_000_000_000, 7], [u64::MAX, u64::MAX]] {
                    assert!(!split_log_evidence(&counts, &[one, other]).is_nan(), "{one} {other} {counts:?}");
                }
            }
        }
        assert_eq!(split_log_evidence(&[5], &[0.5, 0.5]), 0.0);
        assert_eq!(split_log_evidence(&[], &[]), 0.0);
    }

    #[test]
    fn a_right_split_seldom_alarms_however_often_it_is_looked_at() {
        for share in [0.05, 0.5] {
            let alarms = false_alarms(300, 0.01, |mut random| {
                let (mut counts, mut highest) = ([0, 0], f64::MIN);
                for request in 0..6000 {
                    counts[usize::from(random.chance(share))] += 1;
                    if request % 20 == 0 {
                        highest = split_log_evidence(&counts, &[1.0 - share, share]).max(highest);
                    }
                }
                highest
            });
            assert!(alarms <= 3, "{share}: {alarms} of 300");
        }
    }

    #[test]
    fn errors_at_the_same_rate_seldom_alarm_whatever_the_split() {
        for share in [0.05, 0.5] {
            let alarms = false_alarms(300, 0.01, |mut random| {
                let (mut errors_v2, mut errors_v1, mut highest) = (0, 0, f64::MIN);
                for _ in 0..10_000 {
                    let is_v2 = random.chance(share);
                    if random.chance(0.03) {
                        if is_v2 {
                            errors_v2 += 1
                        } else {
                            errors_v1 += 1
                        }
                        highest = log_evidence(errors_v2, errors_v1, share).max(highest);
                    }
                }
                highest
            });
            assert!(alarms <= 3, "{share}: {alarms} of 300");
        }
    }
}
