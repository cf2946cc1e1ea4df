//! The content of a body while it comes in: kept up to a cap, and hashed beyond. What is kept whole is hashed when
//! somebody asks.

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
    /// Of all of it, once it is not kept whole.
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
        let (fits, over) = data.split_at_checked(self.cap - self.kept.len()).unwrap_or((data, &[]));
        self.kept.extend_from_slice(fits);
        if !over.is_empty() {
            self.hash.get_or_insert_with(|| Sha256::new_with_prefix(&self.kept)).update(over);
        }
    }

    /// Keeps no bytes any more, and goes on to hash them.
    pub(super) fn forget(&mut self) {
        let kept = std::mem::take(&mut self.kept);
        if !kept.is_empty() {
            self.hash.get_or_insert_with(|| Sha256::new_with_prefix(&kept));
        }
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
            digest: self.hash.filter(|_| !self.holed).map(|hash| hash.finalize().into()),
        }
    }
}

impl Body {
    /// SHA-256 of all of it, or of as much as was sent if its message broke off; `None` if a part of it was never
    /// seen. What is kept whole is hashed by this call.
    pub fn sha256(&self) -> Option<[u8; 32]> {
        match &*self.kept {
            _ if !self.whole => self.digest,
            [] => Some(EMPTY),
            kept => Some(Sha256::digest(kept).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"0123456789";

    /// The digest of `TEXT` in two pieces, with `cap`, and with something done between them.
    fn digest(cap: usize, cut: usize, between: fn(&mut Content)) -> Option<[u8; 32]> {
        let mut content = Content::new(cap);
        content.push(&TEXT[..cut]);
        between(&mut content);
        content.push(&TEXT[cut..]);
        let body = content.finish();
        assert_eq!(body.len, TEXT.len() as u64);
        body.sha256()
    }

    #[test]
    fn the_digest_is_of_everything_however_much_is_kept() {
        for (cap, cut) in (0..12).flat_map(|cap| (0..=TEXT.len()).map(move |cut| (cap, cut))) {
            assert_eq!(digest(cap, cut, |_| {}), Some(Sha256::digest(TEXT).into()), "{cap} {cut}");
            assert_eq!(digest(cap, cut, Content::forget), Some(Sha256::digest(TEXT).into()), "{cap} {cut}");
            assert_eq!(digest(cap, cut, Content::hole), None, "{cap} {cut}");
        }
        assert_eq!(Content::new(1).finish().sha256(), Some(Sha256::digest(b"").into()));
    }
}
