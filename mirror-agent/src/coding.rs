//! Takes the content codings off a body (RFC 9110, section 8.4): gzip, deflate, br and zstd.
//! What comes out is bounded whatever went in, and what cannot be decoded has one of a few reasons.

mod brotli;
mod deflate;
mod room;
mod zstd;

#[cfg(test)]
pub(crate) mod tests;

use std::borrow::Cow;

use serde::Serialize;

/// The most bytes that a body may decode to, unless told otherwise.
pub const MAX_DECODED: usize = 8 << 20;
/// The most codings that are taken off one body. Two are rare, and are mistakes; each costs [`decode`]'s bounds again.
pub const MAX_CODINGS: usize = 3;

/// Why a body could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// A coding that is none of ours.
    Unknown,
    /// More codings than [`MAX_CODINGS`].
    TooMany,
    /// Not the form of its coding, a wrong checksum, or bytes behind its end.
    Corrupt,
    /// It ends too early.
    Truncated,
    /// It decodes to more bytes than the limit.
    TooLong,
    /// It asks for a larger window than HTTP allows (RFC 9659).
    Window,
}

/// The codings that are known, by their registered names (RFC 9110, section 8.4.1; RFC 7932; RFC 8878).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// The body without its codings, given the values of its `content-encoding` fields in order.
///
/// Takes memory for at most twice `limit` bytes, which bounds every coding's output, plus 16 MiB for a window. Its
/// time grows with the body and with what comes out. Nothing is decoded of an empty body, whatever it claims to be:
/// that is how answers to HEAD look. A body without a coding is itself, however long.
///
/// # Errors
///
/// When it is not all decoded; then none of it is.
pub fn decode<'f, 'b>(
    fields: impl IntoIterator<Item = &'f [u8]>,
    body: &'b [u8],
    limit: usize,
) -> Result<Cow<'b, [u8]>, Problem> {
    let mut decoded = Cow::Borrowed(body);
    if body.is_empty() {
        return Ok(decoded);
    }
    for coding in known(fields)?.into_iter().rev() {
        decoded = Cow::Owned(coding.decode(&decoded, limit)?);
    }
    Ok(decoded)
}

/// The names of the codings in the values of `content-encoding` fields, in the order in which they were applied.
/// `identity` is none.
pub fn names<'f>(fields: impl IntoIterator<Item = &'f [u8]>) -> impl Iterator<Item = &'f [u8]> {
    let elements = fields.into_iter().flat_map(|field| field.split(|&byte| byte == b','));
    elements
        .map(<[u8]>::trim_ascii)
        .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity"))
}

fn known<'f>(fields: impl IntoIterator<Item = &'f [u8]>) -> Result<Vec<Coding>, Problem> {
    let mut known = Vec::new();
    for name in names(fields) {
        if known.len() == MAX_CODINGS {
            return Err(Problem::TooMany);
        }
        known.push(Coding::named(name).ok_or(Problem::Unknown)?);
    }
    Ok(known)
}

impl Problem {
    /// Every problem.
    pub const ALL: [Problem; 6] = [
        Problem::Unknown,
        Problem::TooMany,
        Problem::Corrupt,
        Problem::Truncated,
        Problem::TooLong,
        Problem::Window,
    ];

    /// The problem as metrics and JSON spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Problem::Unknown => "unknown",
            Problem::TooMany => "too_many",
            Problem::Corrupt => "corrupt",
            Problem::Truncated => "truncated",
            Problem::TooLong => "too_long",
            Problem::Window => "window",
        }
    }
}

impl Coding {
    fn named(name: &[u8]) -> Option<Coding> {
        match name.to_ascii_lowercase().as_slice() {
            b"gzip" | b"x-gzip" => Some(Coding::Gzip),
            b"deflate" => Some(Coding::Deflate),
            b"br" => Some(Coding::Brotli),
            b"zstd" => Some(Coding::Zstd),
            _ => None,
        }
    }

    fn decode(self, body: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
        match self {
            Coding::Gzip => deflate::gzip(body, limit),
            Coding::Deflate => deflate::deflate(body, limit),
            Coding::Brotli => brotli::decode(body, limit),
            Coding::Zstd => zstd::decode(body, limit),
        }
    }
}
