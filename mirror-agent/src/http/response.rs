//! The server's direction: bytes in, final responses out. Also usable by a client that replays requests.

mod reading;

use std::collections::VecDeque;

use super::Limits;
use super::framing::{self, Asked};
use super::head::{HeadBuf, Taken};
use super::message::{Method, Response};
use super::problem::Problem;
use super::start_line;
use crate::time::Nanos;
use reading::{Head, Reading};

/// Reads the server's direction of one connection, told in advance what was asked.
#[derive(Debug)]
pub struct ResponseDecoder {
    limits: Limits,
    expected: VecDeque<Asked>,
    state: State,
    /// Interim responses since the last final one.
    interim: u32,
}

/// What [`ResponseDecoder::push`] found.
#[derive(Debug)]
pub enum ResponseItem {
    /// An interim response with this status (RFC 9110, section 15.2). The final one is still to come.
    Interim(u16),
    /// The final response to the oldest expected request.
    Complete {
        /// The response.
        response: Box<Response>,
        /// Whether the connection may carry another exchange (RFC 9112, section 9.3).
        reuse: bool,
    },
    /// The final response to the oldest expected request has ended, and some of its body was never seen.
    Holed,
    /// The connection is no longer HTTP/1.x: 101, or 2xx to CONNECT. Nothing more will be read.
    Switched(u16),
    /// These bytes are no response, or not the rest of the one that has begun. Nothing more will be read.
    Refused(Problem),
}

#[derive(Debug)]
enum State {
    Head { buf: HeadBuf, started: Nanos },
    Body(Box<Reading>),
    Dead,
}

impl ResponseDecoder {
    /// A decoder at the beginning of a connection, expecting nothing.
    pub fn new(limits: Limits) -> ResponseDecoder {
        ResponseDecoder { limits, expected: VecDeque::new(), state: State::head(), interim: 0 }
    }

    /// A request with this method was sent. Responses are expected in the order of these calls; the caller
    /// bounds how many are outstanding.
    pub fn expect(&mut self, method: &Method) {
        self.expected.push_back(Asked::of(method.as_bytes()));
    }

    /// The request of the latest [`Self::expect`] will not be answered.
    pub fn unexpect(&mut self) {
        self.expected.pop_back();
    }

    /// How many expected requests have no final response yet.
    pub fn outstanding(&self) -> usize {
        self.expected.len()
    }

    /// Reads on, taking bytes from the front of `data`, up to the next item. `None`: all were taken and there is
    /// none.
    pub fn push(&mut self, at: Nanos, data: &mut &[u8]) -> Option<ResponseItem> {
        match &mut self.state {
            State::Dead => {
                *data = &[];
                None
            }
            State::Head { .. } if data.is_empty() => None,
            State::Head { .. } if self.expected.is_empty() => Some(self.refuse(Problem::Unexpected)),
            State::Head { .. } => self.read_head(at, data),
            State::Body(reading) => match reading.advance(at, data) {
                Ok(false) => None,
                Ok(true) => Some(self.finish()),
                Err(problem) => Some(self.refuse(problem)),
            },
        }
    }

    /// The server has sent its last byte, which ends a body that nothing else ends. `None`: it ended between
    /// responses. Nothing more will be read.
    pub fn end(&mut self) -> Option<ResponseItem> {
        let item = match &self.state {
            State::Body(reading) if reading.ends_with_connection() => Some(self.finish()),
            _ if self.in_progress() => Some(ResponseItem::Refused(Problem::Incomplete)),
            _ => None,
        };
        self.state = State::Dead;
        item
    }

    /// Passes over `n` bytes that were sent and not seen. `true`: they lay wholly within the content of the
    /// response that is being read, which will end as [`ResponseItem::Holed`]. Else nothing more will be read
    /// before [`Self::reset`].
    pub fn gap(&mut self, n: u64) -> bool {
        if let State::Body(reading) = &mut self.state
            && reading.skip(n)
        {
            return true;
        }
        self.state = State::Dead;
        false
    }

    /// Forgets everything: the next byte begins a response, and nothing is expected.
    pub fn reset(&mut self) {
        *self = ResponseDecoder::new(self.limits);
    }

    /// Whether a response has begun and not ended.
    pub fn in_progress(&self) -> bool {
        match &self.state {
            State::Head { buf, .. } => !buf.bytes().is_empty(),
            State::Body(_) => true,
            State::Dead => false,
        }
    }

    /// Bytes of memory held.
    pub fn allocated(&self) -> usize {
        let expected = self.expected.capacity() * size_of::<Asked>();
        expected
            + match &self.state {
                State::Head { buf, .. } => buf.allocated(),
                State::Body(reading) => reading.allocated(),
                State::Dead => 0,
            }
    }

    fn read_head(&mut self, at: Nanos, data: &mut &[u8]) -> Option<ResponseItem> {
        let State::Head { buf, started } = &mut self.state else { return None };
        if buf.bytes().is_empty() {
            *started = at;
        }
        let started = *started;
        match buf.take(data, self.limits.head) {
            Taken::Whole(head) => match Head::parse(head, &self.limits) {
                Ok(head) => self.on_head(head, started, at, data),
                Err(problem) => Some(self.refuse(problem)),
            },
            Taken::TooLong => Some(self.refuse(Problem::HeadTooLong)),
            Taken::More if start_line::may_become_response(buf.bytes()) => None,
            Taken::More => Some(self.refuse(Problem::StatusLine)),
        }
    }

    fn on_head(&mut self, head: Head, started: Nanos, at: Nanos, data: &mut &[u8]) -> Option<ResponseItem> {
        let asked = self.expected.front().copied().unwrap_or(Asked::Other);
        let status = head.status;
        if status == 101 || (asked == Asked::Connect && matches!(status, 200..300)) {
            self.state = State::Dead;
            return Some(ResponseItem::Switched(status));
        }
        self.state = State::head();
        if status < 200 {
            self.interim += 1;
            let bearable = self.interim <= self.limits.interim;
            return Some(if bearable {
                ResponseItem::Interim(status)
            } else {
                self.refuse(Problem::TooManyInterim)
            });
        }
        match framing::response(asked, status, head.version, &head.headers) {
            Ok(framing) => {
                self.state = State::Body(Box::new(Reading::new(head, framing, started, at, &self.limits)));
                self.push(at, data)
            }
            Err(problem) => Some(self.refuse(problem)),
        }
    }

    fn finish(&mut self) -> ResponseItem {
        self.expected.pop_front();
        self.interim = 0;
        match std::mem::replace(&mut self.state, State::head()) {
            State::Body(reading) => reading.finish(),
            _ => ResponseItem::Holed,
        }
    }

    fn refuse(&mut self, problem: Problem) -> ResponseItem {
        self.state = State::Dead;
        ResponseItem::Refused(problem)
    }
}

impl State {
    fn head() -> State {
        State::Head { buf: HeadBuf::default(), started: Nanos::default() }
    }
}
