//! Reads small numbers and pieces off the front of a fuzzer's bytes. What is not there reads as zero.

use mirror_agent::packet::{Frame, Link};
use mirror_agent::time::Nanos;

/// The bytes that are left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn u8(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.u8(), self.u8()])
    }

    pub fn u32(&mut self) -> u32 {
        u32::from(self.u16()) | u32::from(self.u16()) << 16
    }

    /// The next `len` bytes, or all.
    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A frame: link, tenths of a second since the one before, bytes cut off, length (two bytes), bytes.
    pub fn frame(&mut self, now: &mut u64) -> Frame<'a> {
        const LINKS: [u32; 6] = [1, 101, 113, 276, 0, 108];
        let linktype = LINKS[usize::from(self.u8()) % LINKS.len()];
        *now += u64::from(self.u8()) * 100_000_000;
        let cut = u32::from(self.u8());
        let len = self.u16();
        let data = self.take(usize::from(len));
        let link = Link::from_linktype(linktype).unwrap();
        Frame { at: Nanos(*now), link, data, wire_len: data.len() as u32 + cut }
    }
}

/// `data` in pieces that end at these places, which are taken modulo what is left.
pub(crate) fn pieces<'a>(mut data: &'a [u8], cuts: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for cut in cuts {
        let (piece, rest) = data.split_at(usize::from(*cut).min(data.len()));
        pieces.push(piece);
        data = rest;
    }
    pieces.push(data);
    pieces
}
