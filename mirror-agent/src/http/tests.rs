//! Both decoders against hand-written expectations, whole, at every split, byte by byte, and every prefix.

mod refusals;
mod requests;
mod responses;

use super::*;
use crate::time::Nanos;

const AT: Nanos = Nanos(1);

/// Small enough that tests reach them.
pub(super) const LIMITS: Limits = Limits {
    head: 512,
    headers: 8,
    request_body: 64,
    response_body: 16,
    interim: 3,
    pipeline: 4,
    pending: 4096,
};

/// What a decoder says of pieces that come one after the other, as text.
type Decode<'a> = &'a dyn Fn(&[&[u8]]) -> Vec<String>;

/// Feeds `input` whole, in two pieces at every place, byte by byte, and with empty pieces between: always the same.
/// Every prefix says a prefix of it and never panics.
fn check(decode: Decode<'_>, input: &[u8], expected: &[&str]) {
    let shown = input.escape_ascii().to_string();
    assert_eq!(decode(&[input]), expected, "whole: {shown}");
    for at in 0..=input.len() {
        let (a, b) = input.split_at(at);
        assert_eq!(decode(&[a, b]), expected, "split at {at}: {shown}");
        let prefix = decode(&[a]);
        let same = prefix.iter().zip(expected).take_while(|(a, b)| a == b).count();
        assert!(prefix.len() <= same + 1, "prefix of {at}: {prefix:?} of {shown}");
    }
    let bytes: Vec<&[u8]> = input.chunks(1).collect();
    assert_eq!(decode(&bytes), expected, "byte by byte: {shown}");
}

fn hex(digest: &[u8; 32]) -> String {
    digest.iter().take(4).map(|b| format!("{b:02x}")).collect()
}

fn fields(headers: &Headers) -> String {
    let line = |(n, v): (&[u8], &[u8])| format!("{}={}", n.escape_ascii(), v.escape_ascii());
    headers.iter().map(line).collect::<Vec<_>>().join("|")
}

#[test]
fn headers_are_found_whatever_their_case_and_in_order() {
    let lines = [("A", "1"), ("b", "2"), ("a", "3")];
    let headers: Headers = lines.into_iter().collect();
    assert_eq!(headers.get("B").unwrap(), b"2");
    assert_eq!(headers.get_all("a").collect::<Vec<_>>(), [b"1", b"3"]);
    assert_eq!(headers.get("c"), None);
    assert_eq!((headers.len(), headers.is_empty()), (3, false));
}

#[test]
fn a_method_is_a_token() {
    assert_eq!(Method::new("GET").unwrap().as_str(), "GET");
    assert_eq!(Method::new("M-SEARCH!").unwrap().to_string(), "M-SEARCH!");
    for bad in ["", "G T", "GET:", "GÉT", "\x16"] {
        assert_eq!(Method::new(bad), None, "{bad}");
    }
}
