//! Two answers of any kind: comparing them ends, is bounded, and is the same from both sides.

use mirror_agent::compare::{Answer, Comparison, Kind, MAX_FIELDS, Rules, compare};
use mirror_agent::http::{Asked, Response, ResponseDecoder, ResponseItem};
use mirror_agent::time::Nanos;

use crate::http::LIMITS;
use crate::input::Input;

const TYPES: [&str; 5] =
    ["application/json", "text/html", "text/plain", "application/octet-stream", "application/problem+json"];
const CODINGS: [&str; 5] = ["", "gzip", "br", "zstd", "deflate"];

/// Types, codings, the length of the first body (two bytes), and both bodies.
pub(crate) fn run(data: &[u8]) {
    let mut input = Input(data);
    let [first, second] = [input.u8(), input.u8()];
    let len = input.u16();
    let (v1, v2) = (input.take(usize::from(len)), input.0);
    let (v1, v2) = (response(first, v1), response(second, v2));
    let rules = Rules::default();
    let there = compare(&Answer::of(&v1), &Answer::of(&v2), "/", &rules);
    let back = compare(&Answer::of(&v2), &Answer::of(&v1), "/", &rules);
    assert!(there.fields.len() <= MAX_FIELDS && there.fields.is_sorted());
    assert_eq!((there.is_same(), there.ignored), (back.is_same(), back.ignored));
    assert_eq!(mirrored(&there), back.fields);
    let same = compare(&Answer::of(&v1), &Answer::of(&v1), "/", &rules);
    assert!(same.is_same() && same.ignored == 0, "{same:?}");
    let silent = there.clone().without_noise(|_| true);
    assert!(silent.fields_dropped > 0 || silent.is_same());
}

/// The fields as they are seen from the other side.
fn mirrored(comparison: &Comparison) -> Vec<mirror_agent::compare::Field> {
    let mut fields = comparison.fields.clone();
    for field in &mut fields {
        field.kind = match field.kind {
            Kind::Missing => Kind::Extra,
            Kind::Extra => Kind::Missing,
            kind => kind,
        };
    }
    fields.sort();
    fields
}

fn response(kind: u8, body: &[u8]) -> Response {
    let (kind, coding) = (usize::from(kind) % TYPES.len(), usize::from(kind) / TYPES.len() % CODINGS.len());
    let coding = CODINGS[coding];
    let coding = if coding.is_empty() { String::new() } else { format!("content-encoding: {coding}\r\n") };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {}\r\n{coding}content-length: {}\r\n\r\n",
        TYPES[kind],
        body.len()
    );
    let mut decoder = ResponseDecoder::new();
    decoder.expect(Asked::Other);
    let wire = [head.as_bytes(), body].concat();
    match decoder.push(Nanos(1), &mut &wire[..], &LIMITS) {
        Some(ResponseItem::Complete { response, .. }) => *response,
        other => panic!("{other:?}"),
    }
}
