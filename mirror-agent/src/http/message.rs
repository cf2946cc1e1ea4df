//! Messages as they are handed on: everything owned, nothing borrowed from a frame.

use bytes::Bytes;

use crate::time::Nanos;

/// A request, whole.
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
    /// When the first byte was seen.
    pub started: Nanos,
    /// When the last byte was seen.
    pub finished: Nanos,
}

/// A final response, whole.
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
    /// SHA-256 of all of it.
    pub sha256: [u8; 32],
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

/// Field lines in the order in which they were sent; a name may come more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(Bytes, Bytes)>);

impl Request {
    /// Bytes of memory that this request holds.
    pub fn allocated(&self) -> usize {
        let shared = self.wire.as_ptr_range().contains(&self.body.kept.as_ptr());
        let kept = if shared { 0 } else { self.body.kept.len() };
        size_of::<Request>() + self.wire.len() + kept + self.headers.allocated() + self.target.len()
    }
}

impl Response {
    /// Bytes of memory that this response holds.
    pub fn allocated(&self) -> usize {
        size_of::<Response>() + self.body.kept.len() + self.headers.allocated()
    }
}

impl Method {
    /// A method from a token; `None` if it is none.
    pub fn new(token: impl Into<Bytes>) -> Option<Method> {
        let token = token.into();
        (!token.is_empty() && token.iter().copied().all(is_token_byte)).then_some(Method(token))
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

impl Headers {
    /// The value of the first field line of this name, whatever its case.
    pub fn get(&self, name: &str) -> Option<&Bytes> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// The values of all field lines of this name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Bytes> + 'a {
        self.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// All field lines, in order.
    pub fn as_slice(&self) -> &[(Bytes, Bytes)] {
        &self.0
    }

    /// All field lines, in order, names in the sender's case.
    pub fn iter(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// How many field lines there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a field line behind the others.
    pub fn push(&mut self, name: Bytes, value: Bytes) {
        self.0.push((name, value));
    }

    /// The members of a comma-separated list that may be spread over field lines (RFC 9110, section 5.6.1).
    pub(super) fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        let members = self.get_all(name).flat_map(|value| value.split(|b| *b == b','));
        members.map(trim).filter(|member| !member.is_empty())
    }

    /// Bytes of memory that the field lines hold.
    pub(super) fn allocated(&self) -> usize {
        let text: usize = self.iter().map(|(name, value)| name.len() + value.len()).sum();
        text + self.0.capacity() * size_of::<(Bytes, Bytes)>()
    }
}

impl FromIterator<(Bytes, Bytes)> for Headers {
    fn from_iter<T: IntoIterator<Item = (Bytes, Bytes)>>(lines: T) -> Headers {
        Headers(lines.into_iter().collect())
    }
}

/// Whether a byte may stand in a token (RFC 9110, section 5.6.2).
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// `bytes` without optional whitespace at both ends: spaces and tabs only (RFC 9110, section 5.6.3).
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
