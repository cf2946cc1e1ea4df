//! A request from the end of its head to its own end.

use bytes::Bytes;

use super::{Begun, RequestItem};
use crate::http::body::BodyReader;
use crate::http::content::Content;
use crate::http::fields::{self, Leniency};
use crate::http::framing::{self, Asked, Framing};
use crate::http::headers::{Fields, Headers, Line, Span};
use crate::http::start_line::{self, without_cr};
use crate::http::{Body, Limits, Method, Problem, Request, Version};
use crate::time::Nanos;

/// A request that has begun.
#[derive(Debug)]
pub(super) struct Reading {
    method: Method,
    target: Span,
    version: Version,
    lines: Vec<Line>,
    switches: bool,
    /// The head, and behind it the body as framed unless it is lost.
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
    pub(super) fn new(
        mut head: Vec<u8>,
        started: Nanos,
        at: Nanos,
        limits: &Limits,
    ) -> Result<Reading, Problem> {
        let (line_end, lines) = fields::find(&mut head, Leniency::Request, limits.headers)?;
        let line = without_cr(head.get(..line_end.saturating_sub(1)).unwrap_or_default());
        let (method, target, version) = start_line::request(line)?;
        let fields = Fields::new(&head, &lines);
        let framing = framing::request(version, fields)?;
        let chunked = framing == Framing::Chunked;
        let too_long = matches!(framing, Framing::Length(length) if length > limits.request_body);
        let cap = usize::try_from(limits.request_body).unwrap_or(usize::MAX);
        let method = Method::of(method);
        let connect = Asked::of(&method) == Asked::Connect;
        let mut reading = Reading {
            method,
            target: Span::within(&head, target),
            version,
            switches: connect || (version == Version::Http11 && fields.get("upgrade").is_some()),
            lines,
            head_len: head.len(),
            line_end,
            wire: head,
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
        Begun { method: self.method.clone(), switches: self.switches, started: self.started }
    }

    pub(super) fn advance(&mut self, at: Nanos, data: &mut &[u8], limits: &Limits) -> Result<bool, Problem> {
        let before = *data;
        if !before.is_empty() {
            self.last = at;
        }
        let (on_wire, content) = (self.is_on_wire(), &mut self.content);
        let done = self.body.advance(data, &mut |piece| {
            if !on_wire {
                content.push(piece);
            }
        })?;
        let taken = before.get(..before.len() - data.len()).unwrap_or_default();
        self.framed += taken.len() as u64;
        let is_over = self.framed > limits.request_body;
        if on_wire || (self.lost.is_none() && !is_over) {
            self.wire.extend_from_slice(taken);
        }
        if is_over {
            self.lose(Lost::Oversize);
        }
        Ok(done)
    }

    /// Whether the content stands behind the head in `wire` and nowhere else.
    fn is_on_wire(&self) -> bool {
        !self.chunked && self.lost.is_none()
    }

    pub(super) fn skip(&mut self, n: u64) -> bool {
        let inside = self.body.skip(n);
        if inside {
            self.lose(Lost::Holed);
            self.content.hole();
        }
        inside
    }

    /// Keeps nothing of the body from here on. The first reason stays.
    fn lose(&mut self, why: Lost) {
        if self.lost.is_none() {
            if self.is_on_wire() {
                self.content.push(self.wire.get(self.head_len..).unwrap_or_default());
            }
            self.lost = Some(why);
            self.wire.truncate(self.head_len);
            self.wire.shrink_to_fit();
            self.content.forget();
        }
    }

    /// It was read to its end.
    pub(super) fn finish(self) -> RequestItem {
        match self.lost {
            Some(Lost::Oversize) => RequestItem::Oversize(Box::new(self.build())),
            Some(Lost::Holed) => RequestItem::Holed(Box::new(Request { whole: false, ..self.build() })),
            None => RequestItem::Whole(Box::new(self.build())),
        }
    }

    /// The rest of it will not be read.
    pub(super) fn abandon(mut self) -> Box<Request> {
        self.lose(Lost::Holed);
        Box::new(Request { whole: false, ..self.build() })
    }

    fn build(self) -> Request {
        let on_wire = self.is_on_wire();
        let wire = Bytes::from(self.wire);
        let head = wire.slice(..self.head_len.min(wire.len()));
        let body = if on_wire {
            let kept = wire.slice(head.len()..);
            Body { len: kept.len() as u64, kept, digest: None, whole: true }
        } else {
            self.content.finish()
        };
        Request {
            method: self.method,
            target: head.slice_ref(self.target.of(&head)),
            version: self.version,
            headers: Headers::new(head, self.lines),
            body,
            wire: if self.lost.is_none() { wire } else { Bytes::new() },
            line_end: self.line_end,
            whole: true,
            started: self.started,
            finished: self.last,
        }
    }

    pub(super) fn allocated(&self) -> usize {
        let lines = self.lines.capacity() * size_of::<Line>();
        size_of::<Reading>() + lines + self.wire.capacity() + self.content.allocated() + self.body.allocated()
    }
}
