//! The piece of a capture that is in memory: one buffer, read into in large pieces and parsed in place.

use std::ops::Range;

use super::error::Fault;
use super::stored::{Packing, Stored};

/// The buffer's first size: large enough to make system calls rare, small enough to stay in the processor's cache.
const FIRST: usize = 512 << 10;

/// A window that moves over a capture.
pub(super) struct Window {
    stored: Stored,
    bytes: Vec<u8>,
    /// The bytes held are `start..end`.
    start: usize,
    end: usize,
    /// Where in the capture `start` is.
    offset: u64,
    ended: bool,
}

impl Window {
    pub(super) fn new(stored: Stored) -> Window {
        Window { stored, bytes: vec![0; FIRST], start: 0, end: 0, offset: 0, ended: false }
    }

    /// Holds at least `needed` bytes, or all that are left; returns how many. What was taken before is gone.
    pub(super) fn fill(&mut self, needed: usize) -> Result<usize, Fault> {
        while self.end - self.start < needed && !self.ended {
            self.refill()?;
        }
        Ok(self.end - self.start)
    }

    /// The buffer grows with the bytes that came, never with the length that a record claims.
    #[cold]
    fn refill(&mut self) -> Result<(), Fault> {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.bytes.len() {
            self.bytes.resize(self.end * 2, 0);
        }
        let read = self.stored.read(self.bytes.get_mut(self.end..).unwrap_or_default())?;
        self.end += read;
        self.ended = read == 0;
        Ok(())
    }

    /// The bytes that are held.
    pub(super) fn held(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Moves over `len` of the bytes held. `part` of them, counted from their begin, stays to be asked for by the answer
    /// until more is read.
    pub(super) fn take(&mut self, len: usize, part: Range<usize>) -> Range<usize> {
        let from = self.start;
        self.start = self.end.min(from + len);
        self.offset += (self.start - from) as u64;
        from + part.start..from + part.end
    }

    /// Bytes that were taken.
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// Bytes of the capture before those held.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes of the capture up to the last one held.
    pub(super) fn received(&self) -> u64 {
        self.offset + (self.end - self.start) as u64
    }

    /// Bytes taken from the file as it is stored.
    pub(super) fn position(&self) -> u64 {
        self.stored.position()
    }

    pub(super) fn packing(&self) -> Packing {
        self.stored.packing()
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

impl std::fmt::Debug for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut window = f.debug_struct("Window");
        window.field("packing", &self.packing()).field("offset", &self.offset).finish_non_exhaustive()
    }
}
