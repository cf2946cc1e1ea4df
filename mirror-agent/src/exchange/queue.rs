//! The requests of a connection whose turn is not over, oldest first.

use std::collections::VecDeque;

use super::{End, Exchange, Progress, Sink, Unmirrorable};
use crate::http::{Request, Response};

/// Requests whose answers have not come, and perhaps one that was answered before it was whole.
#[derive(Debug, Default)]
pub(super) struct Queue {
    slots: VecDeque<Slot>,
    /// The request at the back is still being read.
    back_is_read: bool,
    /// Bytes of whole requests.
    pending: usize,
}

/// A request's place in the order. It stays until the answer has come, also when the request has ended: the answer
/// must be passed over.
#[derive(Debug)]
struct Slot {
    request: State,
    switches: bool,
    /// The answer, if it came before the request was whole (RFC 9112, section 9.3).
    early: Option<Box<Response>>,
}

#[derive(Debug)]
enum State {
    Reading,
    Whole(Box<Request>),
    Ended,
}

impl Queue {
    /// How many requests have not ended.
    pub fn open(&self) -> usize {
        self.slots.iter().filter(|slot| !matches!(slot.request, State::Ended)).count()
    }

    /// How many have no answer yet.
    pub fn unanswered(&self) -> usize {
        self.slots.len() - usize::from(self.is_answered_early())
    }

    /// How many are read to their end, kept or not, and have no answer yet.
    pub fn waiting(&self) -> usize {
        self.unanswered() - usize::from(self.back_is_read && !self.is_answered_early())
    }

    /// Whether the request that is being read has its answer already.
    pub fn is_answered_early(&self) -> bool {
        self.slots.back().is_some_and(|slot| slot.early.is_some())
    }

    /// Whether one of them may turn the connection into something else.
    pub fn may_switch(&self) -> bool {
        self.slots.iter().any(|slot| slot.switches)
    }

    pub fn allocated(&self) -> usize {
        let early: usize =
            self.slots.iter().filter_map(|slot| slot.early.as_ref()).map(|r| r.allocated()).sum();
        self.pending + early + self.slots.capacity() * size_of::<Slot>()
    }

    /// A request has begun.
    pub fn begin(&mut self, switches: bool) {
        self.slots.push_back(Slot { request: State::Reading, switches, early: None });
        self.back_is_read = true;
    }

    /// The request that is being read is whole. `false`: it was not kept, because more than `limit` bytes wait.
    pub fn whole(&mut self, request: Box<Request>, limit: usize, sink: &mut Sink<'_>) -> bool {
        if !std::mem::take(&mut self.back_is_read) {
            return true;
        }
        let Some(slot) = self.slots.back_mut() else { return true };
        let size = request.allocated();
        let fits = self.pending + size <= limit || slot.early.is_some();
        if !fits {
            slot.end(Unmirrorable::Oversize.into(), sink);
        } else if !matches!(slot.request, State::Ended) {
            self.pending += size;
            slot.request = State::Whole(request);
        }
        self.settle(sink);
        fits
    }

    /// The request that is being read is read to its end; it ends unless it has already.
    pub fn not_kept(&mut self, why: End, sink: &mut Sink<'_>) {
        self.end_read(why, sink);
        self.back_is_read = false;
        self.settle(sink);
    }

    /// The request that is being read ends, and is read on.
    pub fn end_read(&mut self, why: End, sink: &mut Sink<'_>) {
        if self.back_is_read
            && let Some(slot) = self.slots.back_mut()
        {
            slot.end(why, sink);
        }
    }

    /// The request that is being read ends, and loses its place. `true`: it was still to be answered.
    pub fn drop_read(&mut self, why: End, sink: &mut Sink<'_>) -> bool {
        self.end_read(why, sink);
        if !std::mem::take(&mut self.back_is_read) {
            return false;
        }
        self.slots.pop_back().is_some_and(|slot| slot.early.is_none())
    }

    /// The oldest unanswered request ends, and keeps its place.
    pub fn end_front(&mut self, why: End, sink: &mut Sink<'_>) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.early.is_none()) {
            self.pending -= slot.end(why, sink);
        }
    }

    /// The answer to the front has come. `None`: it has, and is not to be had.
    pub fn answer(&mut self, response: Option<Box<Response>>, sink: &mut Sink<'_>) {
        let Some(mut slot) = self.slots.pop_front() else { return };
        slot.early = response;
        if matches!(slot.request, State::Reading) {
            match slot.early {
                // Only the last can still be read, so nothing stands behind it.
                Some(_) => return self.slots.push_back(slot),
                None => drop(slot.end(Unmirrorable::Gap.into(), sink)),
            }
        }
        self.back_is_read &= !self.slots.is_empty();
        self.retire(slot, sink);
    }

    /// Every unanswered request ends and loses its place.
    pub fn end_unanswered(&mut self, why: End, sink: &mut Sink<'_>) {
        if !self.is_answered_early() {
            self.end_all(why, sink);
        }
    }

    /// Every request ends and loses its place.
    pub fn end_all(&mut self, why: End, sink: &mut Sink<'_>) {
        for slot in &mut self.slots {
            slot.end(why, sink);
        }
        *self = Queue::default();
    }

    /// Retires the back if it is read and answered.
    fn settle(&mut self, sink: &mut Sink<'_>) {
        if self.is_answered_early()
            && let Some(slot) = self.slots.pop_back()
        {
            self.retire(slot, sink);
        }
    }

    fn retire(&mut self, slot: Slot, sink: &mut Sink<'_>) {
        if let State::Whole(request) = slot.request {
            self.pending = self.pending.saturating_sub(request.allocated());
            match slot.early {
                Some(response) => {
                    sink(Progress::Complete(Box::new(Exchange { request: *request, response: *response })));
                }
                None => sink(Progress::Ended(Unmirrorable::Gap.into())),
            }
        }
    }
}

impl Slot {
    /// Ends the request unless it has ended. Returns the bytes that it held.
    fn end(&mut self, why: End, sink: &mut Sink<'_>) -> usize {
        match std::mem::replace(&mut self.request, State::Ended) {
            State::Ended => return 0,
            State::Reading => sink(Progress::Ended(why)),
            State::Whole(request) => {
                sink(Progress::Ended(why));
                return request.allocated();
            }
        }
        0
    }
}
