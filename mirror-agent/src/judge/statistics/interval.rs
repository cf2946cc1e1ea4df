//! Bounds on a probability that hold at all times at once: what has not been excluded by evidence.
//!
//! Follows `bernoulli_confidence_interval` in confseq's `uniform_boundaries.h`.

use super::mixture::{Mixture, Side, Tuning};

/// The interval of a probability of success that, with probability `1 - level`, holds it at all times at once.
///
/// `sensitive_to` is the number of trials after which it is tightest. 0 to 1 without trials.
pub fn bernoulli_interval(successes: u64, trials: u64, level: f64, sensitive_to: f64) -> (f64, f64) {
    if trials == 0 || successes > trials {
        return (0.0, 1.0);
    }
    let tuning = Tuning { trials: sensitive_to, level: 0.05 };
    let (successes, trials) = (successes as f64, trials as f64);
    let is_excluded =
        |p: f64| Mixture::new(p, Side::Both, tuning).log_evidence(successes, trials) > -level.ln();
    let share = successes / trials;
    let low = if share > 0.0 { boundary(0.0, share, is_excluded) } else { 0.0 };
    let high = if share < 1.0 { boundary(1.0, share, is_excluded) } else { 1.0 };
    (low, high)
}

/// Where, between a probability that is excluded and one that is not, the one turns into the other.
fn boundary(mut excluded: f64, mut included: f64, is_excluded: impl Fn(f64) -> bool) -> f64 {
    // Each halving is one bit; confseq stops at 40.
    for _ in 0..50 {
        let middle = (excluded + included) / 2.0;
        if is_excluded(middle) {
            excluded = middle;
        } else {
            included = middle;
        }
    }
    (excluded + included) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// confseq `test/uniform_boundaries_unittest.cpp`, `BernoulliConfidenceIntervalTest`: successes, trials, t_opt,
    /// bounds, and one in the last digit that is printed.
    #[test]
    fn the_published_intervals_come_out() {
        for (successes, trials, tuned, low, high, digit) in [
            (700, 1000, 100.0, 0.651_629, 0.745_949, 1e-6),
            (15, 50, 50.0, 0.129_556, 0.511_896, 1e-6),
            (5, 50, 50.0, 0.013_021, 0.269_264, 1e-6),
            (1, 50, 50.0, 0.0, 0.134_89, 1e-5),
            (100, 200, 1.0, 0.328_923, 0.671_076, 1e-6),
            (1, 2, 50.0, 0.0, 1.0, 1e-6),
            (0, 1, 50.0, 0.0, 1.0, 1e-6),
            (1, 1, 50.0, 0.0, 1.0, 1e-6),
        ] {
            let found = bernoulli_interval(successes, trials, 0.05, tuned);
            let is_same = (found.0 - low).abs() < digit && (found.1 - high).abs() < digit;
            assert!(is_same, "{successes}/{trials}: {found:?}");
        }
        assert_eq!(bernoulli_interval(0, 0, 0.05, 100.0), (0.0, 1.0));
    }
}
