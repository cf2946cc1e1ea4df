//! Evidence about how likely a success is, most sensitive to what so many trials can just tell: the Beta-binomial
//! mixture of Howard, Ramdas, McAuliffe and Sekhon (Annals of Statistics 49, 2021).
//!
//! Follows confseq's `BetaBinomialMixture` in `uniform_boundaries.h`, said in trials:
//! for `k` successes of `n`, its `s` is `k - pn`, `v` is `p(1-p)n`, `g` is `p` and `h` is `1-p`.

use super::special::{ln_beta, ln_beta_below};

/// Which probabilities of success the evidence is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Any but `p`; the null hypothesis is `p` itself.
    Both,
    /// Those above `p`; the null hypothesis is `p` or less.
    Above,
    /// Those below `p`; the null hypothesis is `p` or more.
    Below,
}

/// What the evidence is most sensitive to. Its validity does not hang on this.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuning {
    /// The number of trials after which the effect that can just be told is the smallest.
    pub trials: f64,
    /// The level at which it can be told.
    pub level: f64,
}

/// Evidence against one probability of success.
#[derive(Clone, Copy, Debug)]
pub struct Mixture {
    side: Side,
    /// The probability of success, or of failure for [`Side::Below`], which is [`Side::Above`] for failures.
    p: f64,
    q: f64,
    /// Successes and failures that the prior counts as seen before.
    successes: f64,
    failures: f64,
    /// `ln` of the prior's mass on its side.
    prior: f64,
}

impl Mixture {
    /// Evidence against `p`, which lies between 0 and 1.
    pub fn new(p: f64, side: Side, tuning: Tuning) -> Self {
        let (p, q) = if side == Side::Below { (1.0 - p, p) } else { (p, 1.0 - p) };
        let spread = (best_spread(p * q, side, tuning) - p * q).max(1e-3 * p * q);
        let mut mixture = Mixture { side, p, q, successes: spread / q, failures: spread / p, prior: 0.0 };
        mixture.prior = mixture.mass(0.0, 0.0);
        mixture
    }

    /// Logarithm of the evidence of so many successes in so many trials. Never NaN for `0 <= successes <= trials`.
    ///
    /// One-sided evidence never falls with a success on its side. Two-sided evidence is lowest near `p`.
    pub fn log_evidence(&self, successes: f64, trials: f64) -> f64 {
        let successes = if self.side == Side::Below { trials - successes } else { successes };
        let failures = trials - successes;
        self.mass(successes, failures) - self.prior - successes * self.p.ln() - failures * self.q.ln()
    }

    /// `ln` of the integral of likelihood times prior (without its constant) over the probabilities on this side.
    fn mass(&self, successes: f64, failures: f64) -> f64 {
        let (successes, failures) = (self.successes + successes, self.failures + failures);
        match self.side {
            Side::Both => ln_beta(successes, failures),
            Side::Above | Side::Below => ln_beta_below(failures, successes, self.q, self.p),
        }
    }
}

/// The variance of the mixing distribution that makes the bound lowest at `tuning`; confseq's `best_rho`, where one
/// side may spend twice the level.
fn best_spread(variance: f64, side: Side, tuning: Tuning) -> f64 {
    let level = if side == Side::Both { tuning.level } else { 2.0 * tuning.level };
    let nats = -2.0 * level.ln();
    variance * tuning.trials / (nats + nats.ln_1p())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// confseq `test/uniform_boundaries_unittest.cpp`: s = 10, v = 100, v_opt = 100, g = 0.2, h = 0.8, alpha_opt =
    /// 0.05. With p = 0.2 those are 625 trials, 135 successes, and the most sensitivity after 625.
    #[test]
    fn the_published_mixtures_come_out() {
        let tuning = Tuning { trials: 625.0, level: 0.05 };
        for (side, expected) in [(Side::Both, -0.694_101_2), (Side::Above, -0.071_340_19)] {
            let found = Mixture::new(0.2, side, tuning).log_evidence(135.0, 625.0);
            assert!((found - expected).abs() < 5e-8, "{side:?}: {found}, not {expected}");
        }
    }

    #[test]
    fn its_mean_is_one_at_the_null_hypothesis() {
        let trials = 40;
        for p in [0.5f64, 0.9, 0.03] {
            for side in [Side::Both, Side::Above, Side::Below] {
                let mixture = Mixture::new(p, side, Tuning { trials: 100.0, level: 0.01 });
                let (mut ways, mut mean) = (1.0, 0.0);
                for successes in 0..=trials {
                    let chance = ways * p.powi(successes) * (1.0 - p).powi(trials - successes);
                    mean += chance * mixture.log_evidence(f64::from(successes), f64::from(trials)).exp();
                    ways *= f64::from(trials - successes) / f64::from(successes + 1);
                }
                assert!((mean - 1.0).abs() < 1e-9, "{p} {side:?}: {mean}");
            }
        }
    }

    #[test]
    fn one_sided_evidence_grows_on_its_side_even_where_floats_end() {
        for p in [0.5, 0.99] {
            let tuning = Tuning { trials: 400.0, level: 0.01 };
            let above = Mixture::new(p, Side::Above, tuning);
            let below = Mixture::new(p, Side::Below, tuning);
            let counts = (0..=1000).map(|step| f64::from(step) * 1000.0);
            let row: Vec<(f64, f64)> = counts
                .map(|count| (above.log_evidence(count, 1e6), below.log_evidence(count, 1e6)))
                .collect();
            assert!(row.iter().all(|pair| pair.0.is_finite() && pair.1.is_finite()));
            assert!(row.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 >= pair[1].1));
        }
    }
}
