//! What of two bodies is compared: their contents as clients see them, or the bytes as they were sent.
//!
//! ```text
//! bytes        v1 decodes   v2 decodes     compared
//! the same     in the same codings         nothing: they are the same
//! any          yes          yes            the contents; how they are coded is no difference of the body
//! any          a side does not             the bytes as sent; each side that does not is counted
//! not all kept on a side                   the bytes as sent, by their length and digest; nothing is counted
//! ```
//!
//! A body without a coding decodes to itself, and so does an empty one.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use super::Answer;
use super::findings::Findings;
use crate::coding;

/// What a client makes of a body.
pub(super) type Content<'a> = Cow<'a, [u8]>;

/// Whether the bytes are the same, and so are the codings: nobody can tell such bodies apart.
pub(super) fn same_as_sent(v1: &Answer<'_>, v2: &Answer<'_>) -> bool {
    let (mut ones, mut twos) = (coding::names(fields(v1)), coding::names(fields(v2)));
    let same_codings = loop {
        match (ones.next(), twos.next()) {
            (None, None) => break true,
            (Some(one), Some(two)) if one.eq_ignore_ascii_case(two) => {}
            _ => break false,
        }
    };
    same_codings && same_bytes(v1, v2)
}

pub(super) fn same_bytes(v1: &Answer<'_>, v2: &Answer<'_>) -> bool {
    if v1.whole && v2.whole {
        return v1.body == v2.body;
    }
    v1.len == v2.len && sha256(v1).is_some_and(|one| sha256(v2) == Some(one))
}

/// Of the bytes as sent.
pub(super) fn sha256(answer: &Answer<'_>) -> Option<[u8; 32]> {
    if answer.whole { Some(Sha256::digest(answer.body).into()) } else { answer.digest }
}

/// Both contents; `None` where the bytes as sent are to be compared.
pub(super) fn contents<'a>(
    v1: &Answer<'a>,
    v2: &Answer<'a>,
    limit: usize,
    findings: &mut Findings<'_>,
) -> Option<(Content<'a>, Content<'a>)> {
    if !v1.whole || !v2.whole {
        return None;
    }
    let decode = |answer: &Answer<'a>| coding::decode(fields(answer), answer.body, limit);
    let (one, two) = (decode(v1), decode(v2));
    findings.undecodable(one.as_ref().err().copied(), two.as_ref().err().copied());
    one.ok().zip(two.ok())
}

fn fields<'a>(answer: &Answer<'a>) -> impl Iterator<Item = &'a [u8]> {
    answer.headers.get_all("content-encoding")
}
