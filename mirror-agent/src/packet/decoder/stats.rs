//! What a decoder counted.

use super::{Skip, Tunnel};
use crate::packet::fragments::FragmentStats;

/// Counts of frames, and of what was met in them.
///
/// The frames balance: each is one segment or one skip. What was held and never came out is in `fragments`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Frames that gave a segment.
    pub segments: u64,
    /// Frames that gave none, by [`Skip::index`].
    pub skips: [u64; Skip::ALL.len()],
    /// Tunnels that were opened, by [`Tunnel::index`]. A frame may hold several.
    pub tunnels: [u64; Tunnel::ALL.len()],
    /// Checksums that were left to the network card; a frame may hold several.
    pub unfinished_checksums: u64,
    /// Segments whose TCP checksum was to be looked at and could not be: not captured whole, or sent by a detour.
    pub unverified_checksums: u64,
    /// What became of fragments that were held.
    pub fragments: FragmentStats,
}

impl Stats {
    /// Frames taken.
    pub fn frames(&self) -> u64 {
        self.segments + self.skips.iter().sum::<u64>()
    }

    /// Frames that gave no segment for this reason.
    pub fn skipped(&self, skip: Skip) -> u64 {
        self.skips.get(skip.index()).copied().unwrap_or_default()
    }

    /// Tunnels of this kind that were opened.
    pub fn opened(&self, tunnel: Tunnel) -> u64 {
        self.tunnels.get(tunnel.index()).copied().unwrap_or_default()
    }
}
