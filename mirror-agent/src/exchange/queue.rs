//! The requests of a connection that have not ended, oldest first.

use std::collections::VecDeque;

use super::end::{End, Ended};
use super::{Exchange, Progress, Sink};
use crate::http::{Asked, Body, Problem, Request, Response};

/// Requests whose answers have not come, and perhaps one that was answered before it was whole.
#[derive(Debug, Default)]
pub(super) struct Queue {
    slots: VecDeque<Slot>,
    /// Bytes of the requests.
    pending: usize,
}

/// Where a request stands on its connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Offset of its first byte in the client's direction.
    pub start: i64,
    /// How many bytes of the server the client had acknowledged when it sent that byte.
    pub anchor: Option<i64>,
    /// What was lost just before it.
    pub lost: Option<Lost>,
}

/// Bytes of the client's that were not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The rest of a request, and perhaps more.
    Rest,
    /// One request at least.
    Requests,
}

#[derive(Debug)]
struct Slot {
    place: Place,
    asked: Asked,
    switches: bool,
    request: State,
    /// What came of the answer before the request was whole (RFC 9112, section 9.3).
    early: Option<Early>,
}

/// An answer that came, or was lost, before its request was whole.
#[derive(Debug)]
struct Early {
    /// How the request ends; `None`: as [`Queue::answer`] says.
    end: Option<End>,
    response: Option<Box<Response>>,
}

#[derive(Debug)]
enum State {
    Reading,
    Whole(Box<Request>),
    /// It keeps its place: the answer to it will come all the same.
    Failed(End, Option<Problem>, Option<Box<Request>>),
}

impl Queue {
    /// How many requests have not ended.
    pub fn open(&self) -> usize {
        self.slots.len()
    }

    /// How many have no answer yet.
    pub fn unanswered(&self) -> usize {
        self.slots.len() - usize::from(self.is_answered_early())
    }

    /// How many are read to their end, kept or not, and have no answer yet.
    pub fn waiting(&self) -> usize {
        self.unanswered() - usize::from(self.is_reading() && !self.is_answered_early())
    }

    /// Whether one of them may turn the connection into something else.
    pub fn may_switch(&self) -> bool {
        self.slots.iter().any(|slot| slot.switches)
    }

    /// Whether requests may be missing between those that wait.
    pub fn has_gaps(&self) -> bool {
        self.slots.iter().any(|slot| slot.place.lost.is_some())
    }

    /// The oldest request without an answer.
    pub fn front(&self) -> Option<(Place, Asked)> {
        let front = self.slots.front().filter(|slot| slot.early.is_none())?;
        Some((front.place, front.asked))
    }

    /// The newest request, answered or not.
    pub fn back(&self) -> Option<Place> {
        self.slots.back().map(|slot| slot.place)
    }

    pub fn allocated(&self) -> usize {
        let early = self.slots.front().and_then(|slot| slot.early.as_ref()?.response.as_ref());
        self.pending
            + early.map_or(0, |response| response.allocated())
            + self.slots.capacity() * size_of::<Slot>()
    }

    /// A request has begun.
    pub fn begin(&mut self, place: Place, asked: Asked, switches: bool) {
        if self.slots.capacity() == 0 {
            // Nearly all clients wait: nobody else's room is paid for.
            self.slots = VecDeque::with_capacity(1);
        }
        self.slots.push_back(Slot { place, asked, switches, request: State::Reading, early: None });
    }

    /// The request that is being read is whole. `false`: it was not kept, because more than `limit` bytes wait.
    pub fn whole(&mut self, request: Box<Request>, limit: usize, sink: &mut Sink<'_>) -> bool {
        let is_answered = self.is_answered_early();
        let fits = is_answered || self.pending + request.allocated() <= limit;
        if fits {
            self.read(State::Whole(request), sink);
        } else {
            let digest = request.body.sha256();
            let body = Body { kept: Default::default(), whole: false, digest, ..request.body };
            let small = Request { body, wire: Default::default(), ..*request };
            self.read(State::Failed(End::Oversize, None, Some(Box::new(small))), sink);
        }
        fits
    }

