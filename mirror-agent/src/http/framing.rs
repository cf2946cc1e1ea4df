//! How long a body is (RFC 9112, section 6.3).

use super::headers::Fields;
use super::message::{Method, Version};
use super::problem::Problem;

/// What decides where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes.
    Length(u64),
    /// The chunk framing.
    Chunked,
    /// The end of the connection.
    Close,
}

/// What a response's length depends on besides the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// HEAD: the response has no body.
    Head,
    /// CONNECT: a 2xx turns the connection into a tunnel.
    Connect,
    /// Any other method.
    Other,
}

impl Asked {
    /// What a request with this method asks for.
    pub fn of(method: &Method) -> Asked {
        match method.as_bytes() {
            b"HEAD" => Asked::Head,
            b"CONNECT" => Asked::Connect,
            _ => Asked::Other,
        }
    }
}

/// The framing of a request's body.
pub(super) fn request(version: Version, headers: Fields<'_>) -> Result<Framing, Problem> {
    match declared(version, headers)? {
        Some(Framing::Close) => Err(Problem::TransferEncoding),
        framing => Ok(framing.unwrap_or(Framing::Length(0))),
    }
}

/// The framing of a final response's body.
pub(super) fn response(
    asked: Asked,
    status: u16,
    version: Version,
    headers: Fields<'_>,
) -> Result<Framing, Problem> {
    if asked == Asked::Head || matches!(status, 204 | 304) {
        return Ok(Framing::Length(0));
    }
    Ok(declared(version, headers)?.unwrap_or(Framing::Close))
}

/// What the fields say; `None` if they say nothing.
fn declared(version: Version, headers: Fields<'_>) -> Result<Option<Framing>, Problem> {
    let length = content_length(headers)?;
    if headers.get("transfer-encoding").is_none() {
        return Ok(length.map(Framing::Length));
    }
    if length.is_some() {
        return Err(Problem::LengthConflict);
    }
    // HTTP/1.0 has no transfer codings: whoever sends one does not know what the other end makes of it.
    if version == Version::Http10 {
        return Err(Problem::TransferEncoding);
    }
    transfer_encoding(headers).map(Some)
}

fn transfer_encoding(headers: Fields<'_>) -> Result<Framing, Problem> {
    let mut last_is_chunked = false;
    for coding in headers.list("transfer-encoding") {
        if last_is_chunked {
            return Err(Problem::TransferEncoding);
        }
        last_is_chunked = coding.eq_ignore_ascii_case(b"chunked");
        // "chunked;x" and the like are chunked to some readers only.
        if !last_is_chunked && coding.windows(7).any(|w| w.eq_ignore_ascii_case(b"chunked")) {
            return Err(Problem::TransferEncoding);
        }
    }
    Ok(if last_is_chunked { Framing::Chunked } else { Framing::Close })
}

/// The length; several that agree are one (RFC 9112, section 6.3, rule 5).
fn content_length(headers: Fields<'_>) -> Result<Option<u64>, Problem> {
    let mut length = None;
    for value in headers.get_all("content-length") {
        for member in value.split(|b| *b == b',') {
            let member = number(super::message::trim(member)).ok_or(Problem::ContentLength)?;
            if *length.get_or_insert(member) != member {
                return Err(Problem::ContentLength);
            }
        }
    }
    Ok(length)
}

/// Digits and nothing else; `None` on overflow too.
fn number(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    digits.then(|| str::from_utf8(text).ok()?.parse().ok())?
}
