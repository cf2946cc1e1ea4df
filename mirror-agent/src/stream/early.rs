//! Answers that are seen before their questions.
//!
//! The two directions of a connection can be copied by two processors, and then reach us in either order. A segment of
//! the server that acknowledges bytes of the client which we have not seen was sent after them: it waits for them.

use std::collections::VecDeque;
use std::time::Duration;

use crate::packet::Segment;
use crate::time::Nanos;

/// The longest that an answer waits. Another processor is microseconds behind; a byte that was lost never comes.
const PATIENCE: Duration = Duration::from_millis(100);
/// Segments that wait at once; one more, and all are let go.
const MOST: usize = 64;

/// Segments of the server, in the order of their arrival.
#[derive(Debug, Default)]
pub(super) struct Early {
    waiting: VecDeque<(Segment<'static>, Box<[u8]>)>,
}

impl Early {
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

    /// Until when the first one waits.
    pub fn deadline(&self) -> Option<Nanos> {
        self.waiting.front().map(|(segment, _)| segment.at + PATIENCE)
    }

    /// The acknowledgment number of the first one.
    pub fn first_ack(&self) -> Option<u32> {
        self.waiting.front().map(|(segment, _)| segment.ack)
    }

    /// Lets the first one go: the segment without its payload, and the payload.
    pub fn pop(&mut self) -> Option<(Segment<'static>, Box<[u8]>)> {
        self.waiting.pop_front()
    }
}
