//! The first line of a message, and how to tell that bytes begin one.

use super::message::{KNOWN, Version, is_token_byte};
use super::problem::Problem;

/// What every HTTP/1.x response begins with.
pub(crate) const RESPONSE_START: &[u8] = b"HTTP/1.";

/// A longer method is taken for another protocol.
const METHOD_MAX: usize = 64;

/// Method, target and version of a request line without its line end (RFC 9112, section 3). Exactly one space
/// between them: readers that allow more disagree about where the target ends.
pub(super) fn request(line: &[u8]) -> Result<(&[u8], &[u8], Version), Problem> {
    let mut parts = line.splitn(3, |b| *b == b' ');
    let (Some(method), Some(target), Some(tail)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Problem::RequestLine);
    };
    if method.is_empty() || !method.iter().copied().all(is_token_byte) {
        return Err(Problem::RequestLine);
    }
    if target.is_empty() || !target.iter().all(|b| *b > b' ' && *b != 0x7f) {
        return Err(Problem::RequestLine);
    }
    Ok((method, target, version(tail)?))
}

/// Version and status code of a status line without its line end (RFC 9112, section 4). The reason is ignored;
/// the space before it may be missing when it is.
pub(super) fn status(line: &[u8]) -> Result<(Version, u16), Problem> {
    let mut parts = line.splitn(3, |b| *b == b' ');
    let version = version(parts.next().unwrap_or_default())?;
    let Some([a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9']) = parts.next() else {
        return Err(Problem::StatusLine);
    };
    let reason = parts.next().unwrap_or_default();
    if reason.iter().any(|b| (*b < b' ' && *b != b'\t') || *b == 0x7f) {
        return Err(Problem::StatusLine);
    }
    let digit = |d: &u8| u16::from(d - b'0');
    Ok((version, digit(a) * 100 + digit(b) * 10 + digit(c)))
}

/// Whether bytes that end anywhere may still become a request.
pub(super) fn may_become_request(bytes: &[u8]) -> bool {
    let method = bytes.iter().take_while(|b| is_token_byte(**b)).count();
    match bytes.get(method) {
        None => method <= METHOD_MAX,
        Some(b' ') => method > 0 && method <= METHOD_MAX,
        Some(_) => false,
    }
}

/// Whether bytes that end anywhere may still become a response.
pub(super) fn may_become_response(bytes: &[u8]) -> bool {
    bytes.iter().zip(RESPONSE_START).all(|(a, b)| a == b)
}

/// Whether a chunk begins with a request: a known method, a target of its form (RFC 9112, section 3.2), and, as
/// far as the line is there, nothing that contradicts it.
pub(crate) fn begins_request(chunk: &[u8]) -> bool {
    let Some(space) = chunk.iter().take(METHOD_MAX).position(|b| *b == b' ') else { return false };
    let (method, rest) = chunk.split_at(space);
    let target = rest.get(1..).unwrap_or_default();
    let form = match method {
        b"CONNECT" => target.first().is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'['),
        _ => matches!(target.first(), Some(b'/' | b'*')) || target.starts_with(b"http"),
    };
    // Any token is a method; only a known one is proof enough that this is no piece of a body.
    if !form || !KNOWN.contains(&method) {
        return false;
    }
    let line = chunk.iter().position(|b| *b == b'\n').and_then(|end| chunk.get(..end));
    line.is_none_or(|line| request(without_cr(line)).is_ok())
}

/// Whether a chunk begins with a response, as far as its first bytes say.
pub(crate) fn begins_response(chunk: &[u8]) -> bool {
    chunk.starts_with(RESPONSE_START)
}

/// A line without the carriage return before its line feed.
pub(super) fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn version(text: &[u8]) -> Result<Version, Problem> {
    match text.strip_prefix(RESPONSE_START) {
        Some([b'0']) => Ok(Version::Http10),
        Some([b'1'..=b'9']) => Ok(Version::Http11),
        _ => Err(Problem::Version),
    }
}
