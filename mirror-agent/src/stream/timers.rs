//! When each connection wants to be looked at again: one entry a connection, by packet time.

use std::collections::BTreeMap;

use super::ConnectionId;
use crate::packet::FlowKey;
use crate::time::Nanos;

/// The connections in the order of their next deadline. As many entries as there are connections.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: BTreeMap<(Nanos, ConnectionId), FlowKey>,
}

impl Timers {
    pub fn insert(&mut self, due: Nanos, id: ConnectionId, key: FlowKey) {
        self.due.insert((due, id), key);
    }

    pub fn remove(&mut self, due: Nanos, id: ConnectionId) {
        self.due.remove(&(due, id));
    }

    /// Takes out a connection whose deadline is `now` or earlier.
    pub fn pop(&mut self, now: Nanos) -> Option<(ConnectionId, FlowKey)> {
        let entry = self.due.first_entry()?;
        let (due, id) = *entry.key();
        (due <= now).then(|| (id, entry.remove()))
    }

    /// Takes out all connections, oldest first.
    pub fn drain(&mut self) -> Vec<(ConnectionId, FlowKey)> {
        let mut all: Vec<_> =
            std::mem::take(&mut self.due).into_iter().map(|((_, id), key)| (id, key)).collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        all
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.due.len()
    }
}
