//! The content of a body while it comes in: hashed whole, kept up to a cap.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::message::Body;

/// SHA-256 of nothing, which is what most requests carry.
const EMPTY: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// A body's content so far.
#[derive(Debug)]
pub(super) struct Content {
    kept: Vec<u8>,
    cap: usize,
    len: u64,
    hash: Option<Sha256>,
    holed: bool,
}

impl Content {
    /// Keeps at most `cap` bytes.
    pub(super) fn new(cap: usize) -> Content {
        Content { kept: Vec::new(), cap, len: 0, hash: None, holed: false }
    }

    pub(super) fn push(&mut self, data: &[u8]) {
        self.len += data.len() as u64;
        if self.holed {
            return;
        }
        let room = self.cap - self.kept.len();
        if room > 0 {
            self.kept.extend_from_slice(data.get(..room).unwrap_or(data));
        }
        self.hash.get_or_insert_default().update(data);
    }

    /// Keeps no bytes any more, and goes on to hash them.
    pub(super) fn forget(&mut self) {
        self.kept = Vec::new();
        self.cap = 0;
    }

    /// Bytes are missing here: what comes is only counted.
    pub(super) fn hole(&mut self) {
        self.forget();
        self.holed = true;
    }

    pub(super) fn allocated(&self) -> usize {
        self.kept.capacity()
    }

    pub(super) fn finish(self) -> Body {
        Body {
            whole: !self.holed && self.kept.len() as u64 == self.len,
            kept: Bytes::from(self.kept.into_boxed_slice()),
            len: self.len,
            sha256: self.hash.map_or(EMPTY, |hash| hash.finalize().into()),
        }
    }
}
