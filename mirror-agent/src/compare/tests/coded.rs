//! Bodies with content codings: what is compared, what is a difference, and what is counted.

use super::*;
use crate::coding::Problem;
use crate::coding::tests::encode;

const ONE: &str = r#"{"a": 1, "b": "text"}"#;
const ALSO_ONE: &str = r#"{"b":"text","a":1.0}"#;
const TWO: &str = r#"{"a": 2, "b": "text"}"#;
const OTHER_VALUE: &[&str] = &["body value body.a: 1 | 2"];

/// An answer with this `content-encoding`, and this body under it.
fn sent(kind: &str, coding: &str, body: impl AsRef<[u8]>) -> Made {
    Made::new(&[("content-type", kind), ("content-encoding", coding)], body)
}

/// An answer in a coding, none of them by the empty name.
fn coded(kind: &str, coding: &str, content: &[u8]) -> Made {
    match coding {
        "" => Made::new(&[("content-type", kind)], content),
        coding => sent(kind, coding, encode(coding, content)),
    }
}

fn check(v1: &Made, v2: &Made, expect: &[&str], undecodable: (Option<Problem>, Option<Problem>)) {
    let mut rules = Rules::default();
    rules.ignore_path("header.content-encoding").unwrap();
    let got = run(v1, v2, &rules);
    assert_eq!(lines(&got), expect, "{v1:?} {v2:?}");
    assert_eq!((got.undecodable.v1, got.undecodable.v2), undecodable, "{v1:?} {v2:?}");
}

fn as_sent(v1: &Made, v2: &Made) -> String {
    let (one, two) = (v1.body.len(), v2.body.len());
    assert_ne!(one, two);
    format!("body length body: {one} bytes | {two} bytes")
}

#[test]
fn contents_are_compared_by_form_however_they_are_coded() {
    let codings = ["", "gzip", "deflate", "br", "zstd"];
    for (v1, v2) in codings.iter().flat_map(|one| codings.iter().map(move |two| (*one, *two))) {
        let json = |v1_body: &str, v2_body: &str, expect: &[&str]| {
            let made = |coding, body: &str| coded("application/json", coding, body.as_bytes());
            check(&made(v1, v1_body), &made(v2, v2_body), expect, (None, None));
        };
        json(ONE, ONE, &[]);
        json(ONE, ALSO_ONE, &[]);
        json(ONE, TWO, OTHER_VALUE);
        let text = |body: &[u8]| [v1, v2].map(|coding| coded("text/plain", coding, body));
        check(
            &text(b"a\nb")[0],
            &text(b"a\nB")[1],
            &["body value body: line 2: b | line 2: B"],
            (None, None),
        );
        // printf 'a\0' | sha256sum; printf 'b\0' | sha256sum
        let digests = "body digest body: sha256 ffe9aaeaa2a2d504 | sha256 1e57b933b0a78203";
        check(&text(b"a\0")[0], &text(b"b\0")[1], &[digests], (None, None));
        check(&text(b"a\0")[0], &text(b"abc")[1], &["body length body: 2 bytes | 3 bytes"], (None, None));
        check(&text(b"")[0], &text(b"abc")[1], &["body length body: 0 bytes | 3 bytes"], (None, None));
        check(&text(b"")[0], &text(b"")[1], &[], (None, None));
    }
}

#[test]
fn another_coding_is_a_difference_of_the_header() {
    let (v1, v2) = (coded("text/json", "gzip", ONE.as_bytes()), coded("text/json", "br", ONE.as_bytes()));
    let header = ["header value header.content-encoding: gzip | br"];
    super::check(&v1, &v2, &Rules::default(), &header, 0);
    let plain = coded("text/json", "", ONE.as_bytes());
    let missing = ["missing missing header.content-encoding: gzip | -"];
    super::check(&v1, &plain, &Rules::default(), &missing, 0);
}

