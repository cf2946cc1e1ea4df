//! Frames of any kind become segments: tunnels are opened, fragments put together, and every frame is counted once.

pub mod stats;

#[cfg(test)]
mod tests;
mod walk;

use super::fragments::{Fragments, Limits};
use super::segment::Segment;
use super::skip::Skip;
use super::{Frame, Tunnel, plain};

use walk::Walk;

pub use stats::Stats;

/// Tunnels in each other that are opened. More are somebody's loop, or an attempt to keep us busy.
pub const MAX_TUNNELS: usize = 4;

/// How frames are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether the checksums of IPv4 headers and TCP are looked at, innermost packet and all around it. What was not
    /// captured whole cannot be checked; what the network card was to finish is counted and taken as right. Captures
    /// of a machine whose card joins packets before the kernel sees them (LRO) may hold checksums that are wrong.
    pub verify_checksums: bool,
    /// How much may wait to become whole.
    pub fragments: Limits,
}

/// Reads frames as [`parse`](super::parse) does, and besides opens tunnels (at most [`MAX_TUNNELS`] in each other) and
/// puts fragments together. Plain frames cost neither an allocation nor a hash.
#[derive(Debug)]
pub struct Decoder {
    options: Options,
    fragments: Fragments,
    /// One for each datagram that a frame can complete: a tunnel's, the one in it, and so on. At most 64 KiB each.
    joined: [Vec<u8>; MAX_TUNNELS + 1],
    stats: Stats,
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new(options: Options) -> Decoder {
        let fragments = Fragments::new(options.fragments);
        Decoder { options, fragments, joined: Default::default(), stats: Stats::default() }
    }

    /// Finds the TCP segment in `frame`, or in the datagram that it completes. Its time is that of this frame, and its
    /// ends are those of the innermost packet.
    ///
    /// # Errors
    /// [`Skip`] names what the frame holds instead. Each call counts one segment or one skip.
    pub fn decode<'a>(&'a mut self, frame: &Frame<'a>) -> Result<Segment<'a>, Skip> {
        if !self.options.verify_checksums
            && let Some(segment) = plain(frame)
        {
            self.stats.segments += 1;
            return Ok(segment);
        }
        let walk = Walk {
            at: frame.at,
            verify: self.options.verify_checksums,
            fragments: &mut self.fragments,
            joined: &mut self.joined,
            stats: &mut self.stats,
        };
        let result = walk.frame(frame);
        match &result {
            Ok(_) => self.stats.segments += 1,
            Err(skip) => self.stats.skips[skip.index()] += 1,
        }
        result
    }

    /// What was counted so far.
    pub fn stats(&self) -> Stats {
        Stats { fragments: self.fragments.stats(), ..self.stats }
    }
}
