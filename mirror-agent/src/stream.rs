//! Segments become two ordered byte streams per connection.
//!
//! Order comes from sequence numbers alone. Time is the time of packets: nothing here waits or asks a clock.

pub mod event;
pub mod limits;
pub mod stats;

mod assembler;
mod connection;
mod early;
mod recent;
mod seq;
#[cfg(test)]
mod tests;
mod timers;

use std::collections::HashMap;

use crate::packet::{Flags, FlowKey, Segment, Side};
use crate::time::Nanos;

use connection::Connection;
use recent::Recent;
use timers::Timers;

pub use event::{Close, Event};
pub use limits::Limits;
pub use stats::Stats;

/// A connection's number: counted up from 0, never given twice by one [`Streams`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// All connections that are followed. Feed it with [`Streams::on_segment`], call [`Streams::expire`] about once
/// a second, and [`Streams::flush`] when the input ends.
///
/// Every method hands its events to `sink`, in the order in which they are certain. A connection's first event
/// is `Opened`, its last `Closed`, and it has one of each.
#[derive(Debug)]
pub struct Streams {
    table: HashMap<FlowKey, Connection>,
    timers: Timers,
    recent: Recent,
    shared: Shared,
    next_id: u64,
}

/// What all connections have in common: the limits, the counts, and the memory in use.
#[derive(Debug, Default)]
struct Shared {
    limits: Limits,
    stats: Stats,
    held: u64,
}

impl Streams {
    /// An empty table.
    pub fn new(limits: Limits) -> Streams {
        Streams {
            table: HashMap::new(),
            timers: Timers::default(),
            recent: Recent::new(limits.linger, limits.remembered),
            shared: Shared { limits, ..Shared::default() },
            next_id: 0,
        }
    }

    /// Takes a segment that the end `from` of the connection `key` sent.
    ///
    /// In-order payload is handed to `sink` as it is, without a copy. A SYN opens a connection, and so does
    /// payload of an unknown one (`Opened { late: true }`); other segments of unknown connections are counted.
    pub fn on_segment(
        &mut self,
        from: Side,
        key: FlowKey,
        segment: &Segment<'_>,
        sink: &mut impl FnMut(ConnectionId, &FlowKey, Event<'_>),
    ) {
        self.shared.stats.segments += 1;
        self.shared.stats.payload_bytes += segment.payload.len() as u64;
        if !segment.flags.has(Flags::SYN) && self.follow(from, &key, segment, sink) {
            return;
        }
        if self.table.get(&key).is_some_and(|connection| !connection.continues_with(from, segment)) {
            self.close(&key, segment.at, Close::Reused, sink);
        }
        if self.table.contains_key(&key) || self.admit(key, segment, sink) {
            self.follow(from, &key, segment, sink);
        }
    }

    /// Gives up holes that are too old and closes connections that were silent for too long, by the packet time
    /// `now`. Costs the logarithm of the connections for each one that is due, and next to nothing otherwise.
    pub fn expire(&mut self, now: Nanos, sink: &mut impl FnMut(ConnectionId, &FlowKey, Event<'_>)) {
        while let Some((id, key)) = self.timers.pop(now) {
            let Some(connection) = self.table.get_mut(&key) else { continue };
            let ended = connection.expire(now, &mut self.shared, &mut |event| sink(id, &key, event));
            if let Some(how) = ended {
                self.close(&key, now, how, sink);
            } else {
                connection.due = connection.deadline(&self.shared.limits);
                self.timers.insert(connection.due, id, key);
            }
        }
    }

    /// Ends the input at `now`: for each connection, oldest first, gives up its holes, hands on what was held
    /// behind them, and closes it as [`Close::Evicted`].
    pub fn flush(&mut self, now: Nanos, sink: &mut impl FnMut(ConnectionId, &FlowKey, Event<'_>)) {
        for (_, key) in self.timers.drain() {
            self.close(&key, now, Close::Evicted, sink);
        }
    }

    /// Ends what is known of some connections at `now`, as [`Streams::flush`] does of all. What comes of them later
    /// is a connection joined late.
    pub fn forget(
        &mut self,
        now: Nanos,
        which: impl Fn(&FlowKey) -> bool,
        sink: &mut impl FnMut(ConnectionId, &FlowKey, Event<'_>),
    ) {
        let keys: Vec<FlowKey> = self.table.keys().filter(|key| which(key)).copied().collect();
        keys.iter().for_each(|key| self.close(key, now, Close::Evicted, sink));
    }

    /// How many connections are followed.
    pub fn open(&self) -> usize {
        self.table.len()
    }

    /// Bytes allocated for what waits behind holes, over all connections.
    pub fn held(&self) -> u64 {
        self.shared.held
    }

    /// What was counted so far.
    pub fn stats(&self) -> Stats {
        self.shared.stats
    }

    /// Opens a connection if `segment` may open one.
    fn admit(
        &mut self,
        key: FlowKey,
        segment: &Segment<'_>,
        sink: &mut impl FnMut(ConnectionId, &FlowKey, Event<'_>),
    ) -> bool {
        let late = !segment.flags.has(Flags::SYN);
        let Shared { limits, stats, .. } = &mut self.shared;
        let refusal = if segment.flags.has(Flags::RST) || (late && segment.claimed_len() == 0) {
            &mut stats.unknown_segments
        } else if late && self.recent.contains(&key, segment.at) {
            &mut stats.straggling_segments
        } else if self.table.len() >= limits.connections {
            &mut stats.refused_connections
        } else {
            let id = ConnectionId(self.next_id);
            self.next_id += 1;
            let connection = Connection::new(id, segment.at, limits);
            self.timers.insert(connection.due, id, key);
            self.table.insert(key, connection);
            stats.count_open(late);
            sink(id, &key, Event::Opened { late });
            return true;
        };
        *refusal += 1;
        stats.unfollowed_bytes += segment.payload.len() as u64;
        false
    }

    /// Gives `segment` to its connection; `false` if there is none.
    fn follow(
        &mut self,
        from: Side,
        key: &FlowKey,
        segment: &Segment<'_>,
        sink: &mut impl FnMut(ConnectionId, &FlowKey, Event<'_>),
    ) -> bool {
        let Some(connection) = self.table.get_mut(key) else { return false };
        self.shared.stats.followed_segments += 1;
        let id = connection.id;
        let ended = connection.on_segment(from, segment, &mut self.shared, &mut |event| sink(id, key, event));
        // Later deadlines need no act: the timer looks again when it fires.
        let sooner = connection.hole_deadline(&self.shared.limits).filter(|due| *due < connection.due);
        if let Some(how) = ended {
            self.close(key, segment.at, how, sink);
        } else if let Some(due) = sooner {
            self.timers.remove(connection.due, id);
            self.timers.insert(due, id, *key);
            connection.due = due;
        }
        true
    }

    fn close(
        &mut self,
        key: &FlowKey,
        at: Nanos,
        how: Close,
        sink: &mut impl FnMut(ConnectionId, &FlowKey, Event<'_>),
    ) {
        let Some(mut connection) = self.table.remove(key) else { return };
        let id = connection.id;
        self.timers.remove(connection.due, id);
        connection.give_up(at, &mut self.shared, &mut |event| sink(id, key, event));
        if matches!(how, Close::Fin | Close::Reset) {
            self.recent.add(*key, at);
        }
        self.shared.stats.count_close(how);
        sink(id, key, Event::Closed { at, how });
    }
}
