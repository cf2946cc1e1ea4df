//! The mirror on and off by turns, so that v1's latency with and without it is measured under the same conditions.

use std::time::Duration;

use anyhow::Result;

use crate::agent::Agent;
use crate::load::{Slice, now_s};
use crate::quantile::quantile;

/// About how long a block is in a run that has the time.
const BLOCK_S: f64 = 2.0;

/// The first block waits for this share of the run, at most for [`BLOCK_S`]: connections are made and caches warm.
const WARM_UP: f64 = 0.1;

/// What follows a switch belongs to neither side: requests from before it are still on their way.
const SETTLE_S: f64 = 0.2;

/// Off in the middle, so that neither side has the earlier half of a drift (a cache that warms, a clock that slows).
const TURNS: [bool; 4] = [true, false, false, true];

/// The blocks so far.
pub(super) struct Blocks {
    length_s: f64,
    start_s: f64,
    turns: usize,
    done: Vec<Block>,
    current: Option<Block>,
}

/// A stretch of time in which the mirror was on, or was off.
#[derive(Clone, Copy)]
struct Block {
    on: bool,
    from_s: f64,
    to_s: f64,
}

impl Blocks {
    pub(super) fn new(run: Duration) -> Blocks {
        let warm_up_s = BLOCK_S.min(run.as_secs_f64() * WARM_UP);
        let left_s = run.as_secs_f64() - warm_up_s;
        let whole_turns = (left_s / BLOCK_S / TURNS.len() as f64).round().max(1.0);
        let length_s = left_s / whole_turns / TURNS.len() as f64;
        Blocks { length_s, start_s: now_s() + warm_up_s, turns: 0, done: Vec::new(), current: None }
    }

    /// Ends the block and switches the mirror when it is time.
    pub(super) fn turn(&mut self, agent: &Agent) -> Result<()> {
        let due = self.current.map_or(self.start_s, |block| block.from_s + self.length_s);
        if now_s() < due {
            return Ok(());
        }
        let was_on = self.mirror_is_on();
        self.end();
        let on = TURNS[self.turns % TURNS.len()];
        self.turns += 1;
        if on != was_on {
            agent.command(&[if on { "resume" } else { "pause" }])?;
        }
        self.current = Some(Block { on, from_s: now_s(), to_s: f64::INFINITY });
        Ok(())
    }

    /// Ends the last block.
    pub(super) fn end(&mut self) {
        self.done.extend(self.current.take().map(|block| Block { to_s: now_s(), ..block }));
    }

    /// Whether the mirror is on; it is before the first turn.
    pub(super) fn mirror_is_on(&self) -> bool {
        self.current.or(self.done.last().copied()).is_none_or(|block| block.on)
    }

    /// How many blocks there were.
    pub(super) fn count(&self) -> usize {
        self.done.len()
    }

    /// v1's 99th percentile in seconds, as its users saw it, over all blocks with the mirror on, or off.
    pub(super) fn p99_s(&self, slices: &[Slice], on: bool) -> Option<f64> {
        let within = |slice: &&Slice| {
            self.done.iter().any(|block| {
                block.on == on && slice.from_s >= block.from_s + SETTLE_S && slice.to_s <= block.to_s
            })
        };
        let mut latencies: Vec<u32> =
            slices.iter().filter(within).flat_map(|s| s.latencies_us.clone()).collect();
        quantile(&mut latencies, 0.99).map(|us| f64::from(us) / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(from_s: f64, latency_us: u32) -> Slice {
        Slice { from_s, to_s: from_s + 0.25, latencies_us: vec![latency_us], ..Slice::default() }
    }

    #[test]
    fn a_slice_counts_only_inside_its_block() {
        let block = |on, from_s| Block { on, from_s, to_s: from_s + 1.0 };
        let done = vec![block(true, 10.0), block(false, 11.0)];
        let blocks = Blocks { length_s: 1.0, start_s: 0.0, turns: 2, done, current: None };
        // Before, settling, on, across the switch, off, after.
        let slices: Vec<Slice> = [(9.9, 900), (10.1, 901), (10.5, 1), (10.9, 902), (11.3, 2), (12.5, 903)]
            .map(|(from_s, latency)| slice(from_s, latency))
            .to_vec();
        assert_eq!(blocks.p99_s(&slices, true), Some(1e-6));
        assert_eq!(blocks.p99_s(&slices, false), Some(2e-6));
        assert_eq!(blocks.p99_s(&slices[..1], false), None);
    }
}
