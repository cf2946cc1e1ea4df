//! Messages as they are handed on: everything owned, nothing borrowed from a frame.

use bytes::Bytes;

use super::headers::Headers;
use crate::time::Nanos;

/// A request of which at least the head was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The request target, as sent (RFC 9112, section 3.2).
    pub target: Bytes,
    /// The version.
    pub version: Version,
    /// The field lines, in order.
    pub headers: Headers,
    /// The content.
    pub body: Body,
    /// The client's own bytes: head, body and body framing exactly as sent, without empty lines before them.
    pub wire: Bytes,
    /// Offset in `wire` just behind the request line's line end.
    pub line_end: usize,
    /// Whether it was read to its end. If not, the body is what was seen of it, and `wire` is empty.
    pub whole: bool,
    /// When the first byte was seen.
    pub started: Nanos,
    /// When the last byte was seen.
    pub finished: Nanos,
}

/// A final response, or the one that ended HTTP/1.x on its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code, 100 to 999.
    pub status: u16,
    /// The version.
    pub version: Version,
    /// The field lines, in order, unfolded.
    pub headers: Headers,
    /// The content.
    pub body: Body,
    /// Whether it was read to its end. If not, the body is what was seen of it.
    pub whole: bool,
    /// When the first byte of the status line was seen.
    pub started: Nanos,
    /// When the last byte was seen.
    pub finished: Nanos,
}

/// What a message carries, after its transfer coding was taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The first bytes, up to a cap.
    pub kept: Bytes,
    /// Length in bytes, kept or not.
    pub len: u64,
    /// SHA-256 of all of it, if it was all seen and is not all kept. Else ask [`Body::sha256`].
    pub digest: Option<[u8; 32]>,
    /// Whether `kept` holds everything.
    pub whole: bool,
}

/// A method: one token, case-sensitive (RFC 9110, section 9.1).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Method(Bytes);

/// The versions that are decoded. A later minor version is read as 1.1 (RFC 9110, section 2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

impl Request {
    /// Bytes of memory that this request holds.
    pub fn allocated(&self) -> usize {
        // The body's bytes, and always the head, are a part of `wire` where it is kept.
        let shared = self.wire.as_ptr_range().contains(&self.body.kept.as_ptr());
        let kept = if shared { 0 } else { self.body.kept.len() };
        let head = if self.wire.is_empty() { self.headers.text_len() } else { self.wire.len() };
        size_of::<Request>() + head + kept + self.headers.allocated()
    }
}

impl Response {
    /// Bytes of memory that this response holds.
    pub fn allocated(&self) -> usize {
        size_of::<Response>() + self.body.kept.len() + self.headers.text_len() + self.headers.allocated()
    }
}

impl Method {
    /// A method from a token; `None` if it is none.
    pub fn new(token: impl Into<Bytes>) -> Option<Method> {
        let token = token.into();
        (!token.is_empty() && token.iter().copied().all(is_token_byte)).then_some(Method(token))
    }

    /// A method from what is known to be a token.
    pub(super) fn of(token: &[u8]) -> Method {
        let known = KNOWN.iter().find(|known| **known == token);
        Method(known.map_or_else(|| Bytes::copy_from_slice(token), |known| Bytes::from_static(known)))
    }

    /// The token. Tokens are ASCII.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The token's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Version {
    /// The version as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
        }
    }
}

/// Whether a byte may stand in a token (RFC 9110, section 5.6.2).
pub(super) fn is_token_byte(byte: u8) -> bool {
    TOKEN_BYTES[usize::from(byte)]
}

const TOKEN_BYTES: [bool; 256] = {
    let (mut table, marks) = ([false; 256], b"!#$%&'*+-.^_`|~");
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut mark = 0;
    while mark < marks.len() {
        table[marks[mark] as usize] = true;
        mark += 1;
    }
    table
};

/// The methods that are registered for general use (RFC 9110, section 9.1; RFC 5789), and QUERY.
pub(super) const KNOWN: [&[u8]; 10] =
    [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH", b"QUERY"];

/// `bytes` without optional whitespace at both ends: spaces and tabs only (RFC 9110, section 5.6.3).
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
