//! Messages as bytes, with everything that HTTP/1.x allows in them.

use super::rng::Rng;
use super::truth::Body;

/// How a body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By the head alone: there is none.
    None,
    /// By Content-Length.
    Length,
    /// By the chunk framing.
    Chunked,
    /// By the end of the connection.
    Close,
}

/// A message before it is sent.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// The request line or status line.
    pub start: String,
    pub version: &'static str,
    pub fields: Vec<(String, String)>,
    pub framing: Framing,
    pub content: Vec<u8>,
    pub is_decoy: bool,
}

/// A message as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Encoded {
    pub head: Vec<u8>,
    /// With its framing.
    pub body: Vec<u8>,
    pub truth: Body,
}

impl Draft {
    pub fn request(rng: &mut Rng, id: &str, method: &str, target: &str, version: &'static str) -> Draft {
        let host = ("host".to_owned(), "service.test".to_owned());
        Draft::new(rng, id, format!("{method} {target} {version}"), version, vec![host])
    }

    pub fn response(rng: &mut Rng, id: &str, status: u16, version: &'static str) -> Draft {
        let reason = rng.pick(&["OK", "As it is", ""]);
        Draft::new(rng, id, format!("{version} {status} {reason}"), version, Vec::new())
    }

    fn new(
        rng: &mut Rng,
        id: &str,
        start: String,
        version: &'static str,
        fields: Vec<(String, String)>,
    ) -> Draft {
        let mut draft =
            Draft { start, version, fields, framing: Framing::None, content: Vec::new(), is_decoy: false };
        for number in 0..rng.len(0, 6) {
            let len = rng.len(0, 40);
            draft = draft.field(&format!("X-Some-{number}"), &"v".repeat(len));
        }
        draft.field(rng.pick(&["x-id", "X-Id"]), id)
    }

    pub fn field(mut self, name: &str, value: &str) -> Draft {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Gives it content, delimited so.
    pub fn content(mut self, rng: &mut Rng, framing: Framing, decoys: bool) -> Draft {
        self.framing = framing;
        self.is_decoy = decoys && rng.chance(150);
        let len = content_len(rng);
        self.content = if self.is_decoy { decoy(rng) } else { rng.bytes(len) };
        self.field("Content-Type", "application/octet-stream")
    }

    pub fn encode(mut self, rng: &mut Rng) -> Encoded {
        let truth = Body::of(&self.content);
        let body = match self.framing {
            Framing::None => Vec::new(),
            Framing::Length => {
                let len = self.content.len().to_string();
                self = self.field(rng.pick(&["Content-Length", "content-length"]), &len);
                self.content
            }
            Framing::Chunked => {
                let body = chunked(rng, &self.content);
                self.fields.push(("Transfer-Encoding".into(), "chunked".into()));
                body
            }
            Framing::Close => self.content,
        };
        let mut head = format!("{}\r\n", self.start);
        for (name, value) in &self.fields {
            let space = rng.pick(&["", " ", " ", " ", "\t "]);
            head += &format!("{name}:{space}{value}\r\n");
        }
        Encoded { head: (head + "\r\n").into_bytes(), body, truth }
    }
}

/// Mostly small, now and then much more than a segment.
fn content_len(rng: &mut Rng) -> usize {
    match rng.between(0, 99) {
        0..5 => 0,
        5..70 => rng.len(1, 2_000),
        70..96 => rng.len(2_000, 20_000),
        _ => rng.len(20_000, 150_000),
    }
}

/// Content that a reader which looks for heads in it takes for messages.
fn decoy(rng: &mut Rng) -> Vec<u8> {
    let request = "GET /decoy HTTP/1.1\r\nhost: decoy\r\nx-id: decoy\r\n\r\n";
    let response = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-id: decoy\r\n\r\n";
    let times = rng.len(1, 60);
    (0..times).map(|_| rng.pick(&[request, response])).collect::<String>().into_bytes()
}

/// With chunk extensions and a trailer section at times (RFC 9112, section 7.1).
fn chunked(rng: &mut Rng, content: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        let most = rng.pick(&[3, 200, 4_096, 65_536]).max(content.len() / 30);
        let (chunk, behind) = rest.split_at(rng.len(1, most).min(rest.len()));
        let zeros = rng.pick(&["", "", "", "00"]);
        let size = if rng.chance(500) {
            format!("{zeros}{:x}", chunk.len())
        } else {
            format!("{zeros}{:X}", chunk.len())
        };
        let extension = rng.pick(&["", "", "", ";name", ";name=value", ";name=\"a value\""]);
        body.extend(format!("{size}{extension}\r\n").bytes());
        body.extend(chunk);
        body.extend(b"\r\n");
        rest = behind;
    }
    body.extend(
        rng.pick(&["0\r\n\r\n", "0\r\n\r\n", "0;last\r\n\r\n", "0\r\nX-Trailer: t\r\nX-More: m\r\n\r\n"])
            .bytes(),
    );
    body
}
