//! Evidence that the harm of a version is below a margin: what a pass takes, as the lack of evidence for harm is none.
//!
//! A bet against harm (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86,
//! 2024): the stake is multiplied by `1 + λ(m - x)` for each block. If the mean of `x`, given all before it, is `m` or
//! more, no bet gains on average, and a stake of 1 ever reaches 100 in one of a hundred runs at most.

/// The bets as shares of the largest that cannot lose more than the stake. A mean of 0 wants the largest, blocks of few
/// requests or with much noise a small one, and one block in which all went wrong ends the largest for good.
const BETS: [f64; 8] = [1.0, 0.9, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625];
/// How the stake is spread over them. The first two get more: with no harm at all they decide, and then each factor of
/// e in their stake is a hundred blocks at a margin of 1 %.
const STAKES: [f64; 8] = [0.3, 0.3, 0.4 / 6.0, 0.4 / 6.0, 0.4 / 6.0, 0.4 / 6.0, 0.4 / 6.0, 0.4 / 6.0];
/// The largest margin. With 1 there would be no largest bet, nor a harm that it excludes.
const WIDEST: f64 = 0.99;

/// Evidence that a mean harm is below a margin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    margin: f64,
    /// `ln` of what each bet's stake has become.
    logs: [f64; BETS.len()],
}

impl Bound {
    /// Starts with no evidence. The margin is a share of requests, 0 to 0.99 (others count as the nearer of the two,
    /// NaN as 0): 0.01 asks whether fewer than 1 % of the requests of a block, all blocks counting alike, are made
    /// worse.
    pub fn new(margin: f64) -> Self {
        let margin = if margin.is_nan() { 0.0 } else { margin.clamp(0.0, WIDEST) };
        Bound { margin, logs: STAKES.map(f64::ln) }
    }

    /// Adds a block: by how large a share of its requests harm exceeds good, `(b - c) / n`, -1 to 1 (others count as
    /// the nearer of the two). A block without requests has no share, and NaN changes nothing.
    pub fn add(&mut self, harm: f64) {
        if harm.is_nan() {
            return;
        }
        let harm = harm.clamp(-1.0, 1.0);
        let largest = 1.0 / (1.0 - self.margin);
        for (log, share) in self.logs.iter_mut().zip(BETS) {
            // Rounding must not take the largest bet below nothing.
            *log += (share * largest * (self.margin - harm)).max(-1.0).ln_1p();
        }
    }

    /// Logarithm of the evidence so far: 0 at the start, never NaN. The null hypothesis is that no block's mean harm,
    /// given all before it, is below the margin. Its maximum over time is evidence too, but of what was then: the last
    /// value also falls when harm begins late.
    pub fn log_evidence(&self) -> f64 {
        let highest = self.logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = self.logs.iter().map(|log| (log - highest).exp()).sum();
        highest + sum.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::statistics::random::false_alarms;

    fn after(margin: f64, blocks: &[f64]) -> f64 {
        let mut bound = Bound::new(margin);
        blocks.iter().for_each(|harm| bound.add(*harm));
        bound.log_evidence()
    }

    /// Blocks without harm until the evidence reaches 100.
    fn blocks_needed(margin: f64) -> usize {
        let mut bound = Bound::new(margin);
        (1..10_000)
            .find(|_| {
                bound.add(0.0);
                bound.log_evidence() >= 100f64.ln()
            })
            .unwrap()
    }

    /// ln(100)/m is the least that any bet could take: 460, 230, 92.
    #[test]
    fn blocks_without_harm_pass_at_known_counts() {
        assert_eq!([0.01, 0.02, 0.05].map(blocks_needed), [531, 264, 104]);
    }

    /// Every path of ten blocks that take one of two values with mean `margin`: the stake's mean never exceeds 1.
    #[test]
    fn no_bet_gains_where_harm_is_at_the_margin() {
        for margin in [0.01, 0.05, 0.5] {
            for (low, high) in [(0.0, 1.0), (-1.0, 1.0), (-0.5, 0.6), (margin - 0.2, margin + 0.3)] {
                let chance_of_high = (margin - low) / (high - low);
                for extra in [0.0, 0.05] {
                    let chance = f64::min(chance_of_high + extra, 1.0);
                    let mut mean = 0.0;
                    for path in 0u32..1 << 10 {
                        let blocks: Vec<f64> =
                            (0..10).map(|block| if path >> block & 1 == 1 { high } else { low }).collect();
                        let highs = path.count_ones() as i32;
                        mean += chance.powi(highs)
                            * (1.0 - chance).powi(10 - highs)
                            * after(margin, &blocks).exp();
                    }
                    let is_right = if extra == 0.0 { (mean - 1.0).abs() < 1e-9 } else { mean < 1.0 };
                    assert!(is_right, "{margin} {low} {high} {extra}: {mean}");
                }
            }
        }
    }

    #[test]
    fn one_lost_block_is_made_up_for() {
        let mut blocks = vec![0.0; 2000];
        blocks[300] = 1.0;
        assert!(after(0.01, &blocks) > 100f64.ln());
        // One lost block in fifty is twice the margin.
        let often: Vec<f64> = (0..5000).map(|block| f64::from(u8::from(block % 50 == 0))).collect();
        assert!(after(0.01, &often) < 0.0);
    }

    #[test]
    fn it_is_a_number_whatever_is_added() {
        let odd =
            [0.0, 1.0, -1.0, 1e300, -1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MIN_POSITIVE];
        for margin in odd {
            for harm in odd {
                let evidence = after(margin, &vec![harm; 20_000]);
                assert!(evidence.is_finite(), "{margin} {harm}: {evidence}");
            }
        }
        for thousandths in 0..1000 {
            let evidence = after(f64::from(thousandths) / 1000.0, &[1.0, 1.0]);
            assert!(evidence.is_finite(), "{thousandths}");
        }
        assert!(after(0.01, &[]).abs() < 1e-12);
        assert_eq!(after(0.01, &[f64::NAN, 0.3]), after(0.01, &[0.3]));
    }

    #[test]
    fn harm_at_the_margin_seldom_passes_however_often_it_is_looked_at() {
        for (margin, requests) in [(0.01, 20), (0.05, 50)] {
            let alarms = false_alarms(300, 0.01, |mut random| {
                let (mut bound, mut highest) = (Bound::new(margin), f64::MIN);
                for _ in 0..500 {
                    // v2 alone is worse in 3 % + margin of requests, v1 alone in 3 %.
                    let net: i32 = (0..requests)
                        .map(|_| match random.share() {
                            share if share < 0.03 => -1,
                            share if share < 0.06 + margin => 1,
                            _ => 0,
                        })
                        .sum();
                    bound.add(f64::from(net) / f64::from(requests));
                    highest = bound.log_evidence().max(highest);
                }
                highest
            });
            assert!(alarms <= 3, "{margin}: {alarms} of 300");
        }
    }
}
