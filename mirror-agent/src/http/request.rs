//! The client's direction: bytes in, requests out.

mod reading;

use super::Limits;
use super::head::{BEGINNING, HeadBuf, Taken};
use super::message::{Method, Request};
use super::problem::Problem;
use super::start_line;
use crate::time::Nanos;
use reading::Reading;

/// What HTTP/2 begins with, as far as it looks like a request (RFC 9113, section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";

/// Reads the client's direction of one connection.
#[derive(Debug)]
pub struct RequestDecoder {
    state: State,
    /// Nothing was taken yet: only here can TLS or HTTP/2 begin.
    fresh: bool,
}

/// What [`RequestDecoder::push`] found.
#[derive(Debug)]
pub enum RequestItem {
    /// A head was read. Exactly one of `Whole`, `Oversize`, `Holed`, `Refused` follows when its body ends.
    Begun(Begun),
    /// The request is whole.
    Whole(Box<Request>),
    /// The request has ended and its body was over the limit: it was hashed and not kept.
    Oversize(Box<Request>),
    /// The request has ended and some of its body was never seen.
    Holed(Box<Request>),
    /// The connection begins with a TLS handshake. Nothing more will be read.
    Tls,
    /// The connection begins with the HTTP/2 preface. Nothing more will be read.
    Http2,
    /// These bytes are no request, or not the rest of the one that has begun. Nothing more will be read.
    Refused {
        /// What is wrong.
        problem: Problem,
        /// The one of which [`RequestItem::Begun`] was said, as far as it was read.
        begun: Option<Box<Request>>,
    },
}

/// A request whose head was read.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The method, which decides how the response is framed.
    pub method: Method,
    /// Whether it asks that the connection become something else (CONNECT, or RFC 9110, section 7.8).
    pub switches: bool,
    /// When its first byte was seen.
    pub started: Nanos,
}

/// How much of an unfinished request there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Partial {
    /// Nothing: the bytes so far ended with a request.
    None,
    /// A part of a head: not yet begun.
    Head,
    /// The head and a part of the body: begun.
    Body(Box<Request>),
}

/// What a gap did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestGap {
    /// It lay wholly within the content of the request that is being read: nothing else was lost.
    Inside,
    /// It hit this, and an unknown number of requests after it. Chunks are skipped until one begins a request.
    Lost(Partial),
}

#[derive(Debug)]
enum State {
    Seek,
    Head { buf: HeadBuf, started: Nanos },
    Body(Box<Reading>),
    Dead,
}

impl RequestDecoder {
    /// A decoder for a connection that is seen from its beginning, or (`late`) joined somewhere: then chunks are
    /// skipped until one begins a request.
    pub fn new(late: bool) -> RequestDecoder {
        let state = if late { State::Seek } else { State::head() };
        RequestDecoder { state, fresh: !late }
    }

    /// Reads on, taking bytes from the front of the chunk `data`, up to the next item. `None`: all were taken and
    /// there is none. Must be called until then, so that the next call begins with the next chunk.
    pub fn push(&mut self, at: Nanos, data: &mut &[u8], limits: &Limits) -> Option<RequestItem> {
        match &mut self.state {
            State::Dead => {
                *data = &[];
                None
            }
            State::Seek if start_line::begins_request(data) => {
                self.state = State::head();
                self.push(at, data, limits)
            }
            State::Seek => {
                *data = &[];
                None
            }
            State::Head { buf, .. } => {
                buf.skip_empty_lines(data);
                if data.is_empty() && buf.bytes().is_empty() {
                    None
                } else {
                    self.read_head(at, data, limits)
                }
            }
            State::Body(reading) => match reading.advance(at, data, limits) {
                Ok(false) => None,
                Ok(true) => Some(self.finish()),
                Err(problem) => Some(self.refuse(problem)),
            },
        }
    }

    /// Passes over `n` bytes that were sent and not seen.
    pub fn gap(&mut self, n: u64) -> RequestGap {
        if let State::Body(reading) = &mut self.state
            && reading.skip(n)
        {
            return RequestGap::Inside;
        }
        let next = if self.is_dead() { State::Dead } else { State::Seek };
        self.fresh = false;
        RequestGap::Lost(self.leave(next))
    }

    /// The client has sent its last byte. Says what is left unfinished; nothing more will be read.
    pub fn end(&mut self) -> Partial {
        self.leave(State::Dead)
    }

    fn leave(&mut self, next: State) -> Partial {
        match std::mem::replace(&mut self.state, next) {
            State::Head { buf, .. } if !buf.bytes().is_empty() => Partial::Head,
            State::Body(reading) => Partial::Body(reading.abandon()),
            _ => Partial::None,
        }
    }

    /// Whether the next byte begins a request, or is skipped.
    pub fn is_between(&self) -> bool {
        match &self.state {
            State::Head { buf, .. } => buf.bytes().is_empty(),
            State::Body(_) => false,
            State::Seek | State::Dead => true,
        }
    }

    /// Whether nothing more will be read.
    pub fn is_dead(&self) -> bool {
        matches!(self.state, State::Dead)
    }

    /// Whether chunks are skipped until one begins a request.
    pub fn is_seeking(&self) -> bool {
        matches!(self.state, State::Seek)
    }

    /// Bytes of memory held.
    pub fn allocated(&self) -> usize {
        match &self.state {
            State::Head { buf, .. } => buf.allocated(),
            State::Body(reading) => reading.allocated(),
            _ => 0,
        }
    }

    fn read_head(&mut self, at: Nanos, data: &mut &[u8], limits: &Limits) -> Option<RequestItem> {
        let State::Head { buf, started } = &mut self.state else { return None };
        if buf.bytes().is_empty() {
            *started = at;
        }
        let started = *started;
        match buf.beginning(data, &mut [0; BEGINNING]) {
            [0x16] if self.fresh => {}
            [0x16, 0x03, ..] if self.fresh => return Some(self.stop(RequestItem::Tls)),
            bytes if !start_line::may_become_request(bytes) => {
                return Some(self.refuse(Problem::RequestLine));
            }
            _ => {}
        }
        let head = match buf.take(data, limits.head) {
            Taken::Whole(head) => head,
            Taken::TooLong => return Some(self.refuse(Problem::HeadTooLong)),
            Taken::More => return None,
        };
        if std::mem::take(&mut self.fresh) && head == HTTP2_PREFACE {
            return Some(self.stop(RequestItem::Http2));
        }
        match Reading::new(head, started, at, limits) {
            Ok(reading) => {
                let begun = reading.begun();
                self.state = State::Body(Box::new(reading));
                Some(RequestItem::Begun(begun))
            }
            Err(problem) => Some(self.refuse(problem)),
        }
    }

    fn finish(&mut self) -> RequestItem {
        match std::mem::replace(&mut self.state, State::head()) {
            State::Body(reading) => reading.finish(),
            _ => self.refuse(Problem::Incomplete),
        }
    }

    fn refuse(&mut self, problem: Problem) -> RequestItem {
        let begun = match self.leave(State::Dead) {
            Partial::Body(request) => Some(request),
            _ => None,
        };
        RequestItem::Refused { problem, begun }
    }

    fn stop(&mut self, item: RequestItem) -> RequestItem {
        self.state = State::Dead;
        item
    }
}

impl State {
    fn head() -> State {
        State::Head { buf: HeadBuf::default(), started: Nanos::default() }
    }
}
