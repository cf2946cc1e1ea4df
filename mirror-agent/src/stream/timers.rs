//! When each connection wants to be looked at again, by packet time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::time::Nanos;

/// Entries for each connection, on average, beyond which those that are out of date are thrown out.
const SLACK: usize = 2;

/// The deadlines of connections, soonest first. A connection that moves its deadline adds an entry: the old one is
/// found to be out of date when its time comes.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: BinaryHeap<Reverse<Entry>>,
}

/// One deadline. Connections that are due at once come in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub due: Nanos,
    /// The low half of the connection's number, which tells it from a later one in the same slot.
    pub number: u32,
    /// Where the connection is.
    pub slot: u32,
}

impl Timers {
    pub fn insert(&mut self, entry: Entry) {
        self.due.push(Reverse(entry));
    }

    /// Takes out an entry whose deadline is `now` or earlier.
    pub fn pop(&mut self, now: Nanos) -> Option<Entry> {
        let Reverse(entry) = *self.due.peek()?;
        if entry.due > now {
            return None;
        }
        self.due.pop();
        Some(entry)
    }

    /// Throws out what is out of date if there is much of it: `connections` is how many there are.
    pub fn tidy(&mut self, connections: usize, is_true: impl Fn(&Entry) -> bool) {
        if self.due.len() > SLACK * connections + 64 {
            self.due.retain(|Reverse(entry)| is_true(entry));
        }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.due.len()
    }
}
