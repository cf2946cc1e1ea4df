//! A latency distribution in scale-3 buckets, and what can be said of it.

use std::time::Duration;

use mirror_common::histogram::{HIGHEST_OCTAVE, LOWEST_OCTAVE, PER_OCTAVE, SLOTS, slot};

/// Counts by bucket. The count is their sum; a quantile is a bucket's geometric mean and errs by 4.4 % at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// Counts by slot: one below the lowest bound, 216 between, one above the highest.
    pub slots: [u64; SLOTS],
    /// Sum of all values in nanoseconds.
    pub sum_ns: u64,
}

impl Default for Latency {
    fn default() -> Self {
        Latency { slots: [0; SLOTS], sum_ns: 0 }
    }
}

impl Latency {
    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.slots.iter().sum()
    }

    /// Adds a value.
    pub fn record(&mut self, value: Duration) {
        let nanos = u64::try_from(value.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.slots.get_mut(slot(nanos) as usize) {
            *count += 1;
        }
        self.sum_ns = self.sum_ns.wrapping_add(nanos);
    }

    /// Adds another distribution to this one. Exact, because all share their bounds.
    pub fn merge(&mut self, other: &Latency) {
        self.slots.iter_mut().zip(other.slots).for_each(|(to, from)| *to += from);
        self.sum_ns = self.sum_ns.wrapping_add(other.sum_ns);
    }

    /// The value in seconds below which the share `q` of all values lies; `None` without values.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        // The rank by the nearest-rank method: the smallest value with at least q of all values at or below it.
        let rank = ((q * count as f64).ceil() as u64).clamp(1, count);
        let mut below = 0;
        for (slot, in_slot) in self.slots.iter().enumerate() {
            below += in_slot;
            if below >= rank {
                return Some(middle(slot));
            }
        }
        None
    }

    /// Cumulative counts at every `1/per_octave` octave, with their upper bounds in seconds: exact, because those
    /// bounds are among the buckets'. The last bound is infinity.
    pub fn cumulative(&self, per_octave: u32) -> Vec<(f64, u64)> {
        let step = (PER_OCTAVE / per_octave.clamp(1, PER_OCTAVE)) as usize;
        let mut below = 0;
        let mut buckets = Vec::with_capacity(SLOTS / step + 2);
        for (slot, in_slot) in self.slots.iter().enumerate() {
            below += in_slot;
            if slot % step == 0 && slot < SLOTS - 1 {
                buckets.push((upper_bound(slot), below));
            }
        }
        buckets.push((f64::INFINITY, below));
        buckets
    }
}

/// The upper bound of a slot in seconds.
pub fn upper_bound(slot: usize) -> f64 {
    if slot >= SLOTS - 1 {
        return f64::INFINITY;
    }
    2f64.powf(f64::from(LOWEST_OCTAVE) + slot as f64 / f64::from(PER_OCTAVE)) * 1e-9
}

/// The geometric mean of a slot's bounds in seconds; the two open slots answer their one bound.
fn middle(slot: usize) -> f64 {
    match slot {
        0 => upper_bound(0),
        _ if slot >= SLOTS - 1 => 2f64.powf(f64::from(HIGHEST_OCTAVE)) * 1e-9,
        _ => (upper_bound(slot - 1) * upper_bound(slot)).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[u64]) -> Latency {
        let mut latency = Latency::default();
        values.iter().for_each(|value| latency.record(Duration::from_nanos(*value)));
        latency
    }

    #[test]
    fn no_values_have_no_quantile() {
        assert_eq!(of(&[]).quantile(0.5), None);
    }

    #[test]
    fn the_cumulative_buckets_end_at_the_count_and_never_fall() {
        let latency = of(&[1, 5_000, 5_000, 1_000_000_000, u64::MAX >> 1]);
        for per_octave in [1, 2, 4, 8] {
            let buckets = latency.cumulative(per_octave);
            assert_eq!(buckets.len() as u32, 27 * per_octave + 2);
            assert_eq!(buckets.last(), Some(&(f64::INFINITY, 5)));
            assert!(buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
        }
    }

    proptest::proptest! {
        /// Against the exact quantile of the sorted values.
        #[test]
        fn a_quantile_is_within_half_a_bucket(
            values in proptest::collection::vec(1_100u64..100_000_000_000, 1..200), q in 0.0f64..=1.0
        ) {
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let rank = ((q * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len());
            let exact = sorted[rank - 1] as f64 * 1e-9;
            let estimate = of(&values).quantile(q).unwrap();
            proptest::prop_assert!((estimate / exact - 1.0).abs() < 0.0443, "{estimate} for {exact}");
        }
    }
}
