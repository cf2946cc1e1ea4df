//! Objects as they are written, by hand and field by field, and what hostile bytes do to them.

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::coding::tests::encode;
use crate::read::record::COMPLETE;
use crate::read::record::tests::{body, headers, record, request, response};

/// SHA-256 of "hello" and of nothing, from `sha256sum`.
const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn line(record: &Record<'_>, bodies: bool) -> String {
    let mut out = Vec::new();
    Json::new(&mut out, bodies).exchange(record).unwrap();
    String::from_utf8(out).unwrap()
}

fn object(record: &Record<'_>, bodies: bool) -> Value {
    serde_json::from_str(&line(record, bodies)).unwrap()
}

#[test]
fn a_line() {
    let (asked, answered) = (request("GET", b"/users/7?x=1"), response(200));
    let mut record = record(Some(&asked), Some(&answered), COMPLETE);
    record.problems = &["bare_cr"];
    let expected = format!(
        "{{\"id\":7,\"connection\":3,\"client\":\"10.0.0.9:51000\",\"server\":\"10.0.0.4:8080\",\
         \"start\":\"2026-03-01T12:00:00.123456789Z\",\"ttfb_s\":0.0015,\"total_s\":0.002,\
         \"request\":{{\"method\":\"GET\",\"target\":\"/users/7?x=1\",\"version\":\"HTTP/1.1\",\
         \"headers\":[[\"Host\",\"shop.example\"]],\"body_bytes\":0,\"body_sha256\":\"{NOTHING}\"}},\
         \"response\":{{\"status\":200,\"version\":\"HTTP/1.1\",\
         \"headers\":[[\"Content-Type\",\"text/plain\"],[\"Content-Length\",\"5\"]],\
         \"body_bytes\":5,\"body_sha256\":\"{HELLO}\"}},\"end\":\"complete\",\"problems\":[\"bare_cr\"]}}\n"
    );
    assert_eq!(line(&record, false), expected);
}

#[test]
fn what_was_not_seen_is_null() {
    let answered = Response { whole: false, ..response(200) };
    let orphan = record(None, Some(&answered), "request_missing");
    let orphan = Record { client: "[fd00::9]:51000".parse().unwrap(), ..orphan };
    let expected = json!({
        "id": 7, "connection": 3, "client": "[fd00::9]:51000", "server": "10.0.0.4:8080",
        "start": "2026-03-01T12:00:00.125156789Z", "ttfb_s": null, "total_s": null, "request": null,
        "response": {
            "status": 200, "version": "HTTP/1.1",
            "headers": [["Content-Type", "text/plain"], ["Content-Length", "5"]],
            "body_bytes": 5, "body_sha256": null,
        },
        "end": "request_missing", "problems": [],
    });
    assert_eq!(object(&orphan, false), expected);
    let tls = object(&record(None, None, "tls"), true);
    assert_eq!(
        (&tls["start"], &tls["request"], &tls["response"]),
        (&json!(null), &json!(null), &json!(null))
    );
}

#[test]
fn bodies_on_request() {
    let (mut asked, mut answered) = (request("POST", b"/"), response(200));
    asked.body = body("{\"grün\": 1}".as_bytes());
    answered.body = body(b"\x1f\x8b\xff");
    answered.body.len = 9;
    let object = object(&record(Some(&asked), Some(&answered), COMPLETE), true);
    let (asked, answered) = (&object["request"], &object["response"]);
    assert_eq!(asked["body"], "{\"grün\": 1}");
    assert!(asked.get("body_base64").is_none() && asked.get("body_kept_bytes").is_none());
    assert_eq!((&answered["body_base64"], &answered["body_bytes"]), (&json!("H4v/"), &json!(9)));
    assert_eq!((answered.get("body"), &answered["body_kept_bytes"]), (None, &json!(3)));
}

#[test]
fn coded_bodies_are_shown_as_sent_and_decoded() {
    let coding = |coding: &str| headers(&[("Content-Encoding", coding.as_bytes())]);
    let (mut asked, mut answered) = (request("POST", b"/"), response(200));
    (asked.headers, asked.body) = (coding("gzip"), body(&encode("gzip", b"hello")));
    (answered.headers, answered.body) = (coding("br"), body(&encode("br", b"\xff")));
    fn both(asked: &Request, answered: &Response, bodies: bool) -> Value {
        object(&record(Some(asked), Some(answered), COMPLETE), bodies)
    }
    let shown = both(&asked, &answered, true);
    let (request, response) = (&shown["request"], &shown["response"]);
    assert_eq!(
        (&request["body_decoded"], &response["body_decoded_base64"]),
        (&json!("hello"), &json!("/w=="))
    );
    assert!(request["body_base64"].as_str().is_some_and(|sent| sent.starts_with("H4sI")));
    assert!(request.get("body_decoded_base64").is_none() && response.get("body_decoded").is_none());
    assert_eq!(shown["problems"], json!([]));

    (asked.body, answered.body) = (body(b"hello"), body(b"\x40"));
    let shown = both(&asked, &answered, true);
    assert_eq!(shown["problems"], json!(["body_corrupt", "body_truncated"]));
    assert_eq!((&shown["request"]["body"], shown["request"].get("body_decoded")), (&json!("hello"), None));
    assert_eq!(both(&asked, &answered, false)["problems"], json!([]), "nobody asked for bodies");
    answered.whole = false;
    assert_eq!(
        both(&asked, &answered, true)["problems"],
        json!(["body_corrupt"]),
        "of a part nothing is known"
    );
}

#[test]
fn hostile_bytes_stay_in_their_line() {
    let all: Vec<u8> = (0..=255).filter(|byte| *byte != b'\n').collect();
    let mut asked = request("GET", b"/\x1b]0;x\x07\r\n\"\\");
    asked.headers = headers(&[("X", &all), ("Y", "\u{202e}".as_bytes())]);
    let record = record(Some(&asked), None, "response_missing");
    assert_eq!(line(&record, true).matches('\n').count(), 1);
    let request = &object(&record, true)["request"];
    assert_eq!(request["target"], "/\u{1b}]0;x\u{7}\r\n\"\\");
    let latin: Vec<u8> = request["headers"][0][1].as_str().unwrap().chars().map(|c| c as u8).collect();
    assert_eq!(latin, all);
    assert_eq!(request["headers"][1][1], "\u{202e}");
    asked.target = Bytes::from(b"/x".repeat(32 << 10));
    let record = record_of(&asked);
    assert_eq!(object(&record, false)["request"]["target"].as_str().unwrap().len(), 64 << 10);
}

fn record_of(request: &Request) -> Record<'_> {
    record(Some(request), None, "response_missing")
}

#[test]
fn the_last_line_is_the_summary() {
    let mut out = Vec::new();
    let mut json = Box::new(Json::new(&mut out, false));
    json.exchange(&record(None, None, "tls")).unwrap();
    json.end(&Summary::default()).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["summary"]["exchanges"]["imbalance"], 0);
}
