//! The Beta function and its incomplete form, in logarithms and without NaN. The one door to the library that knows
//! them: TOMS 708, which keeps 14 digits of either tail where continued fractions of fixed length do not converge.

use cdflib::special::{beta_log, gamma_log, try_beta_inc};

/// `ln Γ(a)` for `a > 0`.
pub(super) fn ln_gamma(a: f64) -> f64 {
    gamma_log(a)
}

/// `ln B(a, b)` for `a, b > 0`.
pub(super) fn ln_beta(a: f64, b: f64) -> f64 {
    beta_log(a, b)
}

/// The regularised incomplete Beta function `I_x(a, b)` for `a, b > 0` and `x = 1 - y` in 0 to 1; `None` outside.
/// The caller says `y` too, because one of the two may be too small to be found from the other.
pub(super) fn beta_share(a: f64, b: f64, x: f64, y: f64) -> Option<f64> {
    try_beta_inc(a, b, x, y).ok().map(|(below, _)| below).filter(|below| (0.0..=1.0).contains(below))
}

/// `ln` of the integral of `t^(a-1) (1-t)^(b-1)` over `t` from 0 to `x = 1 - y`, for `a, b > 0` and `0 < x < 1`.
///
/// Finite where its share of the whole is too small for a float: then it is what the smallest value of `(1-t)^(b-1)`
/// for all `t` comes to, which only ever understates.
pub(super) fn ln_beta_below(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let at_least = a * x.ln() + (b - 1.0).max(0.0) * y.ln() - a.ln();
    match beta_share(a, b, x, y) {
        // A subnormal share has lost its digits.
        Some(share) if share.is_normal() => (ln_beta(a, b) + share.ln()).max(at_least),
        _ => at_least,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By an arbitrary-precision continued fraction, 40 digits.
    #[test]
    fn shares_agree_with_forty_digits_up_to_a_billion() {
        for (a, b, x, share) in [
            (3.25, 7.5, 0.5, 0.914_665_272_7),
            (5001.0, 5001.0, 0.5, 0.5),
            (50_000.0, 50_010.0, 0.5, 0.512_612_982_4),
            (997_000.0, 1_000_001.0, 0.5, 0.983_149_079_1),
            (1_010_000.0, 1_000_001.0, 0.5, 8.769_842_807e-13),
            (950_000.0, 50_000.0, 0.95, 0.499_450_858),
            (1_000_100_000.0, 1e9, 0.5, 0.012_675_489_98),
            (4.2, 396.7, 0.01, 0.526_484_874_2),
            (1.16, 0.0117, 0.01, 4.866_690_455e-5),
        ] {
            let found = beta_share(a, b, x, 1.0 - x).unwrap();
            let error = (found / share - 1.0f64).abs();
            // 5e-10 is half of the last digit that is written above.
            assert!(error < 2e-9, "I_{x}({a}, {b}) = {found}, not {share}");
        }
    }

    #[test]
    fn where_a_share_underflows_its_logarithm_stays_a_bound() {
        // The integral of t^2000 from 0 to 1/2 is 2^-2001 / 2001, whose logarithm has no trouble.
        let exact = -2001.0 * 2f64.ln() - 2001f64.ln();
        assert!((ln_beta_below(2001.0, 1.0, 0.5, 0.5) - exact).abs() < 1e-9);
        // Below half of all t the integrand rises so steeply that the bound is all but exact: a nat in two million.
        let far = ln_beta_below(1e6, 5e5, 0.1, 0.9);
        let peak = 1e6 * 0.1f64.ln() + 5e5 * 0.9f64.ln();
        assert!(far < peak && far > peak - 20.0, "{far} {peak}");
    }
}
