//! Evidence that one of two outcomes is more likely than it may be, from how often either came.

use super::special::ln_beta_below;

/// Logarithm of the evidence that votes fall on "worse" with a probability above `theta`.
///
/// The likelihood of the votes, averaged evenly over all probabilities in `theta` to 1, by their likelihood at `theta`:
///
/// ```text
/// ln E = ln B(w+1, b+1) + ln(1 - I_θ(w+1, b+1)) - ln(1-θ) - w ln θ - b ln(1-θ)
/// ```
///
/// The null hypothesis is that each vote, whatever came before it, falls on "worse" with a probability of `theta` at
/// most. Two identical versions have 1/2; the errors of a split of which v2 gets the share `r` of all traffic have `r`.
/// Votes that favour nobody are not counted. (The mixture of Robbins 1970, as the two-integer test of Lindon and Malek,
/// arXiv 2011.03567; the truncated prior is confseq's one-sided `BetaBinomialMixture` in `uniform_boundaries.h`.)
///
/// Never NaN, and never below `-ln(b+1)`, which stands for it where v2 is so much better that no float holds `1 - I`.
/// Otherwise exact to 1e-6 up to a billion votes. 0 for a `theta` that is no probability between 0 and 1.
pub fn log_evidence(worse: u64, better: u64, theta: f64) -> f64 {
    if !(theta > 0.0 && theta < 1.0) {
        return 0.0;
    }
    let (worse, better) = (worse as f64, better as f64);
    let rest = 1.0 - theta;
    ln_beta_below(better + 1.0, worse + 1.0, rest, theta) - (better + 1.0) * rest.ln() - worse * theta.ln()
}

/// The fewest votes that, all for "worse", are evidence at `level` (such as 0.01) against even odds.
/// `u64::MAX` when no number is enough, which takes a level that is not above 0.
pub fn votes_needed(level: f64) -> u64 {
    if level.is_nan() || level <= 0.0 {
        return u64::MAX;
    }
    // Unanimous evidence doubles with nearly every vote, so this ends before the 1100th even at the smallest float.
    (0..1100).find(|votes| log_evidence(*votes, 0, 0.5) >= -level.ln()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::statistics::random::false_alarms;

    /// Simpson's rule on the definition, which shares no special function with the product.
    fn by_integration(worse: i32, better: i32, theta: f64) -> f64 {
        let steps = 20_000;
        let width = (1.0 - theta) / f64::from(steps);
        let ratio = |t: f64| (t / theta).powi(worse) * ((1.0 - t) / (1.0 - theta)).powi(better);
        let sum: f64 = (0..=steps)
            .map(|step| {
                let weight = if step == 0 || step == steps { 1.0 } else { 2.0 + 2.0 * f64::from(step % 2) };
                weight * ratio(theta + f64::from(step) * width)
            })
            .sum();
        (sum * width / 3.0 / (1.0 - theta)).ln()
    }

    #[test]
    fn it_is_the_average_of_the_likelihood_ratio() {
        for theta in [0.05, 0.5, 0.9] {
            for worse in [0, 1, 7, 40] {
                for better in [0, 1, 9, 60] {
                    let expected = by_integration(worse, better, theta);
                    let found = log_evidence(worse as u64, better as u64, theta);
                    assert!((found - expected).abs() < 1e-7, "{worse} {better} {theta}: {found} {expected}");
                }
            }
        }
    }

    /// By an arbitrary-precision continued fraction, 50 digits.
    #[test]
    fn it_keeps_six_digits_behind_the_point_up_to_a_billion() {
        for (worse, better, theta, expected) in [
            (1_000_000, 1_000_000, 0.5, -7.028_537_891_62),
            (1_003_000, 1_000_000, 0.5, -4.106_671_154_74),
            (1_000_000, 1_003_000, 0.5, -8.163_207_258_79),
            (51_000, 949_000, 0.05, 3.008_829_425_81),
            (1_000_000_000, 1_000_000_000, 0.5, -10.482_415_156_5),
            (1_000_100_000, 1_000_000_000, 0.5, -7.302_174_478_66),
        ] {
            let found = log_evidence(worse, better, theta);
            assert!((found - expected).abs() < 1e-6, "{worse} {better} {theta}: {found} {expected}");
        }
    }

    #[test]
    fn its_mean_is_one_where_the_null_hypothesis_ends() {
        for (theta, votes) in [(0.5, 30u64), (0.05, 25), (0.8, 20)] {
            let mut ways = 1.0;
            let mut mean = 0.0;
            for worse in 0..=votes {
                let chance =
                    ways * f64::powi(theta, worse as i32) * f64::powi(1.0 - theta, (votes - worse) as i32);
                mean += chance * log_evidence(worse, votes - worse, theta).exp();
                ways *= (votes - worse) as f64 / (worse + 1) as f64;
            }
            assert!((mean - 1.0).abs() < 1e-10, "{mean}");
        }
    }

    /// (2^(n+1) - 1) / (n+1) for n unanimous votes: 127/7, 255/8; 511/9, 1023/10; 8191/13, 16383/14.
    #[test]
    fn few_unanimous_votes_are_enough() {
        assert_eq!([0.05, 0.01, 0.001].map(votes_needed), [7, 9, 13]);
        assert_eq!(votes_needed(1.0), 0);
        assert_eq!([0.0, -1.0, f64::NAN].map(votes_needed), [u64::MAX; 3]);
        assert!(votes_needed(5e-324) < 1100);
    }

    #[test]
    fn it_is_a_number_for_any_counts_and_grows_with_the_worse_ones() {
        let counts = [0, 1, 1000, 1_000_000, 1_000_000_000, u64::MAX];
        for theta in [f64::MIN_POSITIVE, 1e-6, 0.05, 0.5, 0.999, 1.0 - f64::EPSILON] {
            for worse in counts {
                for better in counts {
                    assert!(!log_evidence(worse, better, theta).is_nan(), "{worse} {better} {theta}");
                }
            }
        }
        for theta in [0.0, 1.0, -1.0, 2.0, f64::NAN, f64::INFINITY] {
            assert_eq!(log_evidence(5, 1, theta), 0.0);
        }
        for better in [0, 3, 5000, 1_000_000] {
            let row: Vec<f64> = (0..3000).step_by(7).map(|worse| log_evidence(worse, better, 0.5)).collect();
            assert!(row.windows(2).all(|pair| pair[0] <= pair[1] + 1e-9), "{better}");
        }
        // However clear it is that v2 is better, what is lost is bounded: 2000 votes for it, and no float holds
        // 2^-2001.
        assert!((log_evidence(0, 2000, 0.5) + 2001f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn a_fair_coin_seldom_looks_unfair_however_often_it_is_looked_at() {
        let alarms = false_alarms(300, 0.01, |mut random| {
            let (mut worse, mut better, mut highest) = (0, 0, f64::MIN);
            for _ in 0..600 {
                if random.chance(0.5) {
                    worse += 1
                } else {
                    better += 1
                }
                highest = log_evidence(worse, better, 0.5).max(highest);
            }
            highest
        });
        assert!(alarms <= 3, "{alarms} of 300");
    }
}
