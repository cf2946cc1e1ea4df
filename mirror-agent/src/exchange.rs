//! Pairs the requests of one connection with their responses, by order.
//! A request that cannot be paired with certainty ends with a reason instead: a pair is never a guess.

mod client;
mod end;
mod queue;
mod server;
mod stats;
mod step;
mod table;
#[cfg(test)]
mod tests;

pub use end::{End, Ended, Unmirrorable};
pub use stats::Stats;
pub use table::{Conversations, Totals};

use crate::http::{Limits, Partial, Request, RequestDecoder, Response, ResponseDecoder};
use crate::packet::Side;
use crate::stream::{Close, Event};
use queue::{Lost, Place, Queue};
use server::Answering;
use step::{Habit, Step};

/// A request and the response to it, both whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What the client sent.
    pub request: Box<Request>,
    /// What the server answered.
    pub response: Box<Response>,
}

/// What became of a request. Every request is `Seen` once and then `Ended` or `Complete` once, so that at any time
/// seen = ended + complete + [`Conversation::open`].
#[derive(Debug)]
pub enum Progress {
    /// There is a request: its head was read, or it was recognised as one that cannot be read.
    Seen,
    /// A request ended without an exchange.
    Ended(Ended),
    /// A request was answered. Exchanges complete in the order of their requests.
    Complete(Exchange),
    /// A response, or what was seen of one, to no request that was seen. It counts for none.
    Unasked(Box<Response>),
}

/// One connection.
#[derive(Debug)]
pub struct Conversation {
    limits: Limits,
    requests: RequestDecoder,
    responses: ResponseDecoder,
    queue: Queue,
    step: Step,
    habit: Habit,
    /// Joined in its middle: nothing is known of what was under way, so it is guessed that the client waits.
    late: bool,
    fresh: bool,
    /// Nothing more is decoded.
    over: bool,
    /// What was lost of the client's since the last request began.
    client_lost: Option<Lost>,
    /// Where the last answer to a request ended.
    answer_end: Option<i64>,
    /// The request that is being read has no place in the queue: its answer will not be known.
    unpaired: bool,
    /// The server's next byte begins a message.
    boundary: bool,
    answering: Answering,
    /// Where the request began that is being read.
    asked: Place,
    /// Offsets of the next byte of each direction.
    client_at: i64,
    server_at: i64,
    stats: Stats,
}

/// Where progress goes.
type Sink<'a> = dyn FnMut(Progress) + 'a;

impl Conversation {
    /// A connection that is seen from its beginning, or (`late`) was joined somewhere in its middle.
    pub fn new(limits: Limits, late: bool) -> Conversation {
        Conversation {
            limits,
            requests: RequestDecoder::new(limits, late),
            responses: ResponseDecoder::new(limits),
            queue: Queue::default(),
            step: if late { Step::Anchored } else { Step::Kept },
            habit: Habit::default(),
            late,
            fresh: true,
            over: false,
            client_lost: None,
            answer_end: None,
            unpaired: false,
            boundary: !late,
            answering: Answering::Nothing,
            asked: Place { start: 0, anchor: None, lost: None },
            client_at: 0,
            server_at: 0,
            stats: Stats::default(),
        }
    }

    /// Takes what the stream says next. After [`Event::Closed`] everything is ignored.
    pub fn on_event(&mut self, event: &Event<'_>, sink: &mut impl FnMut(Progress)) {
        if let Event::Opened { late: true } = event
            && self.fresh
        {
            *self = Conversation::new(self.limits, true);
        }
        self.fresh = false;
        if self.over {
            if let Event::Chunk { data, .. } = event {
                self.stats.opaque_bytes += data.len() as u64;
            }
            return;
        }
        match *event {
            Event::Opened { .. } => {}
            Event::Chunk { from: Side::Client, at, ack, data } => self.client_chunk(at, ack, data, sink),
            Event::Chunk { from: Side::Server, at, ack, data } => self.server_chunk(at, ack, data, sink),
            Event::Gap { from: Side::Client, bytes, .. } => self.client_gap(bytes, sink),
            Event::Gap { from: Side::Server, bytes, .. } => self.server_gap(bytes, sink),
            Event::Finished { from: Side::Client, .. } => self.client_finished(sink),
            Event::Finished { from: Side::Server, .. } => self.server_finished(sink),
            Event::Closed { how, .. } => self.closed(how, sink),
        }
    }

    /// Requests that were seen and have not ended.
    pub fn open(&self) -> usize {
        self.queue.open() + usize::from(self.unpaired)
    }

    /// Bytes of memory held. Bounded by the limits: a head and a body each way, [`Limits::pending`], and
    /// a small sum for each of [`Limits::pipeline`].
    pub fn allocated(&self) -> usize {
        self.requests.allocated() + self.responses.allocated() + self.queue.allocated()
    }

    /// What became of the bytes, and how often each limit and each rule for lost bytes was used.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    fn closed(&mut self, how: Close, sink: &mut Sink<'_>) {
        let (midway, waiting) = match how {
            Close::Reset => (End::Reset, End::Reset),
            // Whether what we no longer watch was answered is not known.
            Close::Evicted => (End::Unwatched, End::Unwatched),
            Close::Fin | Close::Idle | Close::Reused => (End::Truncated, End::Unanswered),
        };
        let partial = self.requests.end();
        let is_head = partial == Partial::Head;
        if !is_head {
            self.broke_off(partial, midway, sink);
        }
        let is_midway = self.answering == Answering::Front && self.responses.in_progress();
        let response = self.drop_answer(sink);
        if is_midway {
            self.queue.end_front(midway, None, response, sink);
        }
        self.queue.end_all(waiting, sink);
        if is_head {
            self.broke_off(Partial::Head, midway, sink);
        }
        self.over = true;
    }

    /// Ends every request and decodes no more.
    fn give_up(&mut self, why: End, sink: &mut Sink<'_>) {
        if let partial @ Partial::Body(_) = self.requests.end() {
            self.broke_off(partial, why, sink);
        }
        let response = self.drop_answer(sink);
        self.queue.end_front(why, None, response, sink);
        self.queue.end_all(why, sink);
        self.over = true;
    }
}
