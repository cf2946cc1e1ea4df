//! Frames come in: from the shadow interface's packet ring.

pub mod balance;
pub mod ring;
pub mod worker;

use std::sync::atomic::{AtomicU64, Ordering};

/// What the intake has read and what was lost on the way to it. Counters only grow.
#[derive(Debug, Default)]
pub struct Counters {
    read: AtomicU64,
    ring_dropped: AtomicU64,
}

impl Counters {
    /// Counts frames that were read.
    pub fn add_read(&self, frames: u64) {
        self.read.fetch_add(frames, Ordering::Relaxed);
    }

    /// Counts frames that a full ring refused.
    pub fn add_ring_dropped(&self, frames: u64) {
        self.ring_dropped.fetch_add(frames, Ordering::Relaxed);
    }

    /// Frames read so far.
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Frames that full rings refused so far.
    pub fn ring_dropped(&self) -> u64 {
        self.ring_dropped.load(Ordering::Relaxed)
    }
}
