//! Room for what comes out of a decoder, which grows as it is filled and never beyond its limit.

use super::Problem;

/// Bytes of the first room: most answers fit.
const FIRST: usize = 16 << 10;

/// Bytes that were decoded, with room behind them.
pub(super) struct Room {
    /// What was decoded, then zeroes.
    bytes: Vec<u8>,
    filled: usize,
    limit: usize,
}

impl Room {
    pub(super) fn new(limit: usize) -> Room {
        Room { bytes: Vec::new(), filled: 0, limit }
    }

    /// Where the next bytes go; never empty. There is room for one byte over the limit, to tell a stream that ends
    /// there from one that goes on.
    pub(super) fn free(&mut self) -> &mut [u8] {
        if self.filled == self.bytes.len() {
            let len = self.bytes.len().saturating_mul(2).max(FIRST).min(self.limit.saturating_add(1));
            self.bytes.reserve_exact(len.saturating_sub(self.bytes.len()));
            self.bytes.resize(len, 0);
        }
        self.bytes.get_mut(self.filled..).unwrap_or_default()
    }

    /// `written` bytes were put into what is free.
    ///
    /// # Errors
    ///
    /// When that is over the limit.
    pub(super) fn filled(&mut self, written: usize) -> Result<(), Problem> {
        self.filled = self.filled.saturating_add(written).min(self.bytes.len());
        if self.filled > self.limit { Err(Problem::TooLong) } else { Ok(()) }
    }

    pub(super) fn len(&self) -> usize {
        self.filled
    }

    /// What was decoded from `start` on.
    pub(super) fn since(&self, start: usize) -> &[u8] {
        self.bytes.get(start..self.filled).unwrap_or_default()
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.truncate(self.filled);
        self.bytes
    }
}