#[test]
fn what_cannot_be_decoded_is_compared_as_sent_and_counted() {
    use Problem::{Corrupt, TooMany, Truncated, Unknown};
    let whole = coded("text/json", "gzip", ONE.as_bytes());
    let mut corrupt = whole.clone();
    corrupt.body[20] ^= 0xff;
    corrupt.body.push(0);
    let cut = sent("text/json", "gzip", &whole.body[..20]);
    let unknown = sent("text/json", "x-mine", "abc");
    let many = sent("text/json", "gzip, gzip, gzip, gzip", "abcd");
    for (v1, v2, undecodable) in [
        (&whole, &corrupt, (None, Some(Corrupt))),
        (&corrupt, &whole, (Some(Corrupt), None)),
        (&corrupt, &cut, (Some(Corrupt), Some(Truncated))),
        (&unknown, &many, (Some(Unknown), Some(TooMany))),
        (&coded("text/json", "", TWO.as_bytes()), &cut, (None, Some(Truncated))),
    ] {
        check(v1, v2, &[&as_sent(v1, v2)], undecodable);
    }
}

/// The body's bytes are no difference then; that one side cannot be decoded is counted.
#[test]
fn the_same_bytes_under_another_name() {
    let gzip = coded("text/json", "gzip", ONE.as_bytes());
    let renamed = sent("text/json", "br", &gzip.body);
    check(&gzip, &renamed, &[], (None, Some(Problem::Corrupt)));
    // Said to be no gzip, it is another content.
    let bare = Made::new(&[("content-type", "text/json")], &gzip.body);
    let (content, coded) = (ONE.len(), gzip.body.len());
    check(&gzip, &bare, &[&format!("body length body: {content} bytes | {coded} bytes")], (None, None));
    // The same in every way is not even decoded.
    let wrong = sent("text/json", "gzip", "no gzip");
    check(&wrong, &wrong, &[], (None, None));
    check(&wrong, &sent("text/json", " GZIP ,identity", "no gzip"), &[], (None, None));
}

#[test]
fn a_bomb_is_a_counted_problem() {
    let bomb = |byte| coded("text/plain", "gzip", &vec![byte; 4096]);
    let (v1, v2) = (bomb(b'a'), bomb(b'b'));
    let mut rules = Rules::default();
    rules.max_decoded = 4095;
    let got = run(&v1, &v2, &rules);
    assert_eq!((got.undecodable.v1, got.undecodable.v2), (Some(Problem::TooLong), Some(Problem::TooLong)));
    assert_eq!(got.differences.len(), 1);
    assert!(matches!(got.differences[0].kind, Kind::Digest | Kind::Length));
    rules.max_decoded = 4096;
    let got = run(&v1, &v2, &rules);
    assert_eq!((got.undecodable, got.differences[0].kind), (Undecodable::default(), Kind::Value));
}

#[test]
fn what_was_not_kept_whole_is_not_decoded() {
    let (v1, v2) = (coded("text/json", "gzip", ONE.as_bytes()), coded("text/json", "br", ONE.as_bytes()));
    let cut = Made { whole: false, ..v1.clone() };
    for (v1, v2) in [(&cut, &v2), (&v2, &cut)] {
        check(v1, v2, &[&as_sent(v1, v2)], (None, None));
    }
    check(&v1, &cut, &[], (None, None));
}

#[test]
fn what_the_rules_hide_is_not_decoded() {
    let (v1, v2) = (sent("text/json", "gzip", "no"), sent("text/json", "gzip", "none"));
    let got = run(&v1, &v2, &ignoring(&["body"]));
    assert_eq!((got.ignored, got.undecodable), (1, Undecodable::default()));
    // A rule for a place inside needs the content.
    let made = |coding, body: &str| coded("text/json", coding, body.as_bytes());
    super::check(&made("br", ONE), &made("br", TWO), &ignoring(&["body.a"]), &[], 1);
}
