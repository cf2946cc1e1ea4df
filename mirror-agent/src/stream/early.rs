//! Answers that are seen before their questions.
//!
//! The two directions of a connection can be copied by two processors, and then reach us in either order. A segment of
//! the server that acknowledges bytes of the client which were not handed on yet was sent after them: it waits for them,
//! as long as they are waited for.

use std::collections::VecDeque;

use crate::packet::Segment;
use crate::time::Nanos;

/// Segments that wait at once; one more, and all are let go.
const MOST: usize = 1024;

/// Segments of the server, in the order of their arrival.
#[derive(Debug, Default)]
pub(super) struct Early {
    waiting: VecDeque<(Segment<'static>, Box<[u8]>)>,
    /// The acknowledgment that was waited for in vain: what it acknowledges is not waited for again.
    waived: Option<u32>,
}

impl Early {
    /// Bytes of memory that a segment takes here. The queue doubles its room when it is full.
    pub fn cost(payload: &[u8]) -> u64 {
        (payload.len() + 2 * size_of::<(Segment<'static>, Box<[u8]>)>()) as u64
    }

    /// Keeps a copy of a segment.
    pub fn hold(&mut self, segment: &Segment<'_>) {
        self.waiting.push_back((Segment { payload: &[], ..*segment }, segment.payload.into()));
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether no more may wait.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= MOST
    }

    /// When the first one came.
    pub fn since(&self) -> Option<Nanos> {
        self.waiting.front().map(|(segment, _)| segment.at)
    }

    /// Waits no more for what this acknowledges.
    pub fn waive(&mut self, ack: u32) {
        self.waived = Some(ack);
    }

    /// Whether this acknowledgment was waited for in vain.
    pub fn is_waived(&self, ack: u32) -> bool {
        self.waived == Some(ack)
    }

    /// The acknowledgment number of the first one.
    pub fn first_ack(&self) -> Option<u32> {
        self.waiting.front().map(|(segment, _)| segment.ack)
    }

    /// Lets the first one go: the segment without its payload, and the payload.
    pub fn pop(&mut self) -> Option<(Segment<'static>, Box<[u8]>)> {
        let first = self.waiting.pop_front();
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
        first
    }
}
