//! Chunks that came before their turn, by offset.

use std::collections::BTreeMap;

use crate::time::Nanos;

/// What a held chunk costs besides its bytes: its place in the tree and in the allocator, roughly. It makes a
/// sender of single bytes pay for what they take.
const OVERHEAD: u64 = 96;

/// Copies of payload, none overlapping another. A copy is exactly as long as its bytes, so what is counted is
/// what is allocated. Nearly always there are none, and then this is one word.
#[derive(Debug, Default)]
pub(super) struct Held(Option<Box<Chunks>>);

#[derive(Debug, Default)]
struct Chunks {
    by_offset: BTreeMap<i64, Chunk>,
    cost: u64,
}

/// Payload of one segment, or a part of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub data: &'a [u8],
    pub at: Nanos,
    /// What the segment acknowledges, as an offset in the other direction.
    pub ack: Option<i64>,
}

#[derive(Debug)]
struct Chunk {
    data: Box<[u8]>,
    ack: Option<i64>,
    /// When the hole before this chunk was first noticed.
    since: Nanos,
}

/// Bytes of memory that holding `data` takes.
pub(super) fn cost(data: &[u8]) -> u64 {
    data.len() as u64 + OVERHEAD
}

impl Held {
    /// Bytes of memory taken.
    pub fn cost(&self) -> u64 {
        self.0.as_ref().map_or(0, |chunks| chunks.cost)
    }

    /// How many chunks are held.
    pub fn count(&self) -> usize {
        self.0.as_ref().map_or(0, |chunks| chunks.by_offset.len())
    }

    /// Where the first chunk begins.
    pub fn first(&self) -> Option<i64> {
        self.front().map(|(offset, _)| *offset)
    }

    /// When the hole before the first chunk was noticed.
    pub fn first_since(&self) -> Option<Nanos> {
        self.front().map(|(_, chunk)| chunk.since)
    }

    /// The held bytes from `offset` on, if that byte is held.
    pub fn covering(&self, offset: i64) -> Option<&[u8]> {
        let (begin, chunk) = self.0.as_ref()?.by_offset.range(..=offset).next_back()?;
        let rest = chunk.data.get(usize::try_from(offset - begin).ok()?..)?;
        (!rest.is_empty()).then_some(rest)
    }

    /// How many bytes fit at `offset` before the next chunk begins.
    pub fn room(&self, offset: i64) -> i64 {
        self.from(offset).map_or(i64::MAX, |(begin, _)| begin - offset)
    }

    /// Copies a piece, which must fit. A chunk that splits a hole inherits the age of the hole.
    pub fn insert(&mut self, offset: i64, piece: Piece<'_>) {
        let since = self.from(offset).map_or(piece.at, |(_, chunk)| chunk.since);
        let chunks = self.0.get_or_insert_default();
        chunks.cost += cost(piece.data);
        chunks.by_offset.insert(offset, Chunk { data: piece.data.into(), ack: piece.ack, since });
    }

    /// Takes out the chunk that begins at `offset`, with what its segment acknowledged.
    pub fn take(&mut self, offset: i64) -> Option<(Box<[u8]>, Option<i64>)> {
        let chunks = self.0.as_mut()?;
        let entry = chunks.by_offset.first_entry().filter(|entry| *entry.key() == offset)?;
        let Chunk { data, ack, .. } = entry.remove();
        chunks.cost -= cost(&data);
        if chunks.by_offset.is_empty() {
            self.0 = None;
        }
        Some((data, ack))
    }

    fn front(&self) -> Option<(&i64, &Chunk)> {
        self.0.as_ref()?.by_offset.first_key_value()
    }

    fn from(&self, offset: i64) -> Option<(&i64, &Chunk)> {
        self.0.as_ref()?.by_offset.range(offset..).next()
    }
}
