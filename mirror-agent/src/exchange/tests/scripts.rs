//! Connections of which every byte is seen.

use super::*;

const POST: &str = "POST /p HTTP/1.1\r\nContent-Length: 4\r\n\r\n";

#[test]
fn turns() {
    check_split(&[get("/1"), ok("one"), get("/2"), ok("two")], &["/1=one", "/2=two"]);
    check_split(&[c(POST), c("body"), ok("p"), get("/2"), ok("two")], &["/p=p", "/2=two"]);
}

#[test]
fn pipelined_requests_complete_in_order() {
    let both = |a: &str, b: &str| s([ok_text(a), ok_text(b)].concat());
    check_split(&[get("/1"), get("/2"), get("/3"), ok("1"), both("2", "3")], &["/1=1", "/2=2", "/3=3"]);
    let text = "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n";
    check_split(&[c(text), both("1", "2"), get("/3"), ok("3")], &["/1=1", "/2=2", "/3=3"]);
    check_split(&[c(text), ok("1"), get("/3"), both("2", "3")], &["/1=1", "/2=2", "/3=3"]);
}

#[test]
fn the_method_decides_whether_there_is_a_body() {
    let head = s("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n");
    check_split(&[c("HEAD /1 HTTP/1.1\r\n\r\n"), get("/2"), head, ok("2")], &["/1=", "/2=2"]);
}

#[test]
fn an_answer_may_come_before_the_request_is_whole() {
    let close = s("HTTP/1.1 413 Too Large\r\nContent-Length: 1\r\n\r\n!");
    check_split(&[c(POST), close.clone(), c("body"), get("/2"), ok("2")], &["/p=!", "/2=2"]);
    check_split(&[c(POST), close.clone(), FinC], &["truncated"]);
    check_split(&[c(POST), close], &["truncated"]);
    let interim = s("HTTP/1.1 100 Continue\r\n\r\n");
    check_split(&[c(POST), interim, c("body"), ok("p")], &["/p=p"]);
}

