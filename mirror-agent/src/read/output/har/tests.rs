//! The file as others read it: as the format's types, field by field, and as plain JSON.

use std::path::PathBuf;

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::coding::tests::encode;
use crate::http::{Request, Response};
use crate::read::record::COMPLETE;
use crate::read::record::tests::{body, headers, record, request, response};
use crate::read::summary::Fates;

/// The file that these exchanges make.
fn written(records: &[Record<'_>]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path: PathBuf = directory.path().join("out.har");
    let mut har = Har::create(&path).unwrap();
    records.iter().for_each(|record| har.exchange(record).unwrap());
    assert!(!path.exists(), "it is not there before it is whole");
    let total = records.len() as u64;
    har.end(&Summary { exchanges: Fates { total, ..Fates::default() }, ..Summary::default() }).unwrap();
    std::fs::read_to_string(&path).unwrap()
}

fn entry(record: &Record<'_>) -> Value {
    let mut har: Value = serde_json::from_str(&written(&[*record])).unwrap();
    har["log"]["entries"][0].take()
}

fn url(request: &Request) -> String {
    let record = record(Some(request), None, "response_missing");
    entry(&record)["request"]["url"].as_str().unwrap().to_owned()
}

#[test]
fn an_entry_has_every_field_that_the_format_requires() {
    let mut asked = request("POST", b"/users/7?a=1&b&c=%20=");
    asked.body = body(b"{}");
    asked.headers = headers(&[("Host", b"shop.example"), ("Content-Type", b"application/json")]);
    let mut answered = response(302);
    answered.headers = headers(&[("Content-Type", b"text/plain"), ("location", b"/there")]);
    let mut record = record(Some(&asked), Some(&answered), COMPLETE);
    record.problems = &["bare_cr"];
    let expected = json!({
        "startedDateTime": "2026-03-01T12:00:00.123Z",
        "time": 2.0,
        "request": {
            "method": "POST",
            "url": "http://shop.example/users/7?a=1&b&c=%20=",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [
                {"name": "Host", "value": "shop.example"},
                {"name": "Content-Type", "value": "application/json"},
            ],
            "queryString": [
                {"name": "a", "value": "1"}, {"name": "b", "value": ""}, {"name": "c", "value": "%20="},
            ],
            "postData": {"mimeType": "application/json", "text": "{}"},
            "headersSize": -1,
            "bodySize": 2,
        },
        "response": {
            "status": 302,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [
                {"name": "Content-Type", "value": "text/plain"}, {"name": "location", "value": "/there"},
            ],
            "content": {"size": 5, "mimeType": "text/plain", "text": "hello"},
            "redirectURL": "/there",
            "headersSize": -1,
            "bodySize": 5,
        },
        "cache": {},
        "timings": {"blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": 0.2, "wait": 1.5, "receive": 0.3},
        "serverIPAddress": "10.0.0.4",
        "connection": "3",
        "_client": "10.0.0.9:51000",
        "_end": "complete",
        "_problems": ["bare_cr"],
    });
    assert_eq!(entry(&record), expected);
}

#[test]
fn the_log_holds_every_exchange_with_a_request() {
    let (asked, answered) = (request("GET", b"/"), response(200));
    let complete = record(Some(&asked), Some(&answered), COMPLETE);
    let missing = record(Some(&asked), None, "response_missing");
    let orphan = record(None, Some(&answered), "request_missing");
    let log = |records: &[Record<'_>]| {
        let har: Value = serde_json::from_str(&written(records)).unwrap();
        assert_eq!(har.as_object().unwrap().len(), 1);
        har["log"].clone()
    };
    let full = log(&[complete, orphan, missing]);
    assert_eq!((&full["version"], &full["creator"]["name"]), (&json!("1.2"), &json!("mirror-agent")));
    assert!(full["creator"]["version"].is_string());
    assert_eq!(full["entries"].as_array().unwrap().len(), 2);
    assert_eq!(full["comment"], "Seen on the wire; 1 exchanges without a request are left out");
    assert_eq!(log(&[])["entries"], json!([]));
}

#[test]
fn a_request_without_a_response_has_one_that_failed() {
    let asked = request("GET", b"/");
    let expected = json!({
        "status": 0, "statusText": "", "httpVersion": "", "cookies": [], "headers": [],
        "content": {"size": 0, "mimeType": "x-unknown"}, "redirectURL": "", "headersSize": -1, "bodySize": -1,
    });
    assert_eq!(entry(&record(Some(&asked), None, "response_missing"))["response"], expected);
}

#[test]
fn what_was_not_seen_is_not_measured() {
    let (asked, answered) = (request("GET", b"/"), Response { whole: false, ..response(200) });
    let gap = record(Some(&asked), Some(&answered), "response_gap");
    let entry = entry(&gap);
    assert_eq!((&entry["timings"]["wait"], &entry["timings"]["receive"]), (&json!(0.0), &json!(0.0)));
    assert_eq!(entry["response"]["bodySize"], -1);
    assert_eq!((&entry["_end"], entry["comment"].is_string()), (&json!("response_gap"), true));
}

#[test]
fn bodies_that_are_no_text_are_base64_and_cut_ones_say_so() {
    let (mut asked, mut answered) = (request("PUT", b"/"), response(200));
    asked.body = body(b"\xff\xfe");
    answered.body.kept = Bytes::from_static(b"hel");
    let entry = entry(&record(Some(&asked), Some(&answered), COMPLETE));
    let posted = json!({"mimeType": "x-unknown", "text": "//4=", "encoding": "base64"});
    assert_eq!(entry["request"]["postData"], posted);
    let content = &entry["response"]["content"];
    assert_eq!((&content["size"], &content["text"]), (&json!(5), &json!("hel")));
    assert_eq!(content["comment"], "text holds only the first bytes");
}

/// A response of JSON in a content coding.
fn coded(coding: &'static str, sent: &[u8]) -> Response {
    Response {
        body: body(sent),
        headers: headers(&[("Content-Type", b"text/json"), ("Content-Encoding", coding.as_bytes())]),
        ..response(200)
    }
}

#[test]
fn content_is_shown_without_its_codings() {
    let asked = request("GET", b"/");
    let content = "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]";
    for coding in ["gzip", "br", "zstd"] {
        let answered = coded(coding, &encode(coding, content.as_bytes()));
        let entry = entry(&record(Some(&asked), Some(&answered), COMPLETE));
        let (sent, saved) = (answered.body.len, content.len() as i64 - answered.body.len as i64);
        let expected =
            json!({"size": content.len(), "compression": saved, "mimeType": "text/json", "text": content});
        assert_eq!(entry["response"]["content"], expected);
        assert_eq!((&entry["response"]["bodySize"], &entry["_problems"]), (&json!(sent), &json!([])));
    }
    let answered = coded("gzip", &encode("gzip", b"\xff"));
    let content = entry(&record(Some(&asked), Some(&answered), COMPLETE))["response"]["content"].take();
    assert_eq!((&content["text"], &content["encoding"]), (&json!("/w=="), &json!("base64")));
    assert!(content["compression"].as_i64().is_some_and(|saved| saved < 0));
    // What was posted stays as it was sent.
    let Response { body, headers, .. } = coded("x-mine", b"hello");
    let posted = Request { body, headers, ..request("POST", b"/") };
    let entry = entry(&record(Some(&posted), None, "response_missing"));
    assert_eq!(entry["request"]["postData"], json!({"mimeType": "text/json", "text": "hello"}));
    assert_eq!(entry["_problems"], json!([]));
}

#[test]
fn what_cannot_be_decoded_is_shown_as_sent() {
    let asked = request("GET", b"/");
    let show = |response: &Response| {
        let mut entry = entry(&record(Some(&asked), Some(response), COMPLETE));
        (entry["response"]["content"].take(), entry["_problems"].take())
    };
    for (coding, problem) in [("gzip", "body_corrupt"), ("x-mine", "body_unknown")] {
        let comment = format!("{problem}: size and text are as sent");
        let expected = json!({"size": 5, "mimeType": "text/json", "text": "hello", "comment": comment});
        assert_eq!(show(&coded(coding, b"hello")), (expected, json!([problem])));
    }
    // Of a part nothing is claimed.
    let whole = encode("gzip", b"hello");
    let broken = Response { whole: false, ..coded("gzip", &whole[..20]) };
    assert_eq!(show(&broken).1, json!([]));
    let mut cut = coded("gzip", &whole[..20]);
    cut.body.len = whole.len() as u64;
    let (content, problems) = show(&cut);
    assert_eq!((&content["comment"], problems), (&json!("text holds only the first bytes"), json!([])));
}

#[test]
fn every_url_can_be_parsed() {
    let cases: [(&str, &[u8], &[u8], &str); 9] = [
        ("GET", b"/a", b"shop.example:8080", "http://shop.example:8080/a"),
        ("GET", b"/a", b"", "http://10.0.0.4:8080/a"),
        ("GET", b"/a", b"two words", "http://10.0.0.4:8080/a"),
        ("GET", b"/a", b"x/../y@z", "http://10.0.0.4:8080/a"),
        ("GET", b"/<\"\x1b\xff>|", b"[fd00::4]:80", "http://[fd00::4]:80/%3C%22%1B%FF%3E%7C"),
        ("GET", b"HTTPS://api.example/x", b"shop.example", "HTTPS://api.example/x"),
        ("GET", b"a", b"shop.example", "http://shop.example/a"),
        ("OPTIONS", b"*", b"shop.example", "http://shop.example/*"),
        ("CONNECT", b"db.example:443", b"db.example:443", "http://db.example:443"),
    ];
    for (method, target, host, expected) in cases {
        let mut request = request(method, target);
        request.headers = headers(&[("Host", host)]);
        assert_eq!(url(&request), expected);
    }
}
