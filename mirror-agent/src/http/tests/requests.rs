//! What the client's direction says.

use super::*;

/// Decodes with a clock that counts the pieces. Times are shown only where a test asks.
fn decode(pieces: &[&[u8]]) -> Vec<String> {
    let mut decoder = RequestDecoder::new(false);
    let mut said = Vec::new();
    for piece in pieces {
        let mut data = *piece;
        while let Some(item) = decoder.push(AT, &mut data, &LIMITS) {
            said.push(show(item));
        }
        assert!(data.is_empty());
    }
    match decoder.end() {
        Partial::None => {}
        Partial::Head => said.push("partial Head".into()),
        Partial::Body(_) => said.push("partial Body".into()),
    }
    said
}

fn show(item: RequestItem) -> String {
    match item {
        RequestItem::Begun(begun) if begun.switches => format!("begun {} to switch", begun.method),
        RequestItem::Begun(begun) => format!("begun {}", begun.method),
        RequestItem::Whole(request) => show_whole(&request),
        RequestItem::Refused { problem, begun } => {
            format!("refused {}{}", problem.as_str(), if begun.is_some() { " midway" } else { "" })
        }
        RequestItem::Oversize(_) => "Oversize".into(),
        RequestItem::Holed(_) => "Holed".into(),
        other => format!("{other:?}"),
    }
}

fn show_whole(request: &Request) -> String {
    let Request { method, target, version, headers, body, wire, line_end, .. } = request;
    assert!(body.whole && body.len == body.kept.len() as u64);
    assert!(wire[..*line_end].ends_with(b"\n"));
    let (line, wire, sha) = (*line_end, wire.len(), hex(&body.sha256().unwrap()));
    let (target, content) = (target.escape_ascii(), body.kept.escape_ascii());
    format!("{method} {target} {} [{}] <{content}> {sha} {line}/{wire}", version.as_str(), fields(headers))
}

// The digests are from sha256sum(1).

#[test]
fn requests_without_a_body() {
    let whole = "GET / HTTP/1.1 [Host=a] <> e3b0c442 16/27";
    check(&decode, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &["begun GET", whole]);
    let lone_lf = "GET / HTTP/1.1 [Host=a] <> e3b0c442 15/24";
    check(&decode, b"GET / HTTP/1.1\nHost: a\n\n", &["begun GET", lone_lf]);
    let none = "OPTIONS * HTTP/1.0 [] <> e3b0c442 20/22";
    check(&decode, b"OPTIONS * HTTP/1.0\r\n\r\n", &["begun OPTIONS", none]);
    let odd = r"X!-y http://h/\xc3\xa9?a=%20 HTTP/1.1 [A=|B=b \t c|a=x:y] <> e3b0c442 33/60";
    let text = b"X!-y http://h/\xc3\xa9?a=%20 HTTP/1.7\r\nA:\r\nB: \t b \t c\t \r\na:x:y\r\n\r\n";
    check(&decode, text, &["begun X!-y", odd]);
}

#[test]
fn empty_lines_before_a_request_are_no_part_of_it() {
    let whole = "GET / HTTP/1.1 [] <> e3b0c442 16/18";
    check(&decode, b"\r\n\n\r\nGET / HTTP/1.1\r\n\r\n", &["begun GET", whole]);
    check(&decode, b"\r\n\r\n", &[]);
    check(&decode, b"\rGET / HTTP/1.1\r\n\r\n", &["refused request_line"]);
    check(&decode, b"\r\rGET / HTTP/1.1\r\n\r\n", &["refused request_line"]);
}

#[test]
fn requests_with_a_length() {
    let text = b"POST /p HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n\r\n";
    let post = "POST /p HTTP/1.1 [Content-Length=5] <hello> 2cf24dba 18/44";
    check(&decode, text, &["begun POST", post, "begun GET", "GET / HTTP/1.1 [] <> e3b0c442 16/18"]);
    let agreeing = b"PUT / HTTP/1.1\r\nContent-Length: 1, 01\r\ncontent-length: 1\r\n\r\nx";
    let put = "PUT / HTTP/1.1 [Content-Length=1, 01|content-length=1] <x> 2d711642 16/61";
    check(&decode, agreeing, &["begun PUT", put]);
}

