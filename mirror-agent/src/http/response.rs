//! The server's direction: bytes in, final responses out. Also usable by a client that replays requests.

mod reading;

use super::Limits;
use super::framing::{self, Asked, Framing};
use super::head::{BEGINNING, HeadBuf, Taken};
use super::message::Response;
use super::problem::Problem;
use super::start_line;
use crate::time::Nanos;
use reading::{Head, Reading};

/// Reads the server's direction of one connection, told before each response what was asked.
#[derive(Debug)]
pub struct ResponseDecoder {
    expected: Option<Asked>,
    state: State,
    /// Interim responses since the last final one.
    interim: u32,
}

/// What [`ResponseDecoder::push`] found.
#[derive(Debug)]
pub enum ResponseItem {
    /// An interim response with this status (RFC 9110, section 15.2). The final one is still to come.
    Interim(u16),
    /// The final response to the request.
    Complete {
        /// The response.
        response: Box<Response>,
        /// Whether the connection may carry another exchange (RFC 9112, section 9.3).
        reuse: bool,
    },
    /// The final response to the request has ended, and some of its body was never seen.
    Holed(Box<Response>),
    /// The connection is no longer HTTP/1.x: 101, or 2xx to CONNECT. Nothing more will be read.
    Switched(Box<Response>),
    /// These bytes are no response, or not the rest of the one that has begun. Nothing more will be read.
    Refused {
        /// What is wrong.
        problem: Problem,
        /// The one that has begun, as far as it was read.
        begun: Option<Box<Response>>,
    },
}

#[derive(Debug)]
enum State {
    Head { buf: HeadBuf, started: Nanos },
    Body(Box<Reading>),
    Dead,
}

impl ResponseDecoder {
    /// A decoder at the beginning of a connection, expecting nothing.
    pub fn new() -> ResponseDecoder {
        ResponseDecoder { expected: None, state: State::head(), interim: 0 }
    }

    /// What the next response answers.
    pub fn expect(&mut self, asked: Asked) {
        self.expected = Some(asked);
    }

    /// Reads on, taking bytes from the front of `data`, up to the next item. `None`: all were taken and there is
    /// none.
    pub fn push(&mut self, at: Nanos, data: &mut &[u8], limits: &Limits) -> Option<ResponseItem> {
        match &mut self.state {
            State::Dead => {
                *data = &[];
                None
            }
            State::Head { .. } if data.is_empty() => None,
            State::Head { .. } if self.expected.is_none() => Some(self.refuse(Problem::Unexpected)),
            State::Head { .. } => self.read_head(at, data, limits),
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
            _ if self.in_progress() => Some(self.refuse(Problem::Incomplete)),
            _ => None,
        };
        self.state = State::Dead;
        item
    }

    /// Passes over `n` bytes that were sent and not seen. `true`: they lay wholly within the content of the
    /// response that is being read, which will end as [`ResponseItem::Holed`]. Else nothing changes, and what is being
    /// read is to be [abandoned](Self::abandon).
    pub fn gap(&mut self, n: u64) -> bool {
        if let State::Body(reading) = &mut self.state { reading.skip(n) } else { false }
    }

    /// Forgets everything: the next byte begins a response, and nothing is expected. Hands out what was being read.
    pub fn abandon(&mut self) -> Option<Box<Response>> {
        self.expected = None;
        self.interim = 0;
        match std::mem::replace(&mut self.state, State::head()) {
            State::Body(reading) => Some(reading.abandon()),
            _ => None,
        }
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
        match &self.state {
            State::Head { buf, .. } => buf.allocated(),
            State::Body(reading) => reading.allocated(),
            State::Dead => 0,
        }
    }

    fn read_head(&mut self, at: Nanos, data: &mut &[u8], limits: &Limits) -> Option<ResponseItem> {
        let State::Head { buf, started } = &mut self.state else { return None };
        if buf.bytes().is_empty() {
            *started = at;
        }
        let started = *started;
        if !start_line::may_become_response(buf.beginning(data, &mut [0; BEGINNING])) {
            return Some(self.refuse(Problem::StatusLine));
        }
        match buf.take(data, limits.head) {
            Taken::Whole(head) => match Head::parse(head, limits) {
                Ok(head) => self.on_head(head, (started, at), data, limits),
                Err(problem) => Some(self.refuse(problem)),
            },
            Taken::TooLong => Some(self.refuse(Problem::HeadTooLong)),
            Taken::More => None,
        }
    }

    fn on_head(
        &mut self,
        head: Head,
        (started, at): (Nanos, Nanos),
        data: &mut &[u8],
        limits: &Limits,
    ) -> Option<ResponseItem> {
        let asked = self.expected.unwrap_or(Asked::Other);
        let status = head.status;
        if status == 101 || (asked == Asked::Connect && matches!(status, 200..300)) {
            self.state = State::Dead;
            let reading = Reading::new(head, Framing::Length(0), started, at, limits);
            return Some(ResponseItem::Switched(Box::new(reading.build())));
        }
        self.state = State::head();
        if status < 200 {
            self.interim += 1;
            let bearable = self.interim <= limits.interim;
            return Some(if bearable {
                ResponseItem::Interim(status)
            } else {
                self.refuse(Problem::TooManyInterim)
            });
        }
        match framing::response(asked, status, head.version, head.headers.fields()) {
            Ok(framing) => self.begin(Reading::new(head, framing, started, at, limits), at, data),
            Err(problem) => Some(self.refuse(problem)),
        }
    }

    /// Most bodies are there with their head: those are never stored.
    fn begin(&mut self, mut reading: Reading, at: Nanos, data: &mut &[u8]) -> Option<ResponseItem> {
        let result = reading.advance(at, data);
        if result == Ok(true) {
            return Some(self.ended(reading));
        }
        self.state = State::Body(Box::new(reading));
        result.err().map(|problem| self.refuse(problem))
    }

    fn finish(&mut self) -> ResponseItem {
        match std::mem::replace(&mut self.state, State::head()) {
            State::Body(reading) => self.ended(*reading),
            _ => self.refuse(Problem::Incomplete),
        }
    }

    fn ended(&mut self, reading: Reading) -> ResponseItem {
        self.expected = None;
        self.interim = 0;
        reading.finish()
    }

    fn refuse(&mut self, problem: Problem) -> ResponseItem {
        let begun = match std::mem::replace(&mut self.state, State::Dead) {
            State::Body(reading) => Some(reading.abandon()),
            _ => None,
        };
        ResponseItem::Refused { problem, begun }
    }
}

impl Default for ResponseDecoder {
    fn default() -> ResponseDecoder {
        ResponseDecoder::new()
    }
}

impl State {
    fn head() -> State {
        State::Head { buf: HeadBuf::default(), started: Nanos::default() }
    }
}
