//! Frames made by hand, for tests. Written from the RFCs' pictures, not from the parser.

pub(crate) mod wrap;

use super::{Frame, Link};
use crate::time::Nanos;

/// The fields of a TCP segment that tests vary.
#[derive(Clone)]
pub(crate) struct Tcp {
    pub source: u16,
    pub destination: u16,
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
    pub options: Vec<u8>,
    pub payload: Vec<u8>,
}

impl Tcp {
    /// From port 40000 to port 80: seq 7, ack 9, the ACK flag, no options.
    pub fn with(payload: &[u8]) -> Tcp {
        Tcp {
            source: 40_000,
            destination: 80,
            seq: 7,
            ack: 9,
            flags: 0x10,
            options: Vec::new(),
            payload: payload.to_vec(),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let words = (20 + self.options.len()) / 4;
        let mut out = Vec::new();
        out.extend(self.source.to_be_bytes());
        out.extend(self.destination.to_be_bytes());
        out.extend(self.seq.to_be_bytes());
        out.extend(self.ack.to_be_bytes());
        out.extend([(words as u8) << 4, self.flags, 0xff, 0xff, 0, 0, 0, 0]);
        out.extend(&self.options);
        out.extend(&self.payload);
        out
    }
}

/// IPv4 from 10.0.0.1 to 10.0.0.2 around `body`.
pub(crate) fn ipv4(protocol: u8, options: &[u8], body: &[u8]) -> Vec<u8> {
    let header = 20 + options.len();
    let total = ((header + body.len()) as u16).to_be_bytes();
    let mut out = vec![0x40 | (header / 4) as u8, 0, total[0], total[1], 0, 1, 0x40, 0, 64, protocol, 0, 0];
    out.extend([10, 0, 0, 1, 10, 0, 0, 2]);
    out.extend(options);
    out.extend(body);
    out
}

/// IPv6 from fd00::1 to fd00::2 around `body`, which begins with the extension headers if there are any.
pub(crate) fn ipv6(next: u8, body: &[u8]) -> Vec<u8> {
    let len = (body.len() as u16).to_be_bytes();
    let mut out = vec![0x60, 0, 0, 0, len[0], len[1], next, 64];
    for last in [1, 2] {
        out.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    out.extend(body);
    out
}

/// Ethernet with the given chain of type fields; all but the last are tags.
pub(crate) fn ethernet(types: &[u16], body: &[u8]) -> Vec<u8> {
    let mut out = vec![0x02; 12];
    for (index, kind) in types.iter().enumerate() {
        out.extend(kind.to_be_bytes());
        if index + 1 < types.len() {
            out.extend([0x00, 0x2a]);
        }
    }
    out.extend(body);
    out
}

/// A frame captured whole at time zero.
pub(crate) fn frame(link: Link, data: &[u8]) -> Frame<'_> {
    Frame { at: Nanos(0), link, data, wire_len: data.len() as u32 }
}
