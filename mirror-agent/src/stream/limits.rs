//! How much a table of streams may hold, and for how long.

use std::time::Duration;

/// Caps on memory, counts and packet time. What happens at each cap is said here and counted in
/// [`Stats`](super::Stats).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes allocated for payload behind holes, per direction. Over it, the oldest hole is given up.
    pub held_per_direction: u64,
    /// Chunks behind holes, per direction. Over it, the oldest hole is given up.
    pub chunks_per_direction: usize,
    /// Bytes allocated for payload behind holes, over all connections. What would exceed it is not kept, and
    /// becomes part of a gap.
    pub held_overall: u64,
    /// Connections followed at once. At it, new ones are not followed; a live one is never let go for them.
    pub connections: usize,
    /// How long a hole may wait for its bytes before it is given up.
    pub hole: Duration,
    /// How long bytes are waited for that the other end has acknowledged. Nobody will send them again; but a capture
    /// may hold the two directions, or one that came by two queues, in a slightly different order.
    pub patience: Duration,
    /// How long a connection may be silent before it is closed.
    pub idle: Duration,
    /// How long after FIN or RST stragglers of a connection are kept from opening it again.
    pub linger: Duration,
    /// How many closed connections are remembered for that. Over it, the oldest is forgotten.
    pub remembered: usize,
}

impl Default for Limits {
    /// 1 MiB and 1,024 chunks per direction, 64 MiB in all, 65,536 connections, holes 2 s or 100 ms, idle
    /// 300 s, linger 1 s for 16,384 connections.
    fn default() -> Limits {
        Limits {
            held_per_direction: 1 << 20,
            chunks_per_direction: 1024,
            held_overall: 64 << 20,
            connections: 65_536,
            hole: Duration::from_secs(2),
            patience: Duration::from_millis(100),
            idle: Duration::from_secs(300),
            linger: Duration::from_secs(1),
            remembered: 16_384,
        }
    }
}
