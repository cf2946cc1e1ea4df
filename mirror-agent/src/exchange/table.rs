//! The conversations of all connections, and the memory that they may hold together.

use std::collections::HashMap;

use super::{Conversation, Stats};
use crate::http::Limits;
use crate::stream::{Close, ConnectionId, Event};
use crate::time::Nanos;

/// Every connection's conversation.
#[derive(Debug)]
pub struct Conversations {
    open: HashMap<ConnectionId, Conversation>,
    limits: Limits,
    /// Bytes that all of them may hold. Over it, the one that grew is given up.
    memory: usize,
    allocated: usize,
    totals: Totals,
}

/// What was counted over all connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Connections whose beginning was not seen.
    pub joined_late: u64,
    /// Connections that were given up because all together held too much.
    pub over_memory: u64,
    /// What the conversations that are over counted.
    pub closed: Stats,
}

impl Conversations {
    /// None yet.
    pub fn new(limits: Limits, memory: usize) -> Conversations {
        Conversations { open: HashMap::new(), limits, memory, allocated: 0, totals: Totals::default() }
    }

    /// Takes what a stream says. `take` gives the event to the conversation, and does what follows from it. Says
    /// whether the connection is over.
    pub fn on_event(
        &mut self,
        id: ConnectionId,
        event: &Event<'_>,
        take: &mut impl FnMut(&mut Conversation, &Event<'_>),
    ) -> bool {
        if let Event::Opened { late } = *event {
            self.totals.joined_late += u64::from(late);
            self.open.insert(id, Conversation::new(self.limits, late));
            return false;
        }
        let Some(conversation) = self.open.get_mut(&id) else { return false };
        let before = conversation.allocated();
        take(conversation, event);
        let after = conversation.allocated();
        self.allocated = (self.allocated + after).saturating_sub(before);
        let mut is_over = matches!(event, Event::Closed { .. });
        if !is_over && self.allocated > self.memory && after > before {
            self.totals.over_memory += 1;
            take(conversation, &Event::Closed { at: Nanos::default(), how: Close::Evicted });
            self.allocated = (self.allocated + conversation.allocated()).saturating_sub(after);
            is_over = true;
        }
        if is_over && let Some(conversation) = self.open.remove(&id) {
            self.totals.closed.add(&conversation.stats());
        }
        is_over
    }

    /// How many are open.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Bytes of memory that they hold beyond themselves.
    pub fn allocated(&self) -> usize {
        self.allocated
    }

    /// What was counted so far.
    pub fn totals(&self) -> Totals {
        self.totals
    }
}
