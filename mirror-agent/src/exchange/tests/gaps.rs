//! Bytes that were not seen: connections joined in their middle, and gaps. Pairs never shift.

use super::*;

const POST: &str = "POST /p HTTP/1.1\r\nContent-Length: 9\r\n\r\n";
const CHUNKED: &str = "POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc";

#[track_caller]
fn check_late(script: &[Say], expected: &[&str]) {
    assert_eq!(run(true, script), expected);
    (0..script.len()).for_each(|len| drop(run(true, &script[..len])));
}

#[test]
fn late_joins() {
    // In the middle of a request, of its answer, and between.
    check_late(&[c("dy"), ok("0"), get("/1"), ok("1"), get("/2"), ok("2")], &["/1=1", "/2=2"]);
    check_late(&[s("dy"), s("more"), get("/1"), ok("1")], &["/1=1"]);
    check_late(
        &[get("/1"), ok("1"), c("GET /2 "), c("HTTP/1.1\r\n\r\n"), s("HTTP/1.1 204 "), s("No\r\n\r\n")],
        &["/1=1", "/2="],
    );
    // The rest of an answer behind a request: the client did not wait, and others may be under way.
    check_late(&[get("/1"), s("dy"), ok("0"), get("/2"), ok("1")], &["unpaired", "unpaired"]);
    check_late(
        &[get("/1"), get("/2"), ok("0"), ok("1"), get("/3"), ok("3")],
        &["unpaired", "unpaired", "unpaired"],
    );
    // Neither HTTP/1 nor anything to count.
    check_late(&[c("\x17\x03\x03"), s("\x17\x03\x03"), c("\x16\x03\x03")], &[]);
}

#[test]
fn being_late_may_be_said_by_the_stream() {
    let mut shared = Shared::new(LIMITS, usize::MAX);
    let mut conversation = Conversation::default();
    let nothing = &mut |progress| panic!("{progress:?}");
    conversation.on_event(&Event::Opened { late: true }, &mut shared, nothing);
    conversation.on_event(&c("rest").event((0, 0)), &mut shared, nothing);
    conversation.on_event(&s("answer").event((0, 0)), &mut shared, nothing);
    assert_eq!((shared.stats.client_skipped, shared.stats.server_skipped), (4, 6));
}

#[test]
fn gaps_in_a_request() {
    // Inside a body of known length nothing else is lost: the pairs keep their order.
    check(&[c(POST), GapC(4), c("abcde"), ok("p"), get("/2"), ok("2")], &["request_gap", "/2=2"]);
    check(&[c(POST), GapC(9), get("/2"), ok("p"), ok("2")], &["request_gap", "/2=2"]);
    check(&[c(POST), GapC(4), c("GET /"), get("/2"), ok("p"), ok("2")], &["request_gap", "/2=2"]);
    check(&[c(CHUNKED), GapC(6), c("\r\n0\r\n\r\n"), ok("p"), get("/2"), ok("2")], &["request_gap", "/2=2"]);
    // Beyond it, the next request is found again, once the server was heard.
    check_waiting(&[c(POST), GapC(20), ok("p"), get("/2"), ok("2")], &["request_gap", "/2=2"]);
    check_waiting(&[c(CHUNKED), GapC(9), c("junk"), ok("p"), get("/2"), ok("2")], &["request_gap", "/2=2"]);
    check_waiting(&[c("GET /1 HT"), GapC(9), ok("1"), get("/2"), ok("2")], &["request_gap", "/2=2"]);
    check_waiting(&[c(POST), ok("p"), GapC(20), get("/2"), ok("2")], &["request_gap", "/2=2"]);
    // But not if it was never seen that the client waits.
    check(&[c(POST), GapC(20), ok("p"), get("/2"), ok("2")], &["request_gap", "unpaired"]);
    check(&[c(POST), ok("p"), GapC(9), get("/2"), ok("2")], &["request_gap", "/2=2"]);
}

/// As [`check`], on a connection whose client was seen waiting.
#[track_caller]
fn check_waiting(script: &[Say], expected: &[&str]) {
    let before = [get("/a"), ok("a"), get("/b"), ok("b")];
    check(&[&before, script].concat(), &[&["/a=a", "/b=b"], expected].concat());
}

