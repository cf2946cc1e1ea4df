//! What the server's direction says.

use super::*;

/// Decodes what answers requests with these methods; `!` at the end of `asked`: the server then finishes.
fn decode_for(asked: &str, pieces: &[&[u8]]) -> Vec<String> {
    let mut decoder = ResponseDecoder::new();
    let asked_in_turn = asked.trim_end_matches('!').split(' ').filter(|m| !m.is_empty());
    let mut methods = asked_in_turn.map(|method| Method::new(method.to_owned()).unwrap());
    methods.next().iter().for_each(|method| decoder.expect(Asked::of(method)));
    let mut said = Vec::new();
    for piece in pieces {
        let mut data = *piece;
        while let Some(item) = decoder.push(AT, &mut data, &LIMITS) {
            if let ResponseItem::Complete { .. } = item {
                methods.next().iter().for_each(|method| decoder.expect(Asked::of(method)));
            }
            let stop = matches!(item, ResponseItem::Refused { .. } | ResponseItem::Switched(_));
            said.push(show(item));
            if stop {
                return said;
            }
        }
        assert!(data.is_empty());
    }
    if asked.ends_with('!') {
        said.extend(decoder.end().map(show));
    }
    said
}

fn show(item: ResponseItem) -> String {
    match item {
        ResponseItem::Complete { response, reuse } => {
            let Response { status, version, headers, body, .. } = *response;
            let (kept, sha) = (body.kept.escape_ascii(), hex(&body.sha256().unwrap()));
            let whole = if body.whole { "whole" } else { "part" };
            let end = if reuse { "reuse" } else { "close" };
            let version = version.as_str();
            format!("{version} {status} [{}] <{kept}> {whole} {} {sha} {end}", fields(&headers), body.len)
        }
        ResponseItem::Refused { problem, .. } => format!("refused {}", problem.as_str()),
        ResponseItem::Switched(response) => format!("Switched({})", response.status),
        ResponseItem::Holed(_) => "Holed".into(),
        other => format!("{other:?}"),
    }
}

fn check_for(asked: &str, input: &[u8], expected: &[&str]) {
    check(&|pieces| decode_for(asked, pieces), input, expected);
}

const EMPTY: &str = "<> whole 0 e3b0c442";
const HELLO: &str = "<hello> whole 5 2cf24dba";

#[test]
fn responses_with_a_length() {
    let ok = format!("HTTP/1.1 200 [Content-Length=5] {HELLO} reuse");
    check_for("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", &[&ok]);
    check_for("GET", b"HTTP/1.1 200\nContent-Length: 5\n\nhello", &[&ok]);
    let two = b"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n";
    check_for("GET GET", two, &[&ok, &format!("HTTP/1.1 404 [Content-Length=0] {EMPTY} reuse")]);
}

#[test]
fn responses_without_a_body() {
    let lengthy = format!("[Content-Length=5] {EMPTY} reuse");
    let text =
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n";
    check_for("HEAD GET", text, &[&format!("HTTP/1.1 200 {lengthy}"), &format!("HTTP/1.1 304 {lengthy}")]);
    let none = b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n";
    check_for("GET", none, &[&format!("HTTP/1.1 204 [Transfer-Encoding=chunked] {EMPTY} reuse")]);
}

#[test]
fn responses_in_chunks() {
    let text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;q=1\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\nC: d\r\n\r\n";
    check_for("GET", text, &[&format!("HTTP/1.1 200 [Transfer-Encoding=chunked] {HELLO} reuse")]);
}

