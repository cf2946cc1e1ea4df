//! Chunked bodies beside a reader of whole slices, which cannot share the mistakes of one that is fed in pieces.

use mirror_agent::http::{Asked, ResponseDecoder, ResponseItem};
use mirror_agent::time::Nanos;
use sha2::{Digest as _, Sha256};

use crate::http::LIMITS;
use crate::input::{Input, pieces};

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
/// Bytes of a chunk's first line, line end included.
const LINE: usize = 4096;

/// A number of cuts, the cuts, and a body.
pub(crate) fn run(data: &[u8]) {
    let mut input = Input(data);
    let cuts = usize::from(input.u8()) % 32;
    let cuts = input.take(cuts);
    let (expected, content) = read(input.0);
    let found = decode(&pieces(input.0, cuts));
    match (&expected, &found) {
        (Expected::Trailers, _) => {}
        (Expected::Refused, Some(ResponseItem::Refused { .. })) => {}
        (Expected::More, None) => {}
        _ => panic!("{expected:?}, but {found:?}"),
    }
    if let Some(ResponseItem::Complete { response, .. }) = &found {
        assert_eq!(response.body.len, content.len() as u64);
        assert_eq!(&response.body.kept[..], &content[..content.len().min(LIMITS.response_body)]);
        assert_eq!(response.body.sha256().unwrap()[..], Sha256::digest(&content)[..]);
    }
}

fn decode(pieces: &[&[u8]]) -> Option<ResponseItem> {
    let mut decoder = ResponseDecoder::new();
    decoder.expect(Asked::Other);
    assert!(decoder.push(Nanos(1), &mut &HEAD[..], &LIMITS).is_none());
    pieces.iter().find_map(|piece| decoder.push(Nanos(1), &mut { *piece }, &LIMITS))
}

/// How far a body is right.
#[derive(Debug)]
enum Expected {
    /// Up to its last chunk; what the trailers are is not judged here.
    Trailers,
    /// It breaks the rules of RFC 9112, section 7.1.
    Refused,
    /// It is not over.
    More,
}

fn read(mut rest: &[u8]) -> (Expected, Vec<u8>) {
    let mut content = Vec::new();
    loop {
        let size = match line(rest) {
            Err(expected) => return (expected, content),
            Ok((size, len)) => {
                rest = &rest[len..];
                size
            }
        };
        if size == 0 {
            return (Expected::Trailers, content);
        }
        let now = rest.len().min(usize::try_from(size).unwrap_or(usize::MAX));
        content.extend(&rest[..now]);
        rest = &rest[now..];
        match rest {
            [b'\r', b'\n', after @ ..] => rest = after,
            [] | [b'\r'] => return (Expected::More, content),
            _ => return (Expected::Refused, content),
        }
    }
}

/// The size in the first line of a chunk, and the line's length.
fn line(text: &[u8]) -> Result<(u64, usize), Expected> {
    let end = text.iter().position(|byte| *byte == b'\n');
    let line = &text[..end.map_or(text.len(), |at| at + 1)];
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let after = &line[digits..];
    let padding = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let extension = match &after[padding..] {
        extension @ [b';', ..] => extension.iter().take_while(|byte| is_text(**byte)).count(),
        _ => 0,
    };
    let end = &after[padding + extension..];
    let number = std::str::from_utf8(&line[..digits]).unwrap();
    let too_large = digits > 0 && u64::from_str_radix(number, 16).is_err();
    let no_digits = digits == 0 && !line.is_empty();
    let within = |end: &[u8]| line.len() <= LINE && matches!(end, b"" | b"\r" | b"\r\n");
    if too_large || no_digits || !within(end) {
        return Err(Expected::Refused);
    }
    if end == b"\r\n" {
        Ok((u64::from_str_radix(number, 16).unwrap(), line.len()))
    } else {
        Err(Expected::More)
    }
}

fn is_text(byte: u8) -> bool {
    byte == b'\t' || (b' '..=b'~').contains(&byte) || byte >= 0x80
}
