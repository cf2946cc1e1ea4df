//! `--format json`: an object for each exchange, one a line, and a last one with the summary.

use std::io::{self, Write};
use std::net::SocketAddr;

use serde::Serialize;

use super::Output;
use super::decoded::decoded;
use super::wire::{Base64, Displayed, Hex, Pairs, Problems, Seconds, Text, Time};
use crate::http::{Headers, Request, Response};
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
    problems: Problems<'a, 2>,
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

/// The content as it was sent, as text or else in base64, and if it had content codings the same without them. A body
/// that cannot be decoded is a problem of the exchange, `body_` and why, where bodies are shown.
#[derive(Serialize)]
struct Body<'a> {
    body_bytes: u64,
    body_sha256: Option<Hex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<Base64<&'a [u8]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_kept_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_decoded: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_decoded_base64: Option<Base64<Vec<u8>>>,
    #[serde(skip)]
    problem: Option<&'static str>,
}

impl<'a> Exchange<'a> {
    fn new(record: &Record<'a>, bodies: bool) -> Exchange<'a> {
        let body = |headers, body, whole| Body::new(headers, SeenBody { body, whole }, bodies);
        let asked = |request: &'a Request| Asked {
            method: request.method.as_str(),
            target: Text(&request.target),
            version: request.version.as_str(),
            headers: Pairs(&request.headers),
            body: body(&request.headers, &request.body, request.whole),
        };
        let answered = |response: &'a Response| Answered {
            status: response.status,
            version: response.version.as_str(),
            headers: Pairs(&response.headers),
            body: body(&response.headers, &response.body, response.whole),
        };
        let (request, response) = (record.request.map(asked), record.response.map(answered));
        let problems = Problems {
            exchange: record.problems,
            bodies: [
                request.as_ref().and_then(|request| request.body.problem),
                response.as_ref().and_then(|response| response.body.problem),
            ],
        };
        Exchange {
            id: record.id,
            connection: record.connection,
            client: Displayed(record.client),
            server: Displayed(record.server),
            start: record.start().map(Time),
            ttfb_s: record.ttfb().map(Seconds),
            total_s: record.total().map(Seconds),
            request,
            response,
            end: record.end,
            problems,
        }
    }
}

impl<'a> Body<'a> {
    fn new(headers: &Headers, seen: SeenBody<'a>, with_content: bool) -> Body<'a> {
        let mut body = Body {
            body_bytes: seen.body.len,
            body_sha256: seen.sha256().map(Hex),
            body: None,
            body_base64: None,
            body_kept_bytes: None,
            body_decoded: None,
            body_decoded_base64: None,
            problem: None,
        };
        if with_content {
            body.fill(headers, seen);
        }
        body
    }

    fn fill(&mut self, headers: &Headers, seen: SeenBody<'a>) {
        let kept = seen.body.kept.as_ref();
        match str::from_utf8(kept) {
            Ok(text) => self.body = Some(text),
            Err(_) => self.body_base64 = Some(Base64(kept)),
        }
        self.body_kept_bytes = seen.kept_bytes();
        match decoded(seen, headers).map(|decoded| decoded.map(String::from_utf8)) {
            None => {}
            Some(Ok(Ok(text))) => self.body_decoded = Some(text),
            Some(Ok(Err(other))) => self.body_decoded_base64 = Some(Base64(other.into_bytes())),
            Some(Err(problem)) => self.problem = Some(problem),
        }
    }
}

#[cfg(test)]
mod tests;
