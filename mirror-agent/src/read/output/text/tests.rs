//! Lines and totals as they are read, written by hand, and what hostile targets do to them.

use super::*;
use crate::http::{Request, Response};
use crate::read::paths::ROWS;
use crate::read::record::COMPLETE;
use crate::read::record::tests::{START, headers, record, request, response};
use crate::read::summary::Fates;
use crate::time::Nanos;

fn text(record: &Record<'_>, colour: bool) -> String {
    let mut out = Vec::new();
    let mut output = Text { headed: true, ..Text::new(&mut out, colour) };
    output.exchange(record).unwrap();
    String::from_utf8(out).unwrap()
}

fn end(summary: &Summary, colour: bool) -> String {
    let mut out = Vec::new();
    Box::new(Text::new(&mut out, colour)).end(summary).unwrap();
    String::from_utf8(out).unwrap()
}

fn of_target(target: &[u8]) -> Request {
    request("GET", target)
}

#[test]
fn lines() {
    let (asked, answered) = (of_target(b"/users/7?x=1"), response(200));
    let complete = record(Some(&asked), Some(&answered), COMPLETE);
    let part = Response { whole: false, ..answered.clone() };
    let gap = record(Some(&asked), Some(&part), "response_gap");
    let gap = Record { problems: &["bare_cr", "length"], ..gap };
    let answer = record(None, Some(&answered), "request_missing");
    let tls = record(None, None, "tls");
    let mut out = Vec::new();
    let mut output = Text::new(&mut out, false);
    for record in [complete, gap, answer, tls] {
        output.exchange(&record).unwrap();
    }
    let expected = "\
time                         client                 method   target                                    status      sent  received       ttfb      total
2026-03-01T12:00:00.123456Z  10.0.0.9:51000         GET      /users/7?x=1                                 200       0 B       5 B    1.50 ms    2.00 ms
2026-03-01T12:00:00.123456Z  10.0.0.9:51000         GET      /users/7?x=1                                 200       0 B      5 B+          -          -  response_gap  bare_cr  length
2026-03-01T12:00:00.125156Z  10.0.0.9:51000         -        -                                            200         -       5 B          -          -  request_missing
-                            10.0.0.9:51000         -        -                                              -         -         -          -          -  tls
";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn colours_are_of_the_status_and_the_trouble() {
    let asked = of_target(b"/");
    for (status, code) in [(101, "35"), (204, "32"), (302, "36"), (404, "33"), (700, "35")] {
        let answered = response(status);
        let text = text(&record(Some(&asked), Some(&answered), COMPLETE), true);
        assert!(text.contains(&format!("\x1b[{code}m   {status}\x1b[0m ")), "{text:?}");
    }
    let answered = response(503);
    let trouble = Record { problems: &["chunk"], ..record(Some(&asked), Some(&answered), "reset") };
    let text = text(&trouble, true);
    assert!(text.contains("\x1b[1m\x1b[31m   503\x1b[0m"), "{text:?}");
    assert!(text.ends_with("  \x1b[31mreset\x1b[0m  \x1b[33mchunk\x1b[0m\n"), "{text:?}");
}

#[test]
fn no_target_drives_the_terminal() {
    let long = b"/x".repeat(32 << 10);
    let hostile: [&[u8]; 5] =
        [b"/\x1b[2J\x1b]0;x\x07", b"/a\r\nb", "/\u{202e}fdp".as_bytes(), b"/\x9b\xff", &long];
    for target in hostile {
        let mut asked = of_target(target);
        asked.headers = headers(&[("Host", target)]);
        let record = record(Some(&asked), None, "response_missing");
        let mut summary = Summary::default();
        summary.paths.add(&record);
        let line = text(&record, false);
        assert_eq!(line.lines().count(), 1);
        assert!(line.chars().count() < 300, "{line}");
        for text in [line, end(&summary, false)] {
            assert!(!text.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'), "{text:?}");
        }
    }
}

#[test]
fn the_totals() {
    let mut summary =
        Summary { first: Some(Nanos(START)), last: Some(Nanos(START + 1_250_000_000)), ..Summary::default() };
    let (user, root) = (of_target(b"/users/7"), of_target(b"/"));
    let (fine, broken) = (response(200), response(500));
    summary.paths.add(&record(Some(&root), None, "response_missing"));
    summary.paths.add(&record(Some(&user), Some(&fine), COMPLETE));
    summary.paths.add(&record(Some(&user), Some(&broken), COMPLETE));
    summary.frames = Fates { total: 12, fates: [("arp", 2), ("tcp", 10), ("udp", 0)].into() };
    summary.payload_bytes = Fates { total: 2048, fates: [("delivered", 2048)].into() };
    summary.exchanges = Fates { total: 3, fates: [(COMPLETE, 2), ("response_missing", 1)].into() };
    // Quantiles are middles of buckets: 1.5 ms of 2^20.5 to 2^20.625 ns, 2 ms of 2^20.875 to 2^21 ns.
    let expected = "
 host          path         count  2xx  3xx  4xx  5xx  other  ttfb p50      p99  total p50      p99
 shop.example  /users/{id}      2    1    0    0    1      0   1.55 ms  1.55 ms    2.01 ms  2.01 ms
 shop.example  /                1    0    0    0    0      1         -        -          -        -

frames       12: 10 tcp, 2 arp
segments     0
bytes        2.0 KiB: 2.0 KiB delivered
connections  0
exchanges    3: 2 complete, 1 response_missing
time         1.250 s
";
    assert_eq!(end(&summary, false), expected[1..]);
}

#[test]
fn what_is_missing_is_loud() {
    let mut summary = Summary::default();
    assert!(!end(&summary, false).contains("LOST"));
    summary.lost = [("gap_bytes", 9), ("full_table", 0)].into();
    summary.frames.total = 2;
    summary.problems.insert("bare_cr", 3);
    let text = end(&summary, true);
    assert!(text.contains("problems     3 bare_cr\n"), "{text}");
    assert!(text.contains("\x1b[1m\x1b[31mLOST         9 gap_bytes\x1b[0m\n"), "{text:?}");
    assert!(text.ends_with("\x1b[1m\x1b[31mNOT BALANCED frames: 2 have no fate\x1b[0m\n"), "{text:?}");
}

#[test]
fn the_table_shows_the_largest_rows_and_says_what_it_leaves_out() {
    let mut summary = Summary::default();
    for index in 0..ROWS + 7 {
        let mut asked = of_target(b"/");
        asked.headers = headers(&[("Host", format!("h{index}").as_bytes())]);
        summary.paths.add(&record(Some(&asked), None, "response_missing"));
    }
    let text = end(&summary, false);
    assert!(text.contains("… and 950 more rows of 950 exchanges"), "{text}");
    assert_eq!(text.lines().filter(|line| line.trim_start().starts_with('h')).count(), 51);
    assert_eq!(
        text.lines().find(|line| line.starts_with(" other")).unwrap().split_whitespace().nth(2),
        Some("7")
    );
}
