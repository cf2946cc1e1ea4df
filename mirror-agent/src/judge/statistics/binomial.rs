//! How surprising a count is.

use super::special::beta_share;

/// The probability of `at_least` or more successes in `n` trials that each succeed with probability `p`:
/// `I_p(k, n-k+1)`.
///
/// Keeps its digits however small it is, down to the smallest float. 1 for a `p` that is NaN: nothing is surprising
/// then.
pub fn upper_tail(n: u64, p: f64, at_least: u64) -> f64 {
    if at_least == 0 || p.is_nan() || p >= 1.0 {
        return if at_least > n && !p.is_nan() { 0.0 } else { 1.0 };
    }
    if at_least > n || p <= 0.0 {
        return 0.0;
    }
    beta_share(at_least as f64, (n - at_least) as f64 + 1.0, p, 1.0 - p).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum of all terms, each from its logarithm.
    fn by_summation(n: u64, p: f64, at_least: u64) -> f64 {
        let mut term = n as f64 * (-p).ln_1p();
        let mut sum = 0.0;
        for successes in 0..=n {
            if successes >= at_least {
                sum += term.exp();
            }
            term += ((n - successes) as f64 / (successes + 1) as f64).ln() + p.ln() - (-p).ln_1p();
        }
        sum
    }

    #[test]
    fn it_is_the_sum_of_its_terms() {
        for n in [1, 2, 17, 60, 400] {
            for p in [1e-6, 0.001, 0.02, 0.5, 0.97] {
                for at_least in 0..=n {
                    let (found, sum) = (upper_tail(n, p, at_least), by_summation(n, p, at_least));
                    assert!((found - sum).abs() <= 1e-10 * sum + 1e-300, "{n} {p} {at_least}: {found} {sum}");
                }
            }
        }
    }

    #[test]
    fn the_ends_are_certain() {
        for p in [-1.0, 0.0, 0.3, 1.0, 2.0] {
            assert_eq!((upper_tail(5, p, 0), upper_tail(5, p, 6)), (1.0, 0.0), "{p}");
            assert_eq!(upper_tail(0, p, 0), 1.0);
        }
        assert_eq!(
            (upper_tail(5, 0.0, 1), upper_tail(5, 1.0, 5), upper_tail(5, f64::NAN, 3)),
            (0.0, 1.0, 1.0)
        );
    }

    #[test]
    fn many_trials_are_no_trouble() {
        // The median of a binomial distribution whose mean is whole is its mean: half, and half of the mean's own term.
        for n in [1_000_000u64, 1_000_000_000, u64::MAX >> 11] {
            let half = upper_tail(n, 0.5, n / 2);
            let own = 1.0 / (std::f64::consts::TAU * n as f64 / 4.0).sqrt();
            assert!((half - 0.5 - own / 2.0).abs() < 1e-7, "{n}: {half}");
        }
        // One of a million is no surprise at one in a million; forty are.
        let rare = upper_tail(1_000_000, 1e-6, 1);
        assert!((rare - (1.0 - (-1f64).exp())).abs() < 1e-6, "{rare}");
        assert!((1e-50..1e-47).contains(&upper_tail(1_000_000, 1e-6, 40)));
    }
}
