//! Pairs the requests of one connection with their responses, by order.
//! A request that cannot be paired with certainty ends with a reason instead: a pair is never a guess.

mod client;
mod end;
mod queue;
mod server;
mod stats;
mod step;
#[cfg(test)]
mod tests;

pub use end::{End, Ended, Unmirrorable};
pub use stats::Stats;

use crate::http::{Limits, Partial, Request, RequestDecoder, Response, ResponseDecoder};
use crate::packet::Side;
use crate::stream::{Close, Event};
use crate::time::Nanos;
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
}

/// What all conversations have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// How much each may hold.
    pub limits: Limits,
    /// Bytes that all of them may hold. Over it, the one that grew is given up.
    pub memory: usize,
    /// Bytes that they hold.
    pub allocated: usize,
    /// What they counted.
    pub stats: Stats,
}

impl Shared {
    /// No conversation yet.
    pub fn new(limits: Limits, memory: usize) -> Shared {
        Shared { limits, memory, ..Shared::default() }
    }
}

/// When a chunk passed, where it stands, and what it acknowledges.
type Mark = (Nanos, i64, Option<i64>);

/// Where progress and counts go while an event is taken.
struct Sink<'a> {
    limits: &'a Limits,
    stats: &'a mut Stats,
    out: &'a mut dyn FnMut(Progress),
}

impl Sink<'_> {
    fn say(&mut self, progress: Progress) {
        (self.out)(progress);
    }
}

impl Default for Conversation {
    fn default() -> Conversation {
        Conversation::new(false)
    }
}

impl Conversation {
    /// A connection that is seen from its beginning, or (`late`) was joined somewhere in its middle.
    pub fn new(late: bool) -> Conversation {
        Conversation {
            requests: RequestDecoder::new(late),
            responses: ResponseDecoder::new(),
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
        }
    }

    /// Takes what the stream says next. After [`Event::Closed`] everything is ignored.
    pub fn on_event(&mut self, event: &Event<'_>, shared: &mut Shared, out: &mut impl FnMut(Progress)) {
        if let Event::Opened { late: true } = event
            && self.fresh
        {
            *self = Conversation::new(true);
        }
        self.fresh = false;
        let before = self.allocated();
        let sink = &mut Sink { limits: &shared.limits, stats: &mut shared.stats, out };
        self.take(event, sink);
        let mut after = self.allocated();
        if after > before && shared.allocated + after - before > shared.memory {
            sink.stats.over_memory += 1;
            self.closed(Close::Evicted, sink);
            after = self.allocated();
        }
        shared.allocated = (shared.allocated + after).saturating_sub(before);
    }

    fn take(&mut self, event: &Event<'_>, sink: &mut Sink<'_>) {
        match *event {
            Event::Chunk { data, .. } if self.over => sink.stats.opaque_bytes += data.len() as u64,
            _ if self.over => {}
            Event::Opened { .. } => {}
            Event::Chunk { from: Side::Client, at, offset, ack, data } => {
                self.client_chunk((at, offset, ack), data, sink);
            }
            Event::Chunk { from: Side::Server, at, offset, ack, data } => {
                self.server_chunk((at, offset, ack), data, sink);
            }
            Event::Gap { from: Side::Client, bytes, .. } => self.client_gap(bytes, sink),
            Event::Gap { from: Side::Server, offset, bytes, .. } => self.server_gap(offset, bytes, sink),
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
