//! Captures by hand.

use super::{Kept, kept};

/// Bytes in one order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Build {
    pub(super) big: bool,
}

pub(super) const LITTLE: Build = Build { big: false };
pub(super) const BIG: Build = Build { big: true };

/// A file in pieces: a header, a block or a record; with what must be read of it.
pub(super) type Pieces = Vec<(Vec<u8>, Option<Kept>)>;

pub(super) fn bytes(pieces: &Pieces) -> Vec<u8> {
    pieces.iter().flat_map(|(bytes, _)| bytes.clone()).collect()
}

pub(super) fn records(pieces: &Pieces) -> Vec<Kept> {
    pieces.iter().filter_map(|(_, record)| record.clone()).collect()
}

impl Build {
    pub(super) fn u16(self, value: u16) -> Vec<u8> {
        if self.big { value.to_be_bytes().to_vec() } else { value.to_le_bytes().to_vec() }
    }

    pub(super) fn u32(self, value: u32) -> Vec<u8> {
        if self.big { value.to_be_bytes().to_vec() } else { value.to_le_bytes().to_vec() }
    }

    pub(super) fn i64(self, value: i64) -> Vec<u8> {
        if self.big { value.to_be_bytes().to_vec() } else { value.to_le_bytes().to_vec() }
    }

    pub(super) fn pcap_header(self, magic: u32, snaplen: u32, linktype: u32) -> Vec<u8> {
        let versions = [self.u16(2), self.u16(4)].concat();
        [self.u32(magic), versions, self.u32(0), self.u32(0), self.u32(snaplen), self.u32(linktype)].concat()
    }

    pub(super) fn record(self, seconds: u32, fraction: u32, data: &[u8], wire_len: u32) -> Vec<u8> {
        let captured = self.u32(data.len() as u32);
        [&self.u32(seconds)[..], &self.u32(fraction), &captured, &self.u32(wire_len), data].concat()
    }

    pub(super) fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
        let len = self.u32((12 + body.len() + padding.len()) as u32);
        [&self.u32(kind)[..], &len, body, &padding, &len].concat()
    }

    pub(super) fn section(self) -> Vec<u8> {
        let body = [self.u32(0x1a2b_3c4d), self.u16(1), self.u16(0), self.i64(-1)].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    pub(super) fn options(self, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut all = Vec::new();
        for (code, value) in options {
            all.extend([self.u16(*code), self.u16(value.len() as u16), value.to_vec()].concat());
            all.resize(all.len().next_multiple_of(4), 0);
        }
        if !options.is_empty() {
            all.extend([0; 4]);
        }
        all
    }

    pub(super) fn interface(self, linktype: u16, snaplen: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
        let reserved = self.u16(0xabcd); // a reader must not care
        let body = [self.u16(linktype), reserved, self.u32(snaplen), self.options(options)].concat();
        self.block(1, &body)
    }

    pub(super) fn enhanced(self, id: u32, ticks: u64, data: &[u8], wire_len: u32) -> Vec<u8> {
        let time = [self.u32((ticks >> 32) as u32), self.u32(ticks as u32)].concat();
        let lengths = [self.u32(data.len() as u32), self.u32(wire_len)].concat();
        let mut body = [self.u32(id), time, lengths, data.to_vec()].concat();
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(self.options(&[(1, b"a comment"), (2, &[0, 0, 0, 1])]));
        self.block(6, &body)
    }

    pub(super) fn obsolete(self, id: u16, ticks: u64, data: &[u8]) -> Vec<u8> {
        let time = [self.u32((ticks >> 32) as u32), self.u32(ticks as u32)].concat();
        let lengths = [self.u32(data.len() as u32), self.u32(data.len() as u32)].concat();
        self.block(2, &[self.u16(id), self.u16(0xffff), time, lengths, data.to_vec()].concat())
    }

    pub(super) fn simple(self, data: &[u8], wire_len: u32) -> Vec<u8> {
        self.block(3, &[self.u32(wire_len), data.to_vec()].concat())
    }

    /// A pcap file with records of different lengths, none among them.
    pub(super) fn pcap(self, nanos: bool) -> Pieces {
        let (magic, unit) = if nanos { (0xa1b2_3c4d, 1) } else { (0xa1b2_c3d4, 1000) };
        let mut pieces = vec![(self.pcap_header(magic, 65535, 113), None)];
        for (index, len) in [60, 0, 1, 7, 300].into_iter().enumerate() {
            let (seconds, fraction) = (1_700_000_000 + index as u32, 999_999 - index as u32);
            let data = vec![index as u8; len];
            let at = u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * unit;
            let piece = self.record(seconds, fraction, &data, len as u32);
            pieces.push((piece, Some(kept(at, 113, 0, &data))));
        }
        pieces
    }
}

/// A pcapng file of two sections in different byte orders, with every kind of block.
pub(super) fn pcapng() -> Pieces {
    let mut pieces = vec![(LITTLE.section(), None), (LITTLE.interface(1, 0, &[]), None)];
    pieces.push((LITTLE.enhanced(0, 5_000_001, b"first", 5), Some(kept(5_000_001_000, 1, 0, b"first"))));
    let offset = LITTLE.i64(1000);
    let options: [(u16, &[u8]); 3] = [(2, b"eth\xff"), (9, &[9]), (14, &offset)];
    pieces.push((LITTLE.interface(101, 96, &options), None));
    pieces.push((LITTLE.block(4, b"names"), None));
    pieces.push((LITTLE.enhanced(1, 7, b"second!!", 8), Some(kept(1_000_000_000_007, 101, 1, b"second!!"))));
    pieces.push((LITTLE.simple(b"no time", 7), Some(kept(1_000_000_000_007, 1, 0, b"no time"))));
    pieces.push((LITTLE.block(0x0bad, &[0; 40]), None));
    pieces.push((BIG.section(), None));
    pieces.push((BIG.interface(276, 4, &[(9, &[0x8a])]), None));
    pieces.push((BIG.obsolete(0, 1536, b"third"), Some(kept(1_500_000_000, 276, 2, b"third"))));
    let cut = Kept { wire_len: 9, ..kept(1_500_000_000, 276, 2, b"four") };
    pieces.push((BIG.simple(b"four", 9), Some(cut)));
    pieces.push((BIG.block(10, b"secrets"), None));
    pieces.push((BIG.block(0x8000_0001, &[]), None));
    pieces.push((BIG.block(5, &[0; 12]), None));
    pieces
}
