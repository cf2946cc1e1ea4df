//! `--format json`: an object for each exchange, one a line, and a last one with the summary.

use std::io::{self, Write};
use std::net::SocketAddr;

use serde::Serialize;

use super::Output;
use super::wire::{Base64, Displayed, Hex, Pairs, Seconds, Text, Time};
use crate::http::{Request, Response};
use crate::read::record::{Record, SeenBody};
use crate::read::summary::Summary;

/// Writes the objects.
#[derive(Debug)]
pub struct Json<W> {
    to: W,
    bodies: bool,
    /// The object that is made, reused.
    line: Vec<u8>,
}

impl<W: Write> Json<W> {
    /// Objects to `to`, with `bodies` if they are asked for.
    pub fn new(to: W, bodies: bool) -> Json<W> {
        Json { to, bodies, line: Vec::new() }
    }

    fn write(&mut self, object: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, object)?;
        self.line.push(b'\n');
        self.to.write_all(&self.line)
    }
}

impl<W: Write> Output for Json<W> {
    fn exchange(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.write(&Exchange::new(record, self.bodies))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }

    fn end(mut self: Box<Self>, summary: &Summary) -> io::Result<()> {
        self.write(&Last { summary })?;
        self.to.flush()
    }
}

#[derive(Serialize)]
struct Last<'a> {
    summary: &'a Summary,
}

#[derive(Serialize)]
struct Exchange<'a> {
    id: u64,
    connection: u64,
    client: Displayed<SocketAddr>,
    server: Displayed<SocketAddr>,
    start: Option<Time>,
    ttfb_s: Option<Seconds>,
    total_s: Option<Seconds>,
    request: Option<Asked<'a>>,
    response: Option<Answered<'a>>,
    end: &'a str,
    problems: &'a [&'static str],
}

#[derive(Serialize)]
struct Asked<'a> {
    method: &'a str,
    target: Text<'a>,
    version: &'a str,
    headers: Pairs<'a>,
    #[serde(flatten)]
    body: Body<'a>,
}

#[derive(Serialize)]
struct Answered<'a> {
    status: u16,
    version: &'a str,
    headers: Pairs<'a>,
    #[serde(flatten)]
    body: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    body_bytes: u64,
    body_sha256: Option<Hex<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_kept_bytes: Option<u64>,
}

impl<'a> Exchange<'a> {
    fn new(record: &Record<'a>, bodies: bool) -> Exchange<'a> {
        let body = |body, whole| Body::new(SeenBody { body, whole }, bodies);
        let asked = |request: &'a Request| Asked {
            method: request.method.as_str(),
            target: Text(&request.target),
            version: request.version.as_str(),
            headers: Pairs(&request.headers),
            body: body(&request.body, request.whole),
        };
        let answered = |response: &'a Response| Answered {
            status: response.status,
            version: response.version.as_str(),
            headers: Pairs(&response.headers),
            body: body(&response.body, response.whole),
        };
        Exchange {
            id: record.id,
            connection: record.connection,
            client: Displayed(record.client),
            server: Displayed(record.server),
            start: record.start().map(Time),
            ttfb_s: record.ttfb().map(Seconds),
            total_s: record.total().map(Seconds),
            request: record.request.map(asked),
            response: record.response.map(answered),
            end: record.end,
            problems: record.problems,
        }
    }
}

impl<'a> Body<'a> {
    fn new(seen: SeenBody<'a>, with_content: bool) -> Body<'a> {
        let kept = seen.body.kept.as_ref();
        let text = str::from_utf8(kept);
        Body {
            body_bytes: seen.body.len,
            body_sha256: seen.sha256().map(Hex),
            body: text.ok().filter(|_| with_content),
            body_base64: (with_content && text.is_err()).then_some(Base64(kept)),
            body_kept_bytes: seen.kept_bytes().filter(|_| with_content),
        }
    }
}

#[cfg(test)]
mod tests;
