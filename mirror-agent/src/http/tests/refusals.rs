//! What is refused, by whom.

use super::*;

fn request_problem(head: &[u8], body: &[u8]) -> Option<&'static str> {
    let text = [head, b"\r\n", body].concat();
    let whole = problem_of_request(&[&text]);
    for at in 0..=text.len() {
        let (a, b) = text.split_at(at);
        assert_eq!(problem_of_request(&[a, b]), whole, "{} at {at}", text.escape_ascii());
    }
    whole
}

fn problem_of_request(pieces: &[&[u8]]) -> Option<&'static str> {
    let mut decoder = RequestDecoder::new(false);
    for piece in pieces {
        let mut data = *piece;
        while let Some(item) = decoder.push(AT, &mut data, &LIMITS) {
            if let RequestItem::Refused { problem, .. } = item {
                assert!(decoder.is_dead());
                return Some(problem.as_str());
            }
        }
    }
    None
}

fn response_problem(head: &[u8], body: &[u8]) -> Option<&'static str> {
    let mut decoder = ResponseDecoder::new();
    decoder.expect(Asked::Other);
    let text = [head, b"\r\n", body].concat();
    for byte in text.chunks(1) {
        let mut data = byte;
        if let Some(ResponseItem::Refused { problem, .. }) = decoder.push(AT, &mut data, &LIMITS) {
            return Some(problem.as_str());
        }
    }
    None
}

#[test]
fn lines_that_begin_no_request() {
    let table: [(&[u8], &str); 17] = [
        (b"GET  / HTTP/1.1\r\n", "request_line"),
        (b"GET / HTTP/1.1 \r\n", "version"),
        (b"GET /\r\n", "request_line"),
        (b"GET\r\n", "request_line"),
        (b" GET / HTTP/1.1\r\n", "request_line"),
        (b"GET\t/ HTTP/1.1\r\n", "request_line"),
        (b"GET /a b HTTP/1.1\r\n", "version"),
        (b"GET /\x7f HTTP/1.1\r\n", "request_line"),
        (b"GET /\r HTTP/1.1\r\n", "request_line"),
        (b"GET / HTTP/2.0\r\n", "version"),
        (b"GET / HTTP/1.\r\n", "version"),
        (b"GET / HTTP/1.10\r\n", "version"),
        (b"GET / http/1.1\r\n", "version"),
        (b"GET / HTTP/0.9\r\n", "version"),
        (b"\0\0\0", "request_line"),
        (b"GET: / HTTP/1.1\r\n", "request_line"),
        (b"HTTP/1.1 200 OK\r\n", "request_line"),
    ];
    for (line, expected) in table {
        assert_eq!(request_problem(line, b""), Some(expected), "{}", line.escape_ascii());
    }
    assert_eq!(request_problem(&[b'A'; 65], b""), Some("request_line"));
}

#[test]
fn fields_that_are_none() {
    let table: [(&[u8], &str, Option<&str>); 10] = [
        (b"A\r\n", "field", Some("field")),
        (b": b\r\n", "field", Some("field")),
        (b"A : b\r\n", "field", None),
        (b"A b: c\r\n", "field", Some("field")),
        (b" A: b\r\n", "field", Some("field")),
        (b"A: b\r\n c\r\n", "obs_fold", None),
        (b"A: b\r\n \r\n", "obs_fold", None),
        (b"A: b\rc\r\n", "bare_cr", Some("bare_cr")),
        (b"A: b\r\r\n", "bare_cr", Some("bare_cr")),
        (b"A: b\0c\r\n", "field", Some("field")),
    ];
    for (lines, of_request, of_response) in table {
        let shown = lines.escape_ascii();
        let request = [b"GET / HTTP/1.1\r\n", lines].concat();
        assert_eq!(request_problem(&request, b""), Some(of_request), "{shown}");
        let response = [b"HTTP/1.1 204 No\r\n", lines].concat();
        assert_eq!(response_problem(&response, b""), of_response, "{shown}");
    }
}