#[test]
fn gaps_between_requests() {
    let lost = 26;
    // The lost request's answer came before the next request: a client that waits.
    check_waiting(&[ok("lost"), GapC(lost), get("/3"), ok("3")], &["/3=3"]);
    check_waiting(&[GapC(lost), ok("lost"), get("/3"), ok("3")], &["/3=3"]);
    check_waiting(&[GapC(lost), GapS(lost), get("/3"), ok("3")], &["/3=3"]);
    check(&[get("/1"), ok("1"), GapC(lost), ok("lost"), get("/3"), ok("3")], &["/1=1", "unpaired"]);
    check(&[GapC(lost), ok("lost"), get("/3"), ok("3")], &["unpaired"]);
    // It did not: nobody knows how many are under way.
    check_waiting(&[GapC(lost), get("/3"), ok("lost"), ok("3"), get("/4")], &["unpaired", "unpaired"]);
    check_waiting(
        &[get("/1"), GapC(lost), get("/3"), ok("1"), ok("lost"), ok("3"), get("/4")],
        &["unpaired", "unpaired", "unpaired"],
    );
    let both = [get("/1"), get("/2"), ok("1"), ok("2"), GapC(lost), get("/4"), ok("lost"), ok("4")];
    check_waiting(&both, &["/1=1", "/2=2", "unpaired"]);
    // In the middle of what was found again.
    let again = [GapC(lost), ok("lost"), get("/3"), GapC(lost), get("/5"), ok("3"), ok("4"), ok("5")];
    check_waiting(&again, &["unpaired", "unpaired"]);
    let again = [GapC(lost), ok("lost"), get("/3"), GapC(lost), ok("3"), get("/5"), ok("5")];
    check_waiting(&again, &["/3=3", "unpaired"]);
}

#[test]
fn gaps_in_a_response() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc";
    let rest = "\r\n0\r\n\r\n";
    // Inside a body of known length: the next head follows exactly.
    check(&[get("/1"), get("/2"), s(head), GapS(4), s("HTTP/"), ok("2")], &["response_gap", "/2=2"]);
    check(&[get("/1"), get("/2"), s(head), GapS(9), ok("2")], &["response_gap", "/2=2"]);
    check(&[get("/1"), get("/2"), s(chunks), GapS(6), s(rest), ok("2")], &["response_gap", "/2=2"]);
    check(&[get("/1"), s("HTTP/1.1 200 OK\r\n\r\nab"), GapS(99), s("cd"), FinS], &["response_gap"]);
    // Beyond it: everything under way is lost, and the next request is answered again.
    check(&[get("/1"), s(head), GapS(10), s("junk"), get("/2"), ok("2")], &["response_gap", "/2=2"]);
    check(&[get("/1"), GapS(99), get("/2"), ok("2")], &["response_gap", "/2=2"]);
    check(&[get("/1"), s("HTTP/1.1 2"), GapS(9), ok("1"), get("/2"), ok("2")], &["response_gap", "/2=2"]);
    check(&[get("/1"), ok("1"), GapS(99), get("/2"), ok("2")], &["/1=1", "/2=2"]);
    // Its rest comes after the next request: that may not be the next answer.
    check(
        &[get("/1"), GapS(99), get("/2"), s("junk"), ok("2"), get("/3")],
        &["response_gap", "unpaired", "unpaired"],
    );
    // An answer lost to the last byte shows only with the next answer, behind the next request.
    let heard = 2 * ok_text("a").len() as i64;
    let second = Say::AckC(Some(heard + 99), b"GET /2 HTTP/1.1\r\n\r\n".to_vec());
    let script = [get("/1"), second, GapS(99), ok("2"), get("/3"), ok("3")];
    check_waiting(&script, &["response_gap", "/2=2", "/3=3"]);
    // Without its acknowledgment it may be a client that does not wait any more.
    let script = [get("/1"), get("/2"), GapS(99), ok("2"), get("/3"), ok("3")];
    check_waiting(&script, &["response_gap", "response_gap", "unpaired"]);
    // A client that does not wait, or may not.
    check(
        &[get("/1"), get("/2"), GapS(99), ok("2"), get("/3"), ok("3")],
        &["response_gap", "response_gap", "unpaired"],
    );
    check(
        &[get("/1"), get("/2"), ok("1"), ok("2"), GapS(99), get("/3"), ok("3")],
        &["/1=1", "/2=2", "unpaired"],
    );
}

#[test]
fn gaps_in_a_response_while_the_request_is_sent() {
    let script = [c(POST), GapS(25), c("123456789"), ok("p"), get("/2"), ok("2")];
    check(&script, &["response_gap", "/2=2"]);
    // An answer that came before its request was whole is not lost with what follows it.
    check(&[c(POST), ok("p"), GapS(9), c("123456789"), get("/2"), ok("2")], &["/p=p", "/2=2"]);
}

#[test]
fn gaps_are_counted() {
    let mut checked = Checked::new(false);
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    let script = [get("/1"), s(head), GapS(9), GapC(1), ok("x"), get("/2"), s("junk"), get("/3")];
    script.iter().for_each(|step| checked.feed(step));
    let Stats { gaps_inside, gaps_between, adrift, server_skipped, .. } = checked.shared.stats;
    assert_eq!((gaps_inside, gaps_between, adrift, server_skipped), (1, 1, 1, 43));
}
