//! What v1 did in one block.

use std::cmp::Ordering;

use super::super::Count;

/// Fewer requests have no p99 to speak of.
const FEWEST: u64 = 20;

/// v1's turns: since the start, or in one block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arm {
    /// All turns, and the bad ones.
    pub events: Count,
    /// How long the first byte took, by the kernel's buckets.
    pub ttfb: Vec<u64>,
}

impl Arm {
    /// What came after `earlier`.
    pub fn since(&self, earlier: &Arm) -> Arm {
        let before = earlier.ttfb.iter().copied().chain(std::iter::repeat(0));
        Arm {
            events: self.events.since(earlier.events),
            ttfb: self.ttfb.iter().zip(before).map(|(now, before)| now.saturating_sub(before)).collect(),
        }
    }

    /// Whether this did worse (`Greater`) than `other` by errors, median and p99; `None` where there is too little to say.
    ///
    /// Within a bucket both count as the same. Where the quantiles share one, the share of requests above it tells.
    pub fn against(&self, other: &Arm) -> [Option<Ordering>; 3] {
        let has = |arm: &Arm, fewest| arm.events.total >= fewest;
        let both = |fewest| has(self, fewest) && has(other, fewest);
        let errors = both(1).then(|| self.events.ratio().total_cmp(&other.events.ratio()));
        let quantile = |p: f64, fewest| both(fewest).then(|| compare_tails(&self.ttfb, &other.ttfb, p));
        [errors, quantile(0.5, 2), quantile(0.99, FEWEST)]
    }
}

/// Which of two distributions has more above the common `p`-quantile of both.
fn compare_tails(one: &[u64], other: &[u64], p: f64) -> Ordering {
    let both: Vec<u64> = one.iter().zip(other).map(|(one, other)| one + other).collect();
    let all: u64 = both.iter().sum();
    let mut below = 0;
    let bound = both.iter().position(|count| {
        below += count;
        below as f64 >= p * all as f64
    });
    let bound = bound.unwrap_or(both.len());
    let above = |counts: &[u64]| {
        let above: u64 = counts.iter().skip(bound + 1).sum();
        above as f64 / counts.iter().sum::<u64>().max(1) as f64
    };
    above(one).total_cmp(&above(other))
}