#[test]
fn ends_of_connections() {
    check_split(&[get("/1")], &["response_missing"]);
    check_split(&[get("/1"), get("/2"), ok("1")], &["/1=1", "response_missing"]);
    let part = s("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
    check_split(&[get("/1"), get("/2"), part.clone()], &["truncated", "response_missing"]);
    check_split(&[get("/1"), get("/2"), part, FinS], &["truncated", "response_missing"]);
    let until_close = s("HTTP/1.1 200 OK\r\n\r\nhello");
    check_split(&[get("/1"), FinC, until_close.clone(), FinS], &["/1=hello"]);
    check_split(&[get("/1"), FinC, until_close], &["truncated"]);
    check_split(&[get("/1"), ok("1"), c("GET /2 HT"), FinC], &["/1=1", "truncated"]);
    check_split(&[get("/1"), ok("1"), c("GET /2 HT")], &["/1=1", "truncated"]);
    check_split(&[c(POST), c("bo"), FinC, ok("400")], &["truncated"]);
    check_split(&[get("/1"), c(POST), c("bo")], &["response_missing", "truncated"]);
}

#[test]
fn every_way_to_close_ends_every_request() {
    for how in [Close::Fin, Close::Reset, Close::Idle, Close::Evicted, Close::Reused] {
        let mut checked = Checked::new(false);
        [get("/1"), get("/2"), Closed(how)].iter().for_each(|step| checked.feed(step));
        let expect = match how {
            Close::Reset => "reset",
            // What is no longer watched may have been answered.
            Close::Evicted => "unwatched",
            _ => "response_missing",
        };
        assert_eq!(checked.said, [expect, expect], "{how:?}");
    }
}

#[test]
fn other_protocols_are_one_request_each() {
    let more = s("\x16\x03\x03 and whatever");
    check_split(&[c("\x16\x03\x01\x02\x00"), more.clone(), get("/1"), GapC(9), GapS(9)], &["tls"]);
    check_split(&[c("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), more.clone(), get("/1")], &["http2"]);
    check_split(&[c("\x00\x01\x02"), more, get("/1")], &["malformed"]);
}

#[test]
fn upgrades_end_what_is_under_way() {
    let switching = s("HTTP/1.1 101 Switching Protocols\r\nUpgrade: ws\r\n\r\n\x01\x02");
    let ask = c("GET /ws HTTP/1.1\r\nUpgrade: ws\r\nConnection: upgrade\r\n\r\n");
    check_split(
        &[get("/1"), ok("1"), ask.clone(), switching, c("\x01\x02"), get("/no")],
        &["/1=1", "upgraded"],
    );
    check_split(&[ask, ok("no"), get("/2"), ok("2")], &["/ws=no", "/2=2"]);
    let connect = c("CONNECT a:1 HTTP/1.1\r\n\r\n");
    let tunnel = s("HTTP/1.1 200 OK\r\n\r\n\x16\x03\x03");
    // The client need not wait with the first bytes of the other protocol.
    check_split(&[connect.clone(), c("\x16\x03\x01"), tunnel], &["upgraded"]);
    let no = s("HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno");
    check_split(&[connect, no, get("/2"), ok("2")], &["a:1=no", "/2=2"]);
}

#[test]
fn what_cannot_be_decoded_ends_the_decoding() {
    let smuggle = c("POST /2 HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    // Requests before it are not harmed.
    check_split(&[get("/1"), smuggle, get("/3"), ok("1"), ok("2")], &["malformed", "/1=1"]);
    let chunk = c("POST /2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    check_split(&[get("/1"), chunk, get("/3"), ok("1"), ok("2")], &["/1=1", "malformed"]);
    let bad = s("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n");
    check_split(&[get("/1"), get("/2"), bad, ok("2")], &["malformed", "malformed"]);
    check_split(&[get("/1"), s("SSH-2.0\r\n"), ok("1"), get("/2")], &["malformed"]);
}

#[test]
fn limits() {
    let large = c(format!("POST /l HTTP/1.1\r\nContent-Length: 300\r\n\r\n{}", "x".repeat(300)));
    check_split(&[large, ok("l"), get("/2"), ok("2")], &["oversize", "/2=2"]);
    let head = c(format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(600)));
    check_split(&[get("/1"), head, ok("1"), get("/2")], &["oversize", "/1=1"]);
    let four = ["/1", "/2", "/3", "/4"].map(get);
    let all = [&four[..], &[get("/5"), ok("1"), get("/6")]].concat();
    check_split(&all, &["crowded"; 5]);
    let enough = [&four[..], &[ok("1"), get("/5"), ok("2"), ok("3"), ok("4"), ok("5")]].concat();
    check_split(&enough, &["/1=1", "/2=2", "/3=3", "/4=4", "/5=5"]);
}

#[test]
fn waiting_requests_may_hold_so_many_bytes() {
    let mut shared = Shared::new(Limits { pending: 2200, ..LIMITS }, usize::MAX);
    let mut conversation = Conversation::new(false);
    let (mut said, mut bytes) = (Vec::new(), (0, 0));
    let put = c(format!("PUT /p HTTP/1.1\r\nContent-Length: 200\r\n\r\n{}", "x".repeat(200)));
    for step in [put.clone(), put.clone(), put.clone(), put, ok("1"), ok("2"), ok("3"), ok("4")] {
        conversation.on_event(&step.event(bytes), &mut shared, &mut |progress| match progress {
            Progress::Seen => {}
            Progress::Ended(ended) => said.push(ended.end.as_str().to_owned()),
            Progress::Complete(exchange) => said.push(show(&exchange)),
            Progress::Unasked(_) => {}
        });
        let (client, server) = step.len();
        bytes = (bytes.0 + client, bytes.1 + server);
        assert!(conversation.allocated() < 2200 + 4096);
    }
    assert_eq!(said, ["/p=1", "/p=2", "oversize", "oversize"]);
    assert_eq!(shared.stats.pending_full, 2);
}

#[test]
fn unasked_answers_are_counted_and_passed_over() {
    let timeout = s("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    let script = [get("/1"), ok("1"), timeout, get("/2"), ok("2")];
    check(&script, &["/1=1", "/2=2"]);
    let mut checked = Checked::new(false);
    script.iter().for_each(|step| checked.feed(step));
    let stats = checked.shared.stats;
    assert_eq!((stats.unasked, stats.server_skipped), (1, 0));
}

#[test]
fn reasons_have_names() {
    let names = Unmirrorable::ALL.map(Unmirrorable::as_str);
    assert_eq!(names, ["tls", "http2", "upgrade", "oversize", "gap", "truncated", "malformed"]);
}
