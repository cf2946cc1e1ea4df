//! One datagram that is not whole yet: its fragments by offset.

use std::collections::BTreeMap;

use crate::packet::ip::Fragment;
use crate::time::Nanos;

/// What a fragment costs besides its bytes: an allocation, and an entry of a map.
const PIECE_COST: usize = 64;

/// See the file's head. Its fragments do not overlap.
#[derive(Debug)]
pub(super) struct Datagram {
    /// Counted up from 1 over all datagrams.
    pub number: u64,
    /// When the first of it came.
    pub since: Nanos,
    pieces: BTreeMap<u32, Box<[u8]>>,
    /// Bytes in `pieces`.
    bytes: u32,
    /// Where it ends; the last fragment says it.
    end: Option<u32>,
    /// What the first fragment says.
    protocol: u8,
    /// Its fragments contradicted each other: it takes none any more.
    refused: bool,
}

/// What became of a fragment.
pub(super) enum Taken {
    /// It waits.
    Held,
    /// It was there.
    Copy,
    /// It contradicts the others, which are gone now, or did.
    Conflict,
    /// Nothing is missing any more, and this protocol is inside.
    Whole(u8),
}

impl Datagram {
    pub fn new(number: u64, since: Nanos) -> Datagram {
        let pieces = BTreeMap::new();
        Datagram { number, since, pieces, bytes: 0, end: None, protocol: 0, refused: false }
    }

    /// Takes a fragment; `data` is not empty.
    pub fn add(&mut self, fragment: Fragment, protocol: u8, data: &[u8]) -> Taken {
        let end = fragment.offset + data.len() as u32;
        if self.has(fragment, protocol, data, end) {
            return Taken::Copy;
        }
        if self.refused || self.overlaps(fragment.offset, end) || self.contradicts(fragment.more, end) {
            (self.pieces, self.bytes, self.refused) = (BTreeMap::new(), 0, true);
            return Taken::Conflict;
        }
        if fragment.offset == 0 {
            self.protocol = protocol;
        }
        if !fragment.more {
            self.end = Some(end);
        }
        self.bytes += data.len() as u32;
        self.pieces.insert(fragment.offset, data.into());
        // None overlaps another and none is behind the end: as many bytes as that are all of them.
        if self.end == Some(self.bytes) { Taken::Whole(self.protocol) } else { Taken::Held }
    }

    /// Puts all fragments into `joined`, one after the other.
    pub fn join(&self, joined: &mut Vec<u8>) {
        joined.clear();
        self.pieces.values().for_each(|piece| joined.extend_from_slice(piece));
    }

    /// How many fragments there are.
    pub fn pieces(&self) -> u64 {
        self.pieces.len() as u64
    }

    /// What it costs to hold them.
    pub fn cost(&self) -> usize {
        self.bytes as usize + self.pieces.len() * PIECE_COST
    }

    fn has(&self, fragment: Fragment, protocol: u8, data: &[u8], end: u32) -> bool {
        let was_last = self.end == Some(end);
        let same_protocol = fragment.offset != 0 || protocol == self.protocol;
        self.pieces.get(&fragment.offset).is_some_and(|piece| **piece == *data)
            && same_protocol
            && fragment.more != was_last
    }

    fn overlaps(&self, start: u32, end: u32) -> bool {
        let before = self.pieces.range(..end).next_back();
        before.is_some_and(|(at, piece)| at + piece.len() as u32 > start)
    }

    /// Whether this end and that of the datagram cannot both be true.
    fn contradicts(&self, more: bool, end: u32) -> bool {
        let furthest = self.pieces.last_key_value().map_or(0, |(at, piece)| at + piece.len() as u32);
        match self.end {
            Some(known) => !more || end >= known,
            None => !more && furthest > end,
        }
    }
}
