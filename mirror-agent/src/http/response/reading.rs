//! A final response from the end of its head to its own end.

use super::ResponseItem;
use crate::http::body::BodyReader;
use crate::http::content::Content;
use crate::http::fields::{self, Leniency};
use crate::http::framing::Framing;
use crate::http::start_line::{self, without_cr};
use crate::http::{Headers, Limits, Problem, Response, Version};
use crate::time::Nanos;

/// A final response that has begun.
#[derive(Debug)]
pub(super) struct Reading {
    head: Head,
    body: BodyReader,
    reuse: bool,
    content: Content,
    holed: bool,
    started: Nanos,
    last: Nanos,
}

/// What a head says.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) version: Version,
    pub(super) headers: Headers,
}

impl Reading {
    pub(super) fn new(head: Head, framing: Framing, started: Nanos, at: Nanos, limits: &Limits) -> Reading {
        Reading {
            reuse: framing != Framing::Close && head.keeps_alive(),
            head,
            body: BodyReader::new(framing, *limits),
            content: Content::new(limits.response_body),
            holed: false,
            started,
            last: at,
        }
    }

    pub(super) fn advance(&mut self, at: Nanos, data: &mut &[u8]) -> Result<bool, Problem> {
        if !data.is_empty() {
            self.last = at;
        }
        let content = &mut self.content;
        self.body.advance(data, &mut |piece| content.push(piece))
    }

    /// Passes over `n` bytes that were not seen; `false` if they need not all be content of this response.
    pub(super) fn skip(&mut self, n: u64) -> bool {
        let inside = self.body.skip(n);
        if inside {
            self.holed = true;
            self.content.hole();
        }
        inside
    }

    /// Whether only the end of the connection ends it.
    pub(super) fn ends_with_connection(&self) -> bool {
        matches!(self.body, BodyReader::Close)
    }

    /// It was read to its end.
    pub(super) fn finish(self) -> ResponseItem {
        if self.holed {
            return ResponseItem::Holed(self.abandon());
        }
        ResponseItem::Complete { reuse: self.reuse, response: Box::new(self.build()) }
    }

    /// The rest of it will not be read.
    pub(super) fn abandon(self) -> Box<Response> {
        Box::new(Response { whole: false, ..self.build() })
    }

    pub(super) fn build(self) -> Response {
        Response {
            status: self.head.status,
            version: self.head.version,
            headers: self.head.headers,
            body: self.content.finish(),
            whole: true,
            started: self.started,
            finished: self.last,
        }
    }

    pub(super) fn allocated(&self) -> usize {
        let head = self.head.headers.text_len() + self.head.headers.allocated();
        size_of::<Reading>() + head + self.content.allocated() + self.body.allocated()
    }
}

impl Head {
    pub(super) fn parse(mut head: Vec<u8>, limits: &Limits) -> Result<Head, Problem> {
        let (line_end, lines) = fields::find(&mut head, Leniency::Response, limits.headers)?;
        let line = without_cr(head.get(..line_end.saturating_sub(1)).unwrap_or_default());
        let (version, status) = start_line::status(line)?;
        Ok(Head { status, version, headers: Headers::new(head.into(), lines) })
    }

    fn keeps_alive(&self) -> bool {
        let says =
            |option: &[u8]| self.headers.fields().list("connection").any(|o| o.eq_ignore_ascii_case(option));
        !says(b"close") && (self.version == Version::Http11 || says(b"keep-alive"))
    }
}
