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

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use slab::Slab;

use crate::packet::{Flags, FlowKey, Segment, Side};
use crate::time::Nanos;

use connection::Connection;
use recent::Recent;
use timers::{Entry, Timers};

pub use event::{Close, Event};
pub use limits::Limits;
pub use stats::Stats;

/// A connection's number: counted up from 0, never given twice by one [`Streams`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

impl ConnectionId {
    fn low(self) -> u32 {
        self.0 as u32
    }
}

/// All connections that are followed, each with a `T` that belongs to whoever listens. Feed it with
/// [`Streams::on_segment`], call [`Streams::expire`] about once a second, and [`Streams::flush`] when the input ends.
///
/// Every method hands its events to `sink`, in the order in which they are certain. A connection's first event
/// is `Opened`, its last `Closed`, and it has one of each.
#[derive(Debug)]
pub struct Streams<T = ()> {
    /// Where each connection is, by its key.
    places: HashTable<u32>,
    followed: Slab<Followed<T>>,
    hasher: DefaultHashBuilder,
    timers: Timers,
    recent: Recent,
    shared: Shared,
    next_id: u64,
}

/// Whose event it is: the listener's own, and which connection.
pub type Heard<'a, T> = (&'a mut T, ConnectionId, &'a FlowKey);

#[derive(Debug)]
struct Followed<T> {
    key: FlowKey,
    connection: Connection,
    with: T,
}

/// What all connections have in common: the limits, the counts, and the memory in use.
#[derive(Debug, Default)]
struct Shared {
    limits: Limits,
    stats: Stats,
    held: u64,
}