    /// The request that is being read will not be had whole.
    pub fn failed(
        &mut self,
        end: End,
        problem: Option<Problem>,
        request: Option<Box<Request>>,
        sink: &mut Sink<'_>,
    ) {
        self.read(State::Failed(end, problem, request), sink);
    }

    /// The front has its answer: it completes if both messages are whole.
    pub fn answer(&mut self, response: Box<Response>, sink: &mut Sink<'_>) {
        self.finish_front(None, None, Some(response), sink);
    }

    /// The front ends, and what was seen of its answer with it.
    pub fn end_front(
        &mut self,
        end: End,
        problem: Option<Problem>,
        response: Option<Box<Response>>,
        sink: &mut Sink<'_>,
    ) {
        self.finish_front(Some(end), problem, response, sink);
    }

    /// A request that is being read finishes when it has been read.
    fn finish_front(
        &mut self,
        end: Option<End>,
        problem: Option<Problem>,
        response: Option<Box<Response>>,
        sink: &mut Sink<'_>,
    ) {
        let Some(front) = self.slots.front_mut().filter(|front| front.early.is_none()) else { return };
        if matches!(front.request, State::Reading) {
            front.early = Some(Early { end, response });
        } else if let Some(slot) = self.pop() {
            slot.finish(end, problem, response, sink);
        }
    }

    /// Every request ends.
    pub fn end_all(&mut self, end: End, sink: &mut Sink<'_>) {
        while let Some(slot) = self.pop() {
            slot.finish(Some(end), None, None, sink);
        }
        *self = Queue::default();
    }

    /// Every request without an answer ends, but for one that is still being read: it only leaves the queue. Says
    /// whether there was one. The oldest takes with it what was seen of its answer.
    pub fn end_unanswered(
        &mut self,
        end: End,
        mut response: Option<Box<Response>>,
        sink: &mut Sink<'_>,
    ) -> bool {
        if self.is_answered_early() {
            return false;
        }
        let is_reading = self.is_reading();
        while let Some(slot) = self.pop() {
            if !matches!(slot.request, State::Reading) {
                slot.finish(Some(end), None, response.take(), sink);
            }
        }
        is_reading
    }

    /// Whether the newest request is still being read.
    pub fn is_reading(&self) -> bool {
        self.slots.back().is_some_and(|slot| matches!(slot.request, State::Reading))
    }

    /// Whether the request that is being read has its answer already. Only the newest can be read still, and those
    /// before it are answered first: then it is the only one.
    pub fn is_answered_early(&self) -> bool {
        self.slots.front().is_some_and(|slot| slot.early.is_some())
    }

    fn read(&mut self, state: State, sink: &mut Sink<'_>) {
        let Some(slot) = self.slots.back_mut().filter(|slot| matches!(slot.request, State::Reading)) else {
            return;
        };
        slot.request = state;
        self.pending += slot.held();
        if slot.early.is_some()
            && let Some(slot) = self.pop()
        {
            slot.finish(None, None, None, sink);
        }
    }

    fn pop(&mut self) -> Option<Slot> {
        let slot = self.slots.pop_front()?;
        self.pending -= slot.held();
        if self.slots.is_empty() {
            self.slots = VecDeque::new();
        }
        Some(slot)
    }
}

impl Slot {
    fn held(&self) -> usize {
        match &self.request {
            State::Whole(request) | State::Failed(_, _, Some(request)) => request.allocated(),
            State::Reading | State::Failed(..) => 0,
        }
    }

    /// The request completes if both messages are whole and nothing ends it; a reason of its own goes before `end`.
    fn finish(
        self,
        end: Option<End>,
        problem: Option<Problem>,
        response: Option<Box<Response>>,
        sink: &mut Sink<'_>,
    ) {
        let Early { end, response } = self.early.unwrap_or(Early { end, response });
        let (end, problem, request, response) = match (self.request, response, end) {
            (State::Whole(request), Some(response), None) if response.whole => {
                return sink.say(Progress::Complete(Exchange { request, response }));
            }
            (State::Whole(request), response, end) => (end, problem, Some(request), response),
            (State::Failed(own, problem, request), response, _) => (Some(own), problem, request, response),
            (State::Reading, response, end) => (end, problem, None, response),
        };
        let end = end.unwrap_or(End::ResponseGap);
        sink.say(Progress::Ended(Ended { end, request, response, problem }));
    }
}