#[test]
fn requests_in_chunks() {
    let text = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
        3;a=\"b\"\r\nhel\r\n02 \t;x\r\nlo\r\n00\r\nT: u\r\n\r\n";
    let whole = "POST / HTTP/1.1 [Transfer-Encoding=chunked] <hello> 2cf24dba 17/85";
    check(&decode, text, &["begun POST", whole]);
    let gzip = b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: ,Chunked,\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n";
    let whole =
        "POST / HTTP/1.1 [Transfer-Encoding=gzip|Transfer-Encoding=,Chunked,] <0123456789> 84d89877 17/94";
    check(&decode, gzip, &["begun POST", whole]);
}

#[test]
fn a_chunked_body_keeps_its_framing_on_the_wire() {
    let text = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
    let mut decoder = RequestDecoder::new(false);
    let mut data = text.as_slice();
    assert!(matches!(decoder.push(AT, &mut data, &LIMITS), Some(RequestItem::Begun(_))));
    let Some(RequestItem::Whole(request)) = decoder.push(AT, &mut data, &LIMITS) else { panic!("not whole") };
    assert_eq!(request.wire, text.as_slice());
    assert_eq!(&request.wire[..request.line_end], b"POST / HTTP/1.1\r\n");
}

#[test]
fn a_body_over_the_limit_is_decoded_and_not_kept() {
    let next = ["begun GET", "GET / HTTP/1.1 [] <> e3b0c442 16/18"];
    let body = [b'x'; 65];
    let get = b"GET / HTTP/1.1\r\n\r\n";
    let sized = [b"PUT / HTTP/1.1\r\nContent-Length: 65\r\n\r\n".as_slice(), &body, get].concat();
    check(&decode, &sized, &["begun PUT", "Oversize", next[0], next[1]]);
    // In chunks the framing counts too: 59 bytes of content are 69 on the wire.
    let head = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3b\r\n".as_slice();
    let chunked = [head, &body[..59], b"\r\n0\r\n\r\n", get].concat();
    check(&decode, &chunked, &["begun PUT", "Oversize", next[0], next[1]]);
}

#[test]
fn requests_that_ask_to_switch() {
    let connect = "CONNECT h:1 HTTP/1.1 [] <> e3b0c442 22/24";
    check(&decode, b"CONNECT h:1 HTTP/1.1\r\n\r\n", &["begun CONNECT to switch", connect]);
    let upgrade = "GET / HTTP/1.1 [Upgrade=ws] <> e3b0c442 16/31";
    check(&decode, b"GET / HTTP/1.1\r\nUpgrade: ws\r\n\r\n", &["begun GET to switch", upgrade]);
}

