//! Chance by seed.

use crate::traffic::Rng;

/// A source of chance.
#[derive(Clone, Debug)]
pub struct Chance {
    rng: Rng,
    /// Normal numbers are made in pairs.
    spare: Option<f64>,
}

impl Chance {
    /// The source of this seed.
    pub fn new(seed: u64) -> Chance {
        Chance { rng: Rng::new(seed), spare: None }
    }

    /// Whether something of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.unit() <= probability
    }

    /// Seconds until the next of `rate` a second that come whenever they like; infinite for none.
    pub fn wait(&mut self, rate: f64) -> f64 {
        if rate > 0.0 { -self.unit().ln() / rate } else { f64::INFINITY }
    }

    /// A factor around 1 whose logarithm is normal, with `spread` as its standard deviation.
    pub fn factor(&mut self, spread: f64) -> f64 {
        (self.normal() * spread).exp()
    }

    /// By Box and Muller.
    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * self.unit().ln()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * self.unit()).sin_cos();
        self.spare = Some(radius * sine);
        radius * cosine
    }

    /// Above 0, up to 1.
    fn unit(&mut self) -> f64 {
        ((self.rng.bits() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_spreads_are_as_asked_for() {
        let mut chance = Chance::new(7);
        let n = 100_000;
        let mut mean = |make: &mut dyn FnMut(&mut Chance) -> f64| {
            (0..n).map(|_| make(&mut chance)).sum::<f64>() / f64::from(n)
        };
        assert!((mean(&mut |chance| f64::from(u8::from(chance.happens(0.3)))) - 0.3).abs() < 0.01);
        assert!((mean(&mut |chance| chance.wait(50.0)) - 0.02).abs() < 0.001);
        assert!(mean(&mut |chance| chance.factor(0.8).ln()).abs() < 0.02);
        assert!((mean(&mut |chance| chance.factor(0.8).ln().powi(2)) - 0.64).abs() < 0.02);
        assert_eq!(chance.wait(0.0), f64::INFINITY);
    }
}
