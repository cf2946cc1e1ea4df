//! The client's direction of a conversation.

use super::end::{End, Ended};
use super::queue::{Lost, Place};
use super::step::Step;
use super::{Conversation, Mark, Progress, Sink};
use crate::http::{Asked, Begun, Partial, Problem, Request, RequestGap, RequestItem};

impl Conversation {
    pub(super) fn client_chunk(&mut self, (at, offset, ack): Mark, data: &[u8], sink: &mut Sink<'_>) {
        let mut rest = data;
        while !self.over {
            if self.requests.is_between() {
                let done = (data.len() - rest.len()) as i64;
                self.asked = Place { start: offset + done, anchor: ack, lost: None };
            }
            let before = rest.len();
            let item = self.requests.push(at, &mut rest, sink.limits);
            self.count_taken((before - rest.len()) as u64, sink);
            let Some(item) = item else { break };
            self.on_request(item, sink);
        }
        sink.stats.opaque_bytes += rest.len() as u64;
    }

    fn count_taken(&self, bytes: u64, sink: &mut Sink<'_>) {
        *if self.requests.is_dead() {
            &mut sink.stats.opaque_bytes
        } else if self.requests.is_seeking() {
            &mut sink.stats.client_skipped
        } else {
            &mut sink.stats.request_bytes
        } += bytes;
    }

    pub(super) fn client_gap(&mut self, bytes: u32, sink: &mut Sink<'_>) {
        if self.requests.is_dead() {
            return;
        }
        match self.requests.gap(u64::from(bytes)) {
            RequestGap::Inside => return sink.stats.gaps_inside += 1,
            RequestGap::Lost(partial) => {
                let is_body = matches!(partial, Partial::Body(_));
                // Up to the next request that is found it is one loss, and the first gap says of what.
                self.client_lost.get_or_insert(if is_body { Lost::Rest } else { Lost::Requests });
                self.broke_off(partial, End::RequestGap, sink);
            }
        }
        sink.stats.gaps_between += 1;
        self.habit.on_loss();
        match self.step {
            Step::Adrift => {}
            // The answers to what is under way can still come in order; what comes behind them is not known.
            Step::Kept if self.queue.waiting() > 0 && !self.habit.waits() => self.drift(sink),
            Step::Kept | Step::Anchored if !self.may_find_again() => self.lose_all(sink),
            Step::Kept | Step::Anchored => self.step = Step::Anchored,
        }
    }

    pub(super) fn client_finished(&mut self, sink: &mut Sink<'_>) {
        let partial = self.requests.end();
        self.broke_off(partial, End::Truncated, sink);
    }

    /// The rest of a request will not be read.
    pub(super) fn broke_off(&mut self, partial: Partial, end: End, sink: &mut Sink<'_>) {
        match partial {
            Partial::None => {}
            Partial::Head => self.unreadable(end, None, sink),
            Partial::Body(request) => self.failed(end, None, Some(request), sink),
        }
    }

    fn on_request(&mut self, item: RequestItem, sink: &mut Sink<'_>) {
        match item {
            RequestItem::Begun(begun) => {
                sink.say(Progress::Seen);
                self.on_begun(&begun, sink);
            }
            RequestItem::Whole(request) if self.unpaired => {
                self.failed(End::Unpaired, None, Some(request), sink);
            }
            RequestItem::Whole(request) => {
                let fits = self.queue.whole(request, sink.limits.pending, sink);
                sink.stats.pending_full += u64::from(!fits);
            }
            RequestItem::Oversize(request) => self.failed(End::Oversize, None, Some(request), sink),
            RequestItem::Holed(request) => self.failed(End::RequestGap, None, Some(request), sink),
            RequestItem::Tls => self.foreign(End::Tls, sink),
            RequestItem::Http2 => self.foreign(End::Http2, sink),
            RequestItem::Refused { problem, begun: Some(request) } => {
                self.failed(End::of(problem), Some(problem), Some(request), sink);
            }
            // What follows a request to switch protocols may be the other protocol already.
            RequestItem::Refused { .. } if self.queue.may_switch() => {}
            RequestItem::Refused { problem, begun: None } => {
                self.unreadable(End::of(problem), Some(problem), sink)
            }
        }
    }

    fn on_begun(&mut self, begun: &Begun, sink: &mut Sink<'_>) {
        let place = Place { lost: self.client_lost.take(), ..self.asked };
        self.make_room(place, sink);
        if self.over {
            return;
        }
        if place.anchor.is_some() && self.queue.back().is_some_and(|back| back.anchor == place.anchor) {
            self.habit.on_haste();
            if self.step == Step::Anchored {
                self.lose_all(sink);
            }
        }
        self.unpaired = self.step == Step::Adrift;
        if !self.unpaired {
            self.queue.begin(place, Asked::of(&begun.method), begun.switches);
        }
    }

    /// Where the client has had answers that we have not, the oldest request goes; else the connection is given up.
    fn make_room(&mut self, newest: Place, sink: &mut Sink<'_>) {
        if self.queue.unanswered() < sink.limits.pipeline {
            return;
        }
        sink.stats.crowded += 1;
        let oldest = self.queue.front().and_then(|(place, _)| place.anchor);
        if self.habit.pipelines() || oldest.is_none() || oldest >= newest.anchor {
            self.unpaired = true;
            return self.give_up(End::Crowded, sink);
        }
        let response = self.drop_answer(sink);
        self.queue.end_front(End::ResponseGap, None, response, sink);
        self.step = Step::Anchored;
    }

    fn failed(
        &mut self,
        end: End,
        problem: Option<Problem>,
        request: Option<Box<Request>>,
        sink: &mut Sink<'_>,
    ) {
        if std::mem::take(&mut self.unpaired) {
            sink.say(Progress::Ended(Ended { end, request, response: None, problem }));
        } else {
            self.queue.failed(end, problem, request, sink);
        }
    }

    fn unreadable(&self, end: End, problem: Option<Problem>, sink: &mut Sink<'_>) {
        sink.say(Progress::Seen);
        sink.say(Progress::Ended(Ended::unreadable(end, problem)));
    }

    /// Whether a client's acknowledgment may be taken for the place of its answer.
    pub(super) fn may_find_again(&self) -> bool {
        self.habit.waits() || (self.late && !self.habit.pipelines())
    }

    /// Pairing is given up, also of what is under way.
    pub(super) fn lose_all(&mut self, sink: &mut Sink<'_>) {
        let response = self.drop_answer(sink);
        self.unpaired |= self.queue.end_unanswered(End::Unpaired, response, sink);
        self.drift(sink);
    }

    /// Pairing is given up. What is under way can still be answered.
    pub(super) fn drift(&mut self, sink: &mut Sink<'_>) {
        sink.stats.adrift += u64::from(self.step != Step::Adrift);
        self.step = Step::Adrift;
    }

    /// The connection is not HTTP/1.x at all.
    fn foreign(&mut self, end: End, sink: &mut Sink<'_>) {
        self.unreadable(end, None, sink);
        self.give_up(end, sink);
    }
}