/// RFC 9112, sections 6.1 and 6.3: the shapes that smuggle requests.
#[test]
fn lengths_that_are_not_certain() {
    let table: [(&str, &str, Option<&str>); 19] = [
        ("Content-Length: 1\r\nContent-Length: 2\r\n", "content_length", Some("content_length")),
        ("Content-Length: 1, 2\r\n", "content_length", Some("content_length")),
        ("Content-Length: 1,\r\n", "content_length", Some("content_length")),
        ("Content-Length:\r\n", "content_length", Some("content_length")),
        ("Content-Length: -1\r\n", "content_length", Some("content_length")),
        ("Content-Length: +1\r\n", "content_length", Some("content_length")),
        ("Content-Length: 0x1\r\n", "content_length", Some("content_length")),
        ("Content-Length: 1 1\r\n", "content_length", Some("content_length")),
        ("Content-Length: 1.0\r\n", "content_length", Some("content_length")),
        ("Content-Length: 18446744073709551616\r\n", "content_length", Some("content_length")),
        ("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "length_conflict", Some("length_conflict")),
        ("Transfer-Encoding: x\r\nContent-Length: 1\r\n", "length_conflict", Some("length_conflict")),
        ("Transfer-Encoding: chunked, gzip\r\n", "transfer_encoding", Some("transfer_encoding")),
        ("Transfer-Encoding: chunked, chunked\r\n", "transfer_encoding", Some("transfer_encoding")),
        ("Transfer-Encoding: chunked;a\r\n", "transfer_encoding", Some("transfer_encoding")),
        ("Transfer-Encoding: xchunked\r\n", "transfer_encoding", Some("transfer_encoding")),
        ("Transfer-Encoding: \x0bchunked\r\n", "transfer_encoding", Some("transfer_encoding")),
        ("Transfer-Encoding: gzip\r\n", "transfer_encoding", None),
        ("Transfer-Encoding:\r\n", "transfer_encoding", None),
    ];
    for (lines, of_request, of_response) in table {
        let request = format!("POST / HTTP/1.1\r\n{lines}");
        assert_eq!(request_problem(request.as_bytes(), b""), Some(of_request), "{lines}");
        let response = format!("HTTP/1.1 200 OK\r\n{lines}");
        assert_eq!(response_problem(response.as_bytes(), b""), of_response, "{lines}");
    }
    let old = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n";
    assert_eq!(request_problem(old, b""), Some("transfer_encoding"));
    let old = b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n";
    assert_eq!(response_problem(old, b""), Some("transfer_encoding"));
    let largest = b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n";
    assert_eq!(response_problem(largest, b"xx"), None);
}

#[test]
fn chunks_that_are_not_certain() {
    let table: [(&[u8], Option<&str>); 20] = [
        (b"1\r\nx\r\n0\r\n\r\n", None),
        (b"0\r\n\n", None),
        (b"0\r\nA: b\n\n", None),
        (b"FFFFFFFFFFFFFFFF\r\n", None),
        (b"0000000000000000000000001\r\n", None),
        (b"10000000000000000\r\n", Some("chunk")),
        (b"1\nx\r\n", Some("chunk")),
        (b"1\r\nx\n", Some("chunk")),
        (b"1\r\nxx\r\n", Some("chunk")),
        (b"1\rx", Some("chunk")),
        (b"\r\n", Some("chunk")),
        (b";a\r\n", Some("chunk")),
        (b" 1\r\n", Some("chunk")),
        (b"-1\r\n", Some("chunk")),
        (b"0x1\r\n", Some("chunk")),
        (b"1 1\r\n", Some("chunk")),
        (b"1;a\x00\r\n", Some("chunk")),
        (b"1;a\nx\r\n", Some("chunk")),
        (b"0\r\nA\r\n\r\n", Some("field")),
        (b"0\r\nGET / HTTP/1.1\r\n\r\n", Some("field")),
    ];
    for (body, expected) in table {
        let shown = body.escape_ascii();
        let request = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n";
        assert_eq!(request_problem(request, body), expected, "{shown}");
        let response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
        assert_eq!(response_problem(response, body), expected, "{shown}");
    }
}

#[test]
fn lines_that_begin_no_response() {
    let table: [(&[u8], &str); 10] = [
        (b"\r\n", "status_line"),
        (b"SSH-2.0-x\r\n", "status_line"),
        (b"HTTP/2 200\r\n", "status_line"),
        (b"HTTP/1.x 200 OK\r\n", "version"),
        (b"HTTP/1.1  200 OK\r\n", "status_line"),
        (b"HTTP/1.1 20 OK\r\n", "status_line"),
        (b"HTTP/1.1 2000 OK\r\n", "status_line"),
        (b"HTTP/1.1 099 OK\r\n", "status_line"),
        (b"HTTP/1.1\r\n", "status_line"),
        (b"HTTP/1.1 200 O\rK\r\n", "status_line"),
    ];
    for (line, expected) in table {
        assert_eq!(response_problem(line, b""), Some(expected), "{}", line.escape_ascii());
    }
}

#[test]
fn more_than_a_limit_is_refused() {
    let nine = "A: b\r\n".repeat(9);
    let long = format!("A: {}\r\n", "b".repeat(LIMITS.head));
    for (lines, expected) in [(&nine, "too_many_fields"), (&long, "head_too_long")] {
        let request = format!("GET / HTTP/1.1\r\n{lines}");
        assert_eq!(request_problem(request.as_bytes(), b""), Some(expected));
        let response = format!("HTTP/1.1 204 No\r\n{lines}");
        assert_eq!(response_problem(response.as_bytes(), b""), Some(expected));
        let trailers = format!("0\r\n{lines}\r\n");
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
        assert_eq!(response_problem(chunked, trailers.as_bytes()), Some(expected));
    }
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
    assert_eq!(response_problem(chunked, format!("1;{}", "a".repeat(5000)).as_bytes()), Some("chunk"));
}
