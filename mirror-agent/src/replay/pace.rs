//! So many bytes a second in one direction of one exchange, where a fault wants it so.

use std::time::Duration;

use tokio::time::Instant;

use super::faults::Met;
use crate::chaos::Kind;

/// Pieces a second. Shorter pieces would be no smoother for whoever waits for the last byte.
const PIECES: u64 = 20;

/// The pace of one direction; without a fault no byte ever waits.
pub struct Pace<'a> {
    /// The fault, its rate, and when the exchange began.
    slow: Option<(&'a Met, u64, Instant)>,
    passed: u64,
}

impl<'a> Pace<'a> {
    /// The pace of what has met this.
    pub fn of(met: Option<&'a Met>) -> Pace<'a> {
        let slow = met.and_then(|met| match met.kind {
            Kind::Bandwidth { bytes_per_second } => Some((met, bytes_per_second.max(1), Instant::now())),
            _ => None,
        });
        Pace { slow, passed: 0 }
    }

    /// How many of at most `all` bytes may pass at once. At least 1.
    pub fn piece(&self, all: usize) -> usize {
        let piece =
            |(_, rate, _): (&Met, u64, Instant)| usize::try_from(rate.div_ceil(PIECES)).unwrap_or(usize::MAX);
        self.slow.map_or(all, piece).min(all).max(1)
    }

    /// So many have passed.
    pub fn passed(&mut self, bytes: usize) {
        self.passed += bytes as u64;
    }

    /// Returns when what has passed is not too much, or the fault has ended.
    pub async fn until_due(&self) {
        let Some((met, rate, begun)) = self.slow else { return };
        let due = Duration::try_from_secs_f64(self.passed as f64 / rate as f64).unwrap_or(Duration::MAX);
        match begun.checked_add(due) {
            Some(due) => met.until(due).await,
            None => met.until_off().await,
        }
    }
}
