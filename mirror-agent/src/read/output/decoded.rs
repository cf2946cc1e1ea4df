//! A body's content without its content codings, for outputs that show bodies.

use crate::coding::{self, MAX_DECODED, Problem};
use crate::http::Headers;
use crate::read::record::SeenBody;

/// The decoded content, or the name of what is wrong with it. None where there is nothing to decode: no coding, no
/// body, or only a part of it.
pub(super) fn decoded(seen: SeenBody<'_>, headers: &Headers) -> Option<Result<Vec<u8>, &'static str>> {
    let fields = || headers.get_all("content-encoding");
    let kept = seen.body.kept.as_ref();
    if kept.is_empty()
        || !seen.whole
        || seen.kept_bytes().is_some()
        || coding::names(fields()).next().is_none()
    {
        return None;
    }
    Some(coding::decode(fields(), kept, MAX_DECODED).map(Vec::from).map_err(name))
}

/// As it stands among the problems of an exchange.
fn name(problem: Problem) -> &'static str {
    match problem {
        Problem::Unknown => "body_unknown",
        Problem::TooMany => "body_too_many",
        Problem::Corrupt => "body_corrupt",
        Problem::Truncated => "body_truncated",
        Problem::TooLong => "body_too_long",
        Problem::Window => "body_window",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_metrics() {
        for problem in Problem::ALL {
            assert_eq!(name(problem), format!("body_{}", problem.as_str()));
        }
    }
}