impl<T: Default> Streams<T> {
    /// An empty table.
    pub fn new(limits: Limits) -> Streams<T> {
        Streams {
            places: HashTable::new(),
            followed: Slab::new(),
            hasher: DefaultHashBuilder::default(),
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
        key: &FlowKey,
        segment: &Segment<'_>,
        sink: &mut impl FnMut(Heard<'_, T>, Event<'_>),
    ) {
        self.shared.stats.segments += 1;
        self.shared.stats.payload_bytes += segment.payload.len() as u64;
        let mut slot = self.find(key);
        if let Some(known) = slot.filter(|_| segment.flags.has(Flags::SYN)) {
            let is_other = |followed: &Followed<T>| !followed.connection.continues_with(from, segment);
            if self.followed.get(known as usize).is_some_and(is_other) {
                self.close(known, segment.at, Close::Reused, sink);
                slot = None;
            }
        }
        if let Some(slot) = slot.or_else(|| self.admit(key, segment, sink)) {
            self.follow(slot, from, segment, sink);
        }
    }

    /// Gives up holes that are too old and closes connections that were silent for too long, by the packet time
    /// `now`. Costs the logarithm of the connections for each one that is due, and next to nothing otherwise.
    pub fn expire(&mut self, now: Nanos, sink: &mut impl FnMut(Heard<'_, T>, Event<'_>)) {
        while let Some(entry) = self.timers.pop(now) {
            let Some(followed) = self.followed.get_mut(entry.slot as usize) else { continue };
            if !followed.connection.waits_for(&entry) {
                continue;
            }
            let Followed { key, connection, with } = followed;
            let id = connection.id;
            let ended = connection.expire(now, &mut self.shared, &mut |event| sink((with, id, key), event));
            if let Some(how) = ended {
                self.close(entry.slot, now, how, sink);
            } else {
                connection.due = connection.deadline(&self.shared.limits);
                self.timers.insert(Entry { due: connection.due, ..entry });
            }
        }
    }

    /// Ends the input at `now`: for each connection, oldest first, gives up its holes, hands on what was held
    /// behind them, and closes it as [`Close::Evicted`].
    pub fn flush(&mut self, now: Nanos, sink: &mut impl FnMut(Heard<'_, T>, Event<'_>)) {
        self.forget(now, |_| true, sink);
    }

    /// Ends what is known of some connections at `now`, as [`Streams::flush`] does of all. What comes of them later
    /// is a connection joined late.
    pub fn forget(
        &mut self,
        now: Nanos,
        which: impl Fn(&FlowKey) -> bool,
        sink: &mut impl FnMut(Heard<'_, T>, Event<'_>),
    ) {
        let named = self.followed.iter().filter(|(_, followed)| which(&followed.key));
        let mut slots: Vec<_> = named.map(|(slot, followed)| (followed.connection.id, slot as u32)).collect();
        slots.sort_unstable();
        slots.into_iter().for_each(|(_, slot)| self.close(slot, now, Close::Evicted, sink));
    }

    /// The same for one connection, if it is followed.
    pub fn forget_one(&mut self, now: Nanos, key: &FlowKey, sink: &mut impl FnMut(Heard<'_, T>, Event<'_>)) {
        if let Some(slot) = self.find(key) {
            self.close(slot, now, Close::Evicted, sink);
        }
    }

    /// How many connections are followed.
    pub fn open(&self) -> usize {
        self.followed.len()
    }

    /// Bytes allocated for what waits behind holes, over all connections.
    pub fn held(&self) -> u64 {
        self.shared.held
    }

    /// What was counted so far.
    pub fn stats(&self) -> Stats {
        self.shared.stats
    }

    fn find(&self, key: &FlowKey) -> Option<u32> {
        let is_it = |slot: &u32| self.followed.get(*slot as usize).is_some_and(|f| f.key == *key);
        self.places.find(self.hasher.hash_one(key), is_it).copied()
    }

    /// Opens a connection if `segment` may open one.
    fn admit(
        &mut self,
        key: &FlowKey,
        segment: &Segment<'_>,
        sink: &mut impl FnMut(Heard<'_, T>, Event<'_>),
    ) -> Option<u32> {
        let late = !segment.flags.has(Flags::SYN);
        let Shared { limits, stats, .. } = &mut self.shared;
        let refusal = if segment.flags.has(Flags::RST) || (late && segment.claimed_len() == 0) {
            &mut stats.unknown_segments
        } else if late && self.recent.contains(key, segment.at) {
            &mut stats.straggling_segments
        } else if self.followed.len() >= limits.connections {
            &mut stats.refused_connections
        } else {
            stats.count_open(late);
            let slot = self.insert(key, segment.at);
            if let Some(Followed { key, connection, with }) = self.followed.get_mut(slot as usize) {
                sink((with, connection.id, key), Event::Opened { late });
            }
            return Some(slot);
        };
        *refusal += 1;
        stats.unfollowed_bytes += segment.payload.len() as u64;
        None
    }

    fn insert(&mut self, key: &FlowKey, at: Nanos) -> u32 {
        let id = ConnectionId(self.next_id);
        self.next_id += 1;
        let connection = Connection::new(id, at, &self.shared.limits);
        let due = connection.due;
        // The limit on connections is far below what 32 bits count.
        let slot = self.followed.insert(Followed { key: *key, connection, with: T::default() }) as u32;
        let (hasher, followed) = (&self.hasher, &self.followed);
        let hash = |slot: &u32| followed.get(*slot as usize).map_or(0, |f| hasher.hash_one(f.key));
        self.places.insert_unique(hasher.hash_one(key), slot, hash);
        self.timers.insert(Entry { due, number: id.low(), slot });
        self.tidy();
        slot
    }

    /// Gives `segment` to its connection.
    fn follow(
        &mut self,
        slot: u32,
        from: Side,
        segment: &Segment<'_>,
        sink: &mut impl FnMut(Heard<'_, T>, Event<'_>),
    ) {
        let Some(followed) = self.followed.get_mut(slot as usize) else { return };
        self.shared.stats.followed_segments += 1;
        let Followed { key, connection, with } = followed;
        let id = connection.id;
        let ended =
            connection.on_segment(from, segment, &mut self.shared, &mut |event| sink((with, id, key), event));
        // Later deadlines need no act: the timer looks again when it fires.
        let sooner = connection.hole_deadline(&self.shared.limits).filter(|due| *due < connection.due);
        if let Some(how) = ended {
            self.close(slot, segment.at, how, sink);
        } else if let Some(due) = sooner {
            connection.due = due;
            self.timers.insert(Entry { due, number: id.low(), slot });
            self.tidy();
        }
    }

    fn tidy(&mut self) {
        let followed = &self.followed;
        self.timers.tidy(followed.len(), |entry| {
            followed.get(entry.slot as usize).is_some_and(|f| f.connection.waits_for(entry))
        });
    }

    fn close(&mut self, slot: u32, at: Nanos, how: Close, sink: &mut impl FnMut(Heard<'_, T>, Event<'_>)) {
        let Some(Followed { key, mut connection, mut with }) = self.followed.try_remove(slot as usize) else {
            return;
        };
        if let Ok(place) = self.places.find_entry(self.hasher.hash_one(key), |found| *found == slot) {
            place.remove();
        }
        let id = connection.id;
        connection.give_up(at, &mut self.shared, &mut |event| sink((&mut with, id, &key), event));
        if matches!(how, Close::Fin | Close::Reset) {
            self.recent.add(key, at);
        }
        self.shared.stats.count_close(how);
        sink((&mut with, id, &key), Event::Closed { at, how });
    }
}
