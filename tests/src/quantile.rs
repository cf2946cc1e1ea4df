//! Exact quantiles of the few thousand latencies that a client saw.

/// The smallest of `values` that at least a share `q` of them does not exceed (nearest rank); `None` without values.
pub fn quantile(values: &mut [u32], q: f64) -> Option<u32> {
    values.sort_unstable();
    let rank = (q * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_rank() {
        let hundred = || (1..=100).rev().collect::<Vec<u32>>();
        for (q, expected) in
            [(0.0, 1), (0.01, 1), (0.5, 50), (0.501, 51), (0.99, 99), (0.991, 100), (1.0, 100)]
        {
            assert_eq!(quantile(&mut hundred(), q), Some(expected), "q = {q}");
        }
        assert_eq!(quantile(&mut [7], 0.99), Some(7));
        assert_eq!(quantile(&mut [], 0.5), None);
    }
}