#[test]
fn other_protocols_are_recognised_at_the_very_beginning_only() {
    check(&decode, b"\x16\x03\x01\x02\x00\x01", &["Tls"]);
    check(&decode, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0", &["Http2"]);
    let get = ["begun GET", "GET / HTTP/1.1 [] <> e3b0c442 16/18"];
    check(&decode, b"GET / HTTP/1.1\r\n\r\n\x16\x03\x01", &[get[0], get[1], "refused request_line"]);
    let preface = b"GET / HTTP/1.1\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    check(&decode, preface, &[get[0], get[1], "refused version"]);
}

#[test]
fn what_is_unfinished_is_said_at_the_end() {
    check(&decode, b"GE", &["partial Head"]);
    check(&decode, b"GET / HTTP/1.1\r\n\r", &["partial Head"]);
    check(&decode, b"\x16", &["partial Head"]);
    let text = b"PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\nx";
    check(&decode, text, &["begun PUT", "partial Body"]);
}

#[test]
fn times_are_those_of_the_first_and_the_last_byte() {
    let mut decoder = RequestDecoder::new(false);
    let pieces = ["\r\n", "P", "UT / HTTP/1.1\r\nContent-Length: 2\r\n", "\r\n", "a", "bGET"];
    let mut times = Vec::new();
    for (piece, at) in pieces.iter().zip(1..) {
        let mut data = piece.as_bytes();
        while let Some(item) = decoder.push(Nanos(at), &mut data, &LIMITS) {
            match item {
                RequestItem::Begun(begun) => times.push(begun.started.0),
                RequestItem::Whole(request) => times.extend([request.started.0, request.finished.0]),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(times, [2, 2, 6]);
}

/// Decodes chunks, with gaps of so many bytes between them.
fn decode_with_gap(late: bool, before: &[u8], gap: u64, after: &[&[u8]]) -> Vec<String> {
    let mut decoder = RequestDecoder::new(late);
    let mut said = Vec::new();
    let feed = |decoder: &mut RequestDecoder, said: &mut Vec<String>, mut data: &[u8]| {
        while let Some(item) = decoder.push(AT, &mut data, &LIMITS) {
            said.push(show(item));
        }
    };
    feed(&mut decoder, &mut said, before);
    if gap > 0 {
        said.push(match decoder.gap(gap) {
            RequestGap::Lost(Partial::Body(_)) => "Lost(Body)".into(),
            other => format!("{other:?}"),
        });
    }
    after.iter().for_each(|piece| feed(&mut decoder, &mut said, piece));
    said
}

#[test]
fn a_late_decoder_waits_for_a_chunk_that_begins_a_request() {
    let get = ["begun GET", "GET / HTTP/1.1 [] <> e3b0c442 16/18"];
    let skipped: [&[u8]; 8] = [
        b"x GET / HTTP/1.1\r\n\r\n",
        b"\r\nGET / HTTP/1.1\r\n\r\n",
        b"GETS / HTTP/1.1\r\n\r\n",
        b"GET me a coffee",
        b"GET / HTTP/3\r\n\r\n",
        b"/x HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"\x16\x03\x01",
    ];
    for chunk in skipped {
        let said = decode_with_gap(true, chunk, 0, &[b"GET / HTTP/1.1\r\n\r\n"]);
        assert_eq!(said, get, "{}", chunk.escape_ascii());
    }
    for target in ["/", "*", "http://a/", "https://a/"] {
        let text = format!("GET {target} HTTP/1.1\r\n\r\n");
        assert_eq!(decode_with_gap(true, text.as_bytes(), 0, &[]).len(), 2, "{target}");
    }
    assert_eq!(decode_with_gap(true, b"CONNECT a:1 HTTP/1.1\r\n\r\n", 0, &[]).len(), 2);
    assert_eq!(decode_with_gap(true, b"GET / HT", 0, &[b"TP/1.1\r\n\r\n"]), get);
}

#[test]
fn skipped_bytes_are_counted() {
    let mut decoder = RequestDecoder::new(true);
    let mut data = b"12345".as_slice();
    assert!(decoder.push(AT, &mut data, &LIMITS).is_none() && data.is_empty());
    assert!(decoder.is_seeking());
}

/// Bytes, a gap, chunks, and what is said.
type GapRow<'a> = (&'a [u8], u64, &'a [&'a [u8]], &'a [&'a str]);

#[test]
fn gaps() {
    let get: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
    let put: &[u8] = b"PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\nab";
    let chunks: &[u8] = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab";
    let said = ["begun GET", "GET / HTTP/1.1 [] <> e3b0c442 16/18"];
    let (lost_none, lost_head, lost_body) = ("Lost(None)", "Lost(Head)", "Lost(Body)");
    let table: [GapRow<'_>; 9] = [
        // A body that goes on behind the gap, though it looks like a request.
        (put, 3, &[b"GET ", get], &["begun PUT", "Inside", "Holed", said[0], said[1]]),
        (put, 7, &[get], &["begun PUT", "Inside", "Holed", said[0], said[1]]),
        (put, 8, &[b"x", get], &["begun PUT", lost_body, said[0], said[1]]),
        (chunks, 7, &[b"\r\n0\r\n\r\n", get], &["begun PUT", "Inside", "Holed", said[0], said[1]]),
        (chunks, 8, &[b"\n0\r\n\r\n", get], &["begun PUT", lost_body, said[0], said[1]]),
        (b"GET / HT", 1, &[b"P/1.1\r\n\r\n", get], &[lost_head, said[0], said[1]]),
        (b"", 1, &[get], &[lost_none, said[0], said[1]]),
        (get, 1, &[b"rest", get], &[said[0], said[1], lost_none, said[0], said[1]]),
        (b"\x01", 1, &[get], &["refused request_line", lost_none]),
    ];
    for (before, gap, after, expected) in table {
        assert_eq!(decode_with_gap(false, before, gap, after), expected, "{}", before.escape_ascii());
    }
}

#[test]
fn nothing_pins_a_large_buffer() {
    let mut decoder = RequestDecoder::new(false);
    let head = b"PUT / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n";
    let text = [head.as_slice(), &[b'x'; 100_000]].concat();
    for piece in text.chunks(1000) {
        let mut data = piece;
        while let Some(item) = decoder.push(AT, &mut data, &Limits::default()) {
            if let RequestItem::Whole(request) = item {
                let exact = request.wire.len();
                assert_eq!(exact, text.len());
                assert!((exact..exact + 1500).contains(&request.allocated()), "{}", request.allocated());
            }
        }
        assert!(decoder.allocated() < 2 * text.len() + 2000);
    }
    assert_eq!(decoder.allocated(), 0);
}
