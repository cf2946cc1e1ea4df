//! Collects bytes up to an empty line. Each byte is looked at once, however small the pieces.

use memchr::memchr;

/// A head or a trailer section that is being collected.
#[derive(Debug, Default)]
pub(super) struct HeadBuf {
    bytes: Vec<u8>,
    /// Bytes since the last line end.
    line: usize,
    /// A carriage return before the first line, whose line feed is still to come.
    stray_cr: bool,
}

/// Longer than any method that is taken for one, and the space behind it.
pub(super) const BEGINNING: usize = 66;

/// What a [`HeadBuf`] has after it was given bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// The empty line is still to come.
    More,
    /// Everything up to the empty line, which is included.
    Whole(Vec<u8>),
    /// It is over the limit.
    TooLong,
}

impl HeadBuf {
    /// The bytes so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The first bytes of what it will have once it has taken `data`: enough to tell what cannot become a message,
    /// however the bytes are cut into pieces.
    pub(super) fn beginning<'a>(&self, data: &'a [u8], room: &'a mut [u8; BEGINNING]) -> &'a [u8] {
        if self.bytes.is_empty() {
            return data.get(..BEGINNING).unwrap_or(data);
        }
        let both = self.bytes.iter().chain(data);
        let len = room.iter_mut().zip(both).map(|(to, from)| *to = *from).count();
        room.get(..len).unwrap_or_default()
    }

    /// Bytes of memory held.
    pub(super) fn allocated(&self) -> usize {
        self.bytes.capacity()
    }

    /// Drops empty lines before the first line (RFC 9112, section 2.2). They are part of no message.
    pub(super) fn skip_empty_lines(&mut self, data: &mut &[u8]) {
        if !self.bytes.is_empty() {
            return;
        }
        while let [first, rest @ ..] = *data {
            match first {
                b'\n' => self.stray_cr = false,
                b'\r' if !self.stray_cr => self.stray_cr = true,
                // A carriage return that ended nothing belongs to the message, which it spoils.
                _ if self.stray_cr => {
                    self.stray_cr = false;
                    self.bytes.push(b'\r');
                    self.line = 1;
                    return;
                }
                _ => return,
            }
            *data = rest;
        }
    }

    /// Takes bytes from the front of `data`, up to and including the empty line.
    pub(super) fn take(&mut self, data: &mut &[u8], limit: usize) -> Taken {
        let (mut end, mut is_whole) = (0, false);
        while !is_whole && let Some(found) = memchr(b'\n', data.get(end..).unwrap_or_default()) {
            let len = std::mem::take(&mut self.line) + found;
            end += found + 1;
            is_whole = len == 0 || (len == 1 && self.ends_with_cr(data, end));
        }
        let taken = if is_whole { end } else { data.len() };
        // A line that would go over the limit is not looked at, nor what stands behind it.
        if self.bytes.len() + taken > limit {
            return Taken::TooLong;
        }
        let (head, rest) = data.split_at(taken);
        *data = rest;
        if is_whole && self.bytes.is_empty() {
            return Taken::Whole(head.to_vec());
        }
        self.bytes.reserve_exact(if is_whole { taken } else { 0 });
        self.bytes.extend_from_slice(head);
        self.line += taken - end;
        if is_whole { Taken::Whole(std::mem::take(&mut self.bytes)) } else { Taken::More }
    }

    /// Whether the only byte of the line that ends before `end` is a carriage return.
    fn ends_with_cr(&self, data: &[u8], end: usize) -> bool {
        let before = match end.checked_sub(2) {
            Some(at) => data.get(at),
            None => self.bytes.last(),
        };
        before == Some(&b'\r')
    }
}
