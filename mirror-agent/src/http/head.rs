//! Collects bytes up to an empty line. Each byte is looked at once, however small the pieces.

/// A head or a trailer section that is being collected.
#[derive(Debug, Default)]
pub(super) struct HeadBuf {
    bytes: Vec<u8>,
    /// Bytes since the last line end.
    line: usize,
    /// A carriage return before the first line, whose line feed is still to come.
    stray_cr: bool,
}

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
        while let Some(before) = data.iter().position(|b| *b == b'\n') {
            let (line, rest) = data.split_at(before + 1);
            if self.bytes.len() + line.len() > limit {
                return Taken::TooLong;
            }
            self.bytes.extend_from_slice(line);
            *data = rest;
            let len = self.line + before;
            self.line = 0;
            if len == 0 || (len == 1 && self.bytes.ends_with(b"\r\n")) {
                return Taken::Whole(std::mem::take(&mut self.bytes));
            }
        }
        if self.bytes.len() + data.len() > limit {
            return Taken::TooLong;
        }
        self.bytes.extend_from_slice(data);
        self.line += data.len();
        *data = &[];
        Taken::More
    }
}
