//! Conversations as scripts: what the stream says, and what is made of it.

mod gaps;
mod property;
mod scripts;

use super::*;
use crate::stream::Close;
use crate::time::Nanos;

/// Small enough that tests reach them.
const LIMITS: Limits = Limits {
    head: 512,
    headers: 8,
    request_body: 256,
    response_body: 64,
    interim: 3,
    pipeline: 4,
    pending: 4096,
};

/// One thing that the stream says.
#[derive(Clone, Debug)]
enum Say {
    /// A chunk of the client's, of the server's.
    C(Vec<u8>),
    S(Vec<u8>),
    /// A gap in the client's direction, in the server's.
    GapC(u32),
    GapS(u32),
    FinC,
    FinS,
    Close(Close),
    /// A chunk of the client's, of the server's, with an acknowledgment of its own.
    AckC(Option<i64>, Vec<u8>),
    AckS(Option<i64>, Vec<u8>),
}

use Say::{Close as Closed, FinC, FinS, GapC, GapS};

fn c(text: impl AsRef<[u8]>) -> Say {
    Say::C(text.as_ref().to_vec())
}

fn s(text: impl AsRef<[u8]>) -> Say {
    Say::S(text.as_ref().to_vec())
}

fn get(target: &str) -> Say {
    c(format!("GET {target} HTTP/1.1\r\n\r\n"))
}

/// A response with this content.
fn ok(content: &str) -> Say {
    s(ok_text(content))
}

fn ok_text(content: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{content}", content.len())
}

impl Say {
    /// With everything acknowledged that was said so far, in bytes of the client's and of the server's.
    fn event(&self, said: (i64, i64)) -> Event<'_> {
        let at = Nanos(1);
        match self {
            Say::C(data) => chunk(Side::Client, said.0, Some(said.1), data),
            Say::S(data) => chunk(Side::Server, said.1, Some(said.0), data),
            Say::AckC(ack, data) => chunk(Side::Client, said.0, *ack, data),
            Say::AckS(ack, data) => chunk(Side::Server, said.1, *ack, data),
            GapC(bytes) => Event::Gap { from: Side::Client, at, offset: said.0, bytes: *bytes },
            GapS(bytes) => Event::Gap { from: Side::Server, at, offset: said.1, bytes: *bytes },
            FinC => Event::Finished { from: Side::Client, at },
            FinS => Event::Finished { from: Side::Server, at },
            Closed(how) => Event::Closed { at, how: *how },
        }
    }

    /// How many bytes of the client's and of the server's it stands for.
    fn len(&self) -> (i64, i64) {
        match self {
            Say::C(data) | Say::AckC(_, data) => (data.len() as i64, 0),
            Say::S(data) | Say::AckS(_, data) => (0, data.len() as i64),
            GapC(bytes) => (i64::from(*bytes), 0),
            GapS(bytes) => (0, i64::from(*bytes)),
            FinC | FinS | Closed(_) => (0, 0),
        }
    }
}

fn chunk(from: Side, offset: i64, ack: Option<i64>, data: &[u8]) -> Event<'_> {
    Event::Chunk { from, at: Nanos(1), offset, ack, data }
}

/// A conversation whose ledger is checked after every event.
struct Checked {
    conversation: Conversation,
    shared: Shared,
    seen: usize,
    bytes: (i64, i64),
    chunks: u64,
    said: Vec<String>,
}

impl Checked {
    fn new(late: bool) -> Checked {
        Checked {
            conversation: Conversation::new(late),
            shared: Shared::new(LIMITS, usize::MAX),
            seen: 0,
            bytes: (0, 0),
            chunks: 0,
            said: Vec::new(),
        }
    }

    fn feed(&mut self, step: &Say) {
        let Checked { conversation, shared, seen, bytes, chunks, said } = self;
        conversation.on_event(&step.event(*bytes), shared, &mut |progress| match progress {
            Progress::Seen => *seen += 1,
            Progress::Ended(ended) => said.push(ended.end.as_str().into()),
            Progress::Complete(exchange) => said.push(show(&exchange)),
            Progress::Unasked(_) => {}
        });
        assert_eq!(*seen, said.len() + conversation.open(), "the ledger after {step:?}: {said:?}");
        let (client, server) = step.len();
        *bytes = (bytes.0 + client, bytes.1 + server);
        *chunks += if matches!(step, GapC(_) | GapS(_)) { 0 } else { (client + server) as u64 };
        let Stats { request_bytes, response_bytes, client_skipped, server_skipped, opaque_bytes, .. } =
            shared.stats;
        let accounted = request_bytes + response_bytes + client_skipped + server_skipped + opaque_bytes;
        assert_eq!(accounted, *chunks, "the bytes after {step:?}");
        assert_eq!(shared.allocated, conversation.allocated());
        assert!(conversation.allocated() < 16 << 10, "{} bytes", conversation.allocated());
        if matches!(step, Closed(_)) {
            assert_eq!(conversation.open(), 0);
            assert_eq!(conversation.allocated(), 0);
        }
    }
}

/// The request's target and the response's content.
fn show(exchange: &Exchange) -> String {
    let (request, response) = (&exchange.request, &exchange.response);
    format!("{}={}", request.target.escape_ascii(), response.body.kept.escape_ascii())
}

/// Runs a script and then closes the connection.
fn run(late: bool, script: &[Say]) -> Vec<String> {
    let mut checked = Checked::new(late);
    script.iter().for_each(|step| checked.feed(step));
    checked.feed(&Closed(Close::Idle));
    checked.feed(&get("/after-the-end"));
    checked.said
}

/// Runs a script as it is; every prefix keeps the ledger and says a prefix of it before the end.
#[track_caller]
fn check(script: &[Say], expected: &[&str]) {
    assert_eq!(run(false, script), expected);
    (0..script.len()).for_each(|len| drop(run(false, &script[..len])));
}

/// As [`check`], and the same byte by byte. For scripts in which nothing depends on where chunks begin.
#[track_caller]
fn check_split(script: &[Say], expected: &[&str]) {
    check(script, expected);
    let split = |step: &Say| match step {
        Say::C(data) => data.chunks(1).map(c).collect(),
        Say::S(data) => data.chunks(1).map(s).collect(),
        other => vec![other.clone()],
    };
    let bytes: Vec<Say> = script.iter().flat_map(split).collect();
    assert_eq!(run(false, &bytes), expected, "byte by byte");
    (0..bytes.len()).for_each(|len| drop(run(false, &bytes[..len])));
}
