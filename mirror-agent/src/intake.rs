//! Frames come in: from the shadow interface's packet ring, or from a capture file.

pub mod balance;
pub mod file;
pub mod ring;
pub mod worker;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use ring::RingFrame;

use crate::status::Blocks;

/// What the intake has read and what was lost on the way to it. Counters only grow.
#[derive(Debug, Default)]
pub struct Counters {
    read: AtomicU64,
    truncated: AtomicU64,
    oversize: AtomicU64,
    longest: AtomicU32,
    rings: AtomicU64,
    waiting: AtomicU64,
    highest: AtomicU64,
    ring_dropped: AtomicU64,
    joined_late: AtomicU64,
    refused: AtomicU64,
    given_up: AtomicU64,
}

/// Connections that were not followed from their beginning to their end. Counters only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// They were open before they were looked at.
    pub joined_late: u64,
    /// The table was full.
    pub refused: u64,
    /// All together held too much memory.
    pub given_up: u64,
}

impl Counters {
    /// Counts frames that were read.
    pub fn add_read(&self, frames: u64) {
        self.read.fetch_add(frames, Ordering::Relaxed);
    }

    /// Frames longer than this are counted as oversize; 0 is no limit.
    pub fn set_longest(&self, longest: u32) {
        self.longest.store(longest, Ordering::Relaxed);
    }

    /// Looks at the length of a frame, and at how much of it was read.
    pub fn note_length(&self, frame: &RingFrame<'_>) {
        if frame.data.len() < frame.wire_len as usize {
            self.truncated.fetch_add(1, Ordering::Relaxed);
        }
        let longest = self.longest.load(Ordering::Relaxed);
        if longest != 0 && frame.wire_len > longest {
            self.oversize.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// There is one more ring.
    pub fn add_ring(&self) {
        self.rings.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes how many blocks of one ring wait now, after `before` did.
    pub fn note_waiting(&self, before: u64, now: u64) {
        self.waiting.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
        self.highest.fetch_max(now, Ordering::Relaxed);
    }

    /// How full the rings are.
    pub fn blocks(&self) -> Blocks {
        let rings = self.rings.load(Ordering::Relaxed);
        Blocks {
            waiting: self.waiting.load(Ordering::Relaxed),
            highest: self.highest.load(Ordering::Relaxed),
            of_one: ring::BLOCKS as u64,
            all: rings * ring::BLOCKS as u64,
        }
    }

    /// Frames so far of which the end was not read.
    pub fn truncated(&self) -> u64 {
        self.truncated.load(Ordering::Relaxed)
    }

    /// Frames so far that were longer than the limit.
    pub fn oversize(&self) -> u64 {
        self.oversize.load(Ordering::Relaxed)
    }

    /// Counts frames that a full ring refused.
    pub fn add_ring_dropped(&self, frames: u64) {
        self.ring_dropped.fetch_add(frames, Ordering::Relaxed);
    }

    /// Takes what one worker has counted in all, after it had counted `before`.
    pub fn add_connections(&self, before: Connections, now: Connections) {
        self.joined_late.fetch_add(now.joined_late - before.joined_late, Ordering::Relaxed);
        self.refused.fetch_add(now.refused - before.refused, Ordering::Relaxed);
        self.given_up.fetch_add(now.given_up - before.given_up, Ordering::Relaxed);
    }

    /// Connections so far, over all workers.
    pub fn connections(&self) -> Connections {
        Connections {
            joined_late: self.joined_late.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            given_up: self.given_up.load(Ordering::Relaxed),
        }
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
