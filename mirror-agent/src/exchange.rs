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

pub use end::{End, Unmirrorable};
pub use stats::Stats;

use crate::http::{Limits, Partial, Request, RequestDecoder, Response, ResponseDecoder};
use crate::packet::Side;
use crate::stream::{Close, Event};
use queue::Queue;
use step::{Habit, Step};

/// A request and the response to it, both whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What the client sent.
    pub request: Request,
    /// What the server answered.
    pub response: Response,
}

/// What became of a request. Every request is `Seen` once and then `Ended` or `Complete` once, so that at any time
/// seen = ended + complete + [`Conversation::open`].
#[derive(Debug)]
pub enum Progress {
    /// There is a request: its head was read, or it was recognised as one that cannot be read.
    Seen,
    /// A request ended without an exchange.
    Ended(End),
    /// A request was answered. Exchanges complete in the order of their requests.
    Complete(Box<Exchange>),
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
            step: if late { Step::Lost { heard: true } } else { Step::Kept },
            habit: Habit::default(),
            late,
            fresh: true,
            over: false,
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
            return;
        }
        match *event {
            Event::Opened { .. } => {}
            Event::Chunk { from: Side::Client, at, data } => self.client_chunk(at, data, sink),
            Event::Chunk { from: Side::Server, at, data } => self.server_chunk(at, data, sink),
            Event::Gap { from: Side::Client, bytes, .. } => self.client_gap(bytes, sink),
            Event::Gap { from: Side::Server, bytes, .. } => self.server_gap(bytes, sink),
            Event::Finished { from: Side::Client, .. } => self.client_finished(sink),
            Event::Finished { from: Side::Server, .. } => self.server_finished(sink),
            Event::Closed { how, .. } => self.closed(how, sink),
        }
    }

    /// Requests that were seen and have not ended.
    pub fn open(&self) -> usize {
        self.queue.open()
    }

    /// Bytes of memory held. Bounded by the limits: a head and a body each way, [`Limits::pending`], and
    /// a small sum for each of [`Limits::pipeline`].
    pub fn allocated(&self) -> usize {
        self.requests.allocated() + self.responses.allocated() + self.queue.allocated()
    }

    /// How often each limit and each rule for lost bytes was used.
    pub fn stats(&self) -> Stats {
        Stats { client_skipped: self.requests.skipped(), ..self.stats }
    }

    fn closed(&mut self, how: Close, sink: &mut Sink<'_>) {
        if self.responses.in_progress() {
            self.queue.end_front(Unmirrorable::Truncated.into(), sink);
        }
        let partial = self.requests.partial();
        if partial == Partial::Body {
            self.queue.end_read(Unmirrorable::Truncated.into(), sink);
        }
        // Whether what we no longer watch was answered is not known.
        let unwatched = how == Close::Evicted;
        self.give_up(if unwatched { Unmirrorable::Truncated.into() } else { End::Unanswered }, sink);
        if partial == Partial::Head {
            unreadable(Unmirrorable::Truncated, sink);
        }
    }

    /// Ends every request and decodes no more.
    fn give_up(&mut self, why: End, sink: &mut Sink<'_>) {
        self.over = true;
        self.queue.end_all(why, sink);
        self.requests.end();
        self.responses.reset();
    }
}

/// A request of which no more is known than that there is one.
fn unreadable(why: Unmirrorable, sink: &mut Sink<'_>) {
    sink(Progress::Seen);
    sink(Progress::Ended(why.into()));
}
