//! What is said of time, and the exchanges that the tests of the outputs show.

use bytes::Bytes;

use super::*;
use crate::http::{Headers, Method, Version};

/// 2026-03-01T12:00:00.123456789Z, from a calendar.
pub(in crate::read) const START: u64 = 1_772_366_400_123_456_789;

pub(in crate::read) fn headers(lines: &[(&str, &[u8])]) -> Headers {
    lines
        .iter()
        .map(|(name, value)| (Bytes::copy_from_slice(name.as_bytes()), Bytes::copy_from_slice(value)))
        .collect()
}

pub(in crate::read) fn body(content: &[u8]) -> Body {
    Body { kept: Bytes::copy_from_slice(content), len: content.len() as u64, digest: None, whole: true }
}

/// A request of 200 µs to `shop.example`.
pub(in crate::read) fn request(method: &str, target: &[u8]) -> Request {
    Request {
        method: Method::new(method.to_owned()).unwrap(),
        target: Bytes::copy_from_slice(target),
        version: Version::Http11,
        headers: headers(&[("Host", b"shop.example")]),
        body: body(b""),
        wire: Bytes::new(),
        line_end: 0,
        whole: true,
        started: Nanos(START),
        finished: Nanos(START + 200_000),
    }
}

/// A response of "hello" that begins 1.5 ms after [`request`] ends, and takes 300 µs.
pub(in crate::read) fn response(status: u16) -> Response {
    Response {
        status,
        version: Version::Http11,
        headers: headers(&[("Content-Type", b"text/plain"), ("Content-Length", b"5")]),
        body: body(b"hello"),
        whole: true,
        started: Nanos(START + 1_700_000),
        finished: Nanos(START + 2_000_000),
    }
}

pub(in crate::read) fn record<'a>(
    request: Option<&'a Request>,
    response: Option<&'a Response>,
    end: &'static str,
) -> Record<'a> {
    Record {
        id: 7,
        connection: 3,
        client: "10.0.0.9:51000".parse().unwrap(),
        server: "10.0.0.4:8080".parse().unwrap(),
        request,
        response,
        end,
        problems: &[],
    }
}

#[test]
fn times_of_a_complete_exchange() {
    let (request, response) = (request("GET", b"/"), response(200));
    let record = record(Some(&request), Some(&response), COMPLETE);
    assert_eq!(record.start(), Some(Nanos(START)));
    assert_eq!(record.ttfb(), Some(Duration::from_micros(1500)));
    assert_eq!(record.total(), Some(Duration::from_millis(2)));
}

#[test]
fn what_is_not_complete_has_no_latency() {
    let (request, response) = (request("GET", b"/"), response(200));
    let gap = record(Some(&request), Some(&response), "response_gap");
    assert_eq!((gap.start(), gap.ttfb(), gap.total()), (Some(Nanos(START)), None, None));
    let answer = record(None, Some(&response), "request_missing");
    assert_eq!((answer.start(), answer.total()), (Some(Nanos(START + 1_700_000)), None));
    assert_eq!(record(None, None, "tls").start(), None);
}

#[test]
fn time_never_runs_backwards() {
    let (mut request, response) = (request("GET", b"/"), response(200));
    request.finished = Nanos(START + 1_800_000); // the answer began before the request ended
    assert_eq!(record(Some(&request), Some(&response), COMPLETE).ttfb(), None);
    assert_eq!(record(Some(&request), Some(&response), COMPLETE).total(), Some(Duration::from_millis(2)));
    request.started = Nanos(u64::MAX);
    assert_eq!(record(Some(&request), Some(&response), COMPLETE).total(), None);
}

#[test]
fn a_digest_of_what_broke_off_says_nothing() {
    let mut body = body(b"hello");
    assert_eq!(SeenBody { body: &body, whole: true }.kept_bytes(), None);
    assert!(SeenBody { body: &body, whole: false }.sha256().is_none());
    body.len = 6;
    assert_eq!(SeenBody { body: &body, whole: true }.kept_bytes(), Some(5));
}
