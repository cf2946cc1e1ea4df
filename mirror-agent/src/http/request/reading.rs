//! A request from the end of its head to its own end.

use bytes::Bytes;

use super::{Begun, RequestItem};
use crate::http::body::BodyReader;
use crate::http::content::Content;
use crate::http::fields::{self, Leniency};
use crate::http::framing::{self, Asked, Framing};
use crate::http::start_line::{self, without_cr};
use crate::http::{Body, Headers, Limits, Method, Problem, Request, Version};
use crate::time::Nanos;

/// A request that has begun.
#[derive(Debug)]
pub(super) struct Reading {
    method: Method,
    target: Bytes,
    version: Version,
    headers: Headers,
    wire: Vec<u8>,
    head_len: usize,
    line_end: usize,
    body: BodyReader,
    chunked: bool,
    framed: u64,
    content: Content,
    lost: Option<Lost>,
    started: Nanos,
    last: Nanos,
}

/// Why the body is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    Oversize,
    Holed,
}

impl Reading {
    pub(super) fn new(head: Vec<u8>, started: Nanos, at: Nanos, limits: &Limits) -> Result<Reading, Problem> {
        let wire = head.clone();
        let (line, headers) = fields::split(head, Leniency::Request, limits.headers)?;
        let text = without_cr(line.strip_suffix(b"\n").unwrap_or(&line));
        let (method, target, version) = start_line::request(text)?;
        let framing = framing::request(version, &headers)?;
        let chunked = framing == Framing::Chunked;
        let too_long = matches!(framing, Framing::Length(length) if length > limits.request_body);
        let cap = usize::try_from(limits.request_body).unwrap_or(usize::MAX);
        let mut reading = Reading {
            method: Method::new(line.slice_ref(method)).ok_or(Problem::RequestLine)?,
            target: line.slice_ref(target),
            version,
            headers,
            head_len: wire.len(),
            line_end: line.len(),
            wire,
            body: BodyReader::new(framing, *limits),
            chunked,
            framed: 0,
            // Content that is not chunked stands on the wire as it is and need not be kept twice.
            content: Content::new(if chunked { cap } else { 0 }),
            lost: None,
            started,
            last: at,
        };
        if too_long {
            reading.lose(Lost::Oversize);
        }
        Ok(reading)
    }

    pub(super) fn begun(&self) -> Begun {
        let connect = Asked::of(self.method.as_bytes()) == Asked::Connect;
        let upgrade = self.version == Version::Http11 && self.headers.get("upgrade").is_some();
        Begun { method: self.method.clone(), switches: connect || upgrade, started: self.started }
    }

    pub(super) fn advance(&mut self, at: Nanos, data: &mut &[u8], limits: &Limits) -> Result<bool, Problem> {
        let before = *data;
        if !before.is_empty() {
            self.last = at;
        }
        let (content, keep) = (&mut self.content, self.lost.is_none());
        let done = self.body.advance(data, &mut |piece| {
            if keep {
                content.push(piece);
            }
        })?;
        let taken = before.get(..before.len() - data.len()).unwrap_or_default();
        self.framed += taken.len() as u64;
        if self.framed > limits.request_body {
            self.lose(Lost::Oversize);
        } else if self.lost.is_none() {
            self.wire.extend_from_slice(taken);
        }
        Ok(done)
    }

    pub(super) fn skip(&mut self, n: u64) -> bool {
        let inside = self.body.skip(n);
        if inside {
            self.lose(Lost::Holed);
        }
        inside
    }

    /// Keeps nothing of the body from here on. The first reason stays.
    fn lose(&mut self, why: Lost) {
        if self.lost.is_none() {
            self.lost = Some(why);
            self.wire = Vec::new();
            self.content = Content::new(0);
        }
    }

    pub(super) fn finish(self) -> RequestItem {
        match self.lost {
            Some(Lost::Oversize) => return RequestItem::Oversize,
            Some(Lost::Holed) => return RequestItem::Holed,
            None => {}
        }
        let wire = Bytes::from(self.wire.into_boxed_slice());
        let mut body = self.content.finish();
        if !self.chunked {
            body = Body { kept: wire.slice(self.head_len..), whole: true, ..body };
        }
        RequestItem::Whole(Box::new(Request {
            method: self.method,
            target: self.target,
            version: self.version,
            headers: self.headers,
            body,
            wire,
            line_end: self.line_end,
            started: self.started,
            finished: self.last,
        }))
    }

    pub(super) fn allocated(&self) -> usize {
        let head = self.line_end + self.headers.allocated();
        head + self.wire.capacity() + self.content.allocated() + self.body.allocated()
    }
}
