//! The client's direction of a conversation.

use super::step::Step;
use super::{Conversation, Progress, Sink, Unmirrorable, unreadable};
use crate::http::{Begun, Partial, Problem, RequestGap, RequestItem};
use crate::time::Nanos;

impl Conversation {
    pub(super) fn client_chunk(&mut self, at: Nanos, mut data: &[u8], sink: &mut Sink<'_>) {
        while !self.over
            && let Some(item) = self.requests.push(at, &mut data)
        {
            self.on_request(item, sink);
        }
    }

    pub(super) fn client_gap(&mut self, bytes: u32, sink: &mut Sink<'_>) {
        if self.requests.is_dead() {
            return;
        }
        let partial = match self.requests.gap(u64::from(bytes)) {
            RequestGap::Inside => {
                self.stats.gaps_inside += 1;
                return self.queue.end_read(Unmirrorable::Gap.into(), sink);
            }
            RequestGap::Lost(partial) => partial,
        };
        self.stats.gaps_between += 1;
        if partial == Partial::Head {
            unreadable(Unmirrorable::Gap, sink);
        }
        // An answer that has begun, or come, shows that the gap was not wholly before it.
        let heard = self.queue.is_answered_early() || self.responses.in_progress();
        if self.queue.drop_read(Unmirrorable::Gap.into(), sink) {
            self.responses.unexpect();
        }
        self.habit.on_loss();
        match self.step {
            Step::Adrift => {}
            // The client went on before it had its answer, which can still come in order. If it always waits, the
            // answer was lost to us; how much was lost after it is not known either way.
            Step::Kept if self.queue.waiting() > 0 => self.drift(),
            _ if !self.may_find_again() => self.lose_all(sink),
            Step::Lost { .. } => {}
            Step::Kept => self.step = Step::Lost { heard },
            Step::Awaiting => {
                self.queue.end_all(Unmirrorable::Gap.into(), sink);
                self.step = Step::Lost { heard };
            }
        }
    }

    pub(super) fn client_finished(&mut self, sink: &mut Sink<'_>) {
        match self.requests.end() {
            Partial::None => {}
            Partial::Head => unreadable(Unmirrorable::Truncated, sink),
            Partial::Body => self.queue.not_kept(Unmirrorable::Truncated.into(), sink),
        }
    }

    fn on_request(&mut self, item: RequestItem, sink: &mut Sink<'_>) {
        match item {
            RequestItem::Begun(begun) => {
                sink(Progress::Seen);
                self.on_begun(&begun, sink);
            }
            RequestItem::Whole(request) => {
                let fits = self.queue.whole(request, self.limits.pending, sink);
                self.stats.pending_full += u64::from(!fits);
            }
            RequestItem::Oversize => self.queue.not_kept(Unmirrorable::Oversize.into(), sink),
            RequestItem::Holed => self.queue.not_kept(Unmirrorable::Gap.into(), sink),
            RequestItem::Tls => self.foreign(Unmirrorable::Tls, sink),
            RequestItem::Http2 => self.foreign(Unmirrorable::Http2, sink),
            RequestItem::Refused { problem, begun: true } => {
                self.queue.not_kept(reason(problem).into(), sink)
            }
            // What follows a request to switch protocols may be the other protocol already.
            RequestItem::Refused { .. } if self.queue.may_switch() => {}
            RequestItem::Refused { problem, begun: false } => unreadable(reason(problem), sink),
        }
    }

    fn on_begun(&mut self, begun: &Begun, sink: &mut Sink<'_>) {
        let unanswered = self.queue.unanswered();
        if unanswered >= self.limits.pipeline {
            self.stats.pipeline_full += 1;
            sink(Progress::Ended(Unmirrorable::Truncated.into()));
            return self.give_up(Unmirrorable::Truncated.into(), sink);
        }
        match self.step {
            Step::Kept => self.habit.on_request(unanswered),
            Step::Lost { heard: true } => {
                self.responses.reset();
                self.step = Step::Awaiting;
            }
            // A client that waits has its answer, and only we have not: the gap will be said with what follows.
            Step::Awaiting if self.habit.waits() => {}
            Step::Lost { heard: false } | Step::Awaiting => self.lose_all(sink),
            Step::Adrift => {}
        }
        if self.step == Step::Adrift {
            return sink(Progress::Ended(Unmirrorable::Gap.into()));
        }
        self.queue.begin(begun.switches);
        self.responses.expect(&begun.method);
    }

    /// Whether a lost step may be found again.
    pub(super) fn may_find_again(&self) -> bool {
        self.habit.waits() || (self.late && !self.habit.pipelines())
    }

    /// Pairing is given up, also of what is under way.
    pub(super) fn lose_all(&mut self, sink: &mut Sink<'_>) {
        self.queue.end_unanswered(Unmirrorable::Gap.into(), sink);
        self.drift();
    }

    /// Pairing is given up. What is under way can still be answered.
    pub(super) fn drift(&mut self) {
        self.stats.adrift += u64::from(self.step != Step::Adrift);
        self.step = Step::Adrift;
    }

    /// The connection is not HTTP/1.x at all.
    fn foreign(&mut self, why: Unmirrorable, sink: &mut Sink<'_>) {
        unreadable(why, sink);
        self.give_up(why.into(), sink);
    }
}

/// The reason that stands for a problem.
pub(super) fn reason(problem: Problem) -> Unmirrorable {
    if problem.is_size() { Unmirrorable::Oversize } else { Unmirrorable::Malformed }
}