#[test]
fn responses_that_the_end_of_the_connection_ends() {
    let ended = format!("HTTP/1.1 200 [] {HELLO} close");
    check_for("GET!", b"HTTP/1.1 200 OK\r\n\r\nhello", &[&ended]);
    check_for("GET", b"HTTP/1.1 200 OK\r\n\r\nhello", &[]);
    let gzip = format!("HTTP/1.1 200 [Transfer-Encoding=gzip] {HELLO} close");
    check_for("GET!", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello", &[&gzip]);
    for cut in ["HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", "HTTP/1.1 2", "H"] {
        check_for("GET!", cut.as_bytes(), &["refused incomplete"]);
    }
    check_for("GET!", b"", &[]);
}

#[test]
fn interim_responses_are_passed_over() {
    let text = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n";
    let last = format!("HTTP/1.1 204 [] {EMPTY} reuse");
    check_for("GET", text, &["Interim(100)", "Interim(103)", &last]);
    let many = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(4);
    let all = ["Interim(100)", "Interim(100)", "Interim(100)", "refused too_many_interim"];
    check_for("GET", &many, &all);
}

#[test]
fn connections_that_become_something_else() {
    check_for("GET", b"HTTP/1.1 101 Switching\r\nUpgrade: ws\r\n\r\n\x81\x05", &["Switched(101)"]);
    check_for("CONNECT", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\x16\x03", &["Switched(200)"]);
    let refused = format!("HTTP/1.1 407 [Content-Length=5] {HELLO} reuse");
    check_for("CONNECT", b"HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\nhello", &[&refused]);
}

#[test]
fn whether_the_connection_may_be_used_again() {
    let table = [
        ("HTTP/1.1", "", "reuse"),
        ("HTTP/1.1", "Connection: Close\r\n", "close"),
        ("HTTP/1.1", "Connection: x, close\r\n", "close"),
        ("HTTP/1.1", "Connection: x\r\nConnection: close\r\n", "close"),
        ("HTTP/1.0", "", "close"),
        ("HTTP/1.0", "Connection: Keep-Alive\r\n", "reuse"),
        ("HTTP/1.0", "Connection: keep-alive, close\r\n", "close"),
    ];
    for (version, lines, expected) in table {
        let text = format!("{version} 204 No\r\n{lines}\r\n");
        let said = decode_for("GET", &[text.as_bytes()]);
        assert!(said.len() == 1 && said[0].ends_with(expected), "{text}: {said:?}");
    }
}

#[test]
fn servers_are_forgiven_folds_and_spaces_before_colons() {
    let folded = b"HTTP/1.1 204 No\r\nA: b\r\n  c\r\n\td\r\nE : f\nG: h\n i\r\nJ:\r\n k\r\n\r\n";
    let expected = format!("HTTP/1.1 204 [A=b    c  \\td|E=f|G=h  i|J=k] {EMPTY} reuse");
    check_for("GET", folded, &[&expected]);
}

#[test]
fn content_over_the_cap_is_hashed() {
    let text = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234567890123456789";
    check_for("GET", text, &["HTTP/1.1 200 [Content-Length=20] <0123456789012345> part 20 4e76ad83 reuse"]);
}

#[test]
fn unasked_bytes_are_refused() {
    check_for("", b"HTTP/1.1 408 Timeout\r\n\r\n", &["refused unexpected"]);
    let second = format!("HTTP/1.1 200 [Content-Length=5] {HELLO} reuse");
    check_for("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhellox", &[&second, "refused unexpected"]);
}

#[test]
fn times_are_those_of_the_final_response() {
    let mut decoder = ResponseDecoder::new();
    decoder.expect(Asked::Other);
    let pieces = ["HTTP/1.1 100 C\r\n\r\n", "H", "TTP/1.1 200 OK\r\n", "\r\n", "x", ""];
    for (piece, at) in pieces.iter().zip(1..) {
        let mut data = piece.as_bytes();
        while decoder.push(Nanos(at), &mut data, &LIMITS).is_some() {}
    }
    assert!(decoder.in_progress());
    let Some(ResponseItem::Complete { response, .. }) = decoder.end() else { panic!("not complete") };
    assert_eq!((response.started, response.finished), (Nanos(2), Nanos(5)));
}

#[test]
fn gaps_within_content_are_exact() {
    let sized = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab";
    let table = [
        (sized, 3, "cdef", true),
        (sized, 7, "", true),
        (sized, 8, "", false),
        (chunked, 7, "\r\n0\r\n\r\n", true),
        (chunked, 8, "", false),
        ("", 1, "", false),
        ("HTTP/1.1 200", 1, "", false),
    ];
    for (before, gap, rest, inside) in table {
        let mut decoder = ResponseDecoder::new();
        let get = Method::new("GET").unwrap();
        decoder.expect(Asked::of(&get));
        assert!(decoder.push(AT, &mut before.as_bytes(), &LIMITS).is_none());
        assert_eq!(decoder.gap(gap), inside, "{before} {gap}");
        let mut data = rest.as_bytes();
        if inside {
            assert!(matches!(decoder.push(AT, &mut data, &LIMITS), Some(ResponseItem::Holed(_))));
        } else {
            decoder.abandon();
        }
        decoder.expect(Asked::of(&get));
        let mut data = b"HTTP/1.1 204 No\r\n\r\n".as_slice();
        assert!(matches!(decoder.push(AT, &mut data, &LIMITS), Some(ResponseItem::Complete { .. })));
    }
}
