//! Fragments become datagrams again (RFC 791, section 3.2; RFC 8200, section 4.5), or are given up and counted.
//!
//! A datagram with fragments that overlap is given up, and so is what comes of it later (RFC 5722, for IPv6; done for
//! both): no two receivers agree on what such a datagram says.

mod datagram;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use super::ip::{Body, Fragment};
use super::ipv6;
use super::skip::Skip;
use crate::time::Nanos;

use datagram::{Datagram, Taken};

/// The longest that a length field can say, in bytes.
const MAX_DATAGRAM: usize = 65_535;

/// What a datagram costs besides its fragments, in bytes: entries of maps.
const DATAGRAM_COST: usize = 512;

/// How much may wait to become whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Datagrams at once, those that were given up for a conflict included. Over it, the one begun first goes.
    pub datagrams: usize,
    /// Bytes held, with what it costs to hold them. Over it, by one fragment at most, the datagrams begun first go.
    pub bytes: usize,
    /// How long after its first fragment, by packet time, a datagram is given up.
    pub age: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { datagrams: 1024, bytes: 4 << 20, age: Duration::from_secs(30) }
    }
}

/// What became of fragments that were held, and of their datagrams.
///
/// The fragments balance with the frames skipped as [`Skip::FragmentHeld`]: those are `fragments.sum() + waiting`.
/// Neither the frame that made a datagram whole nor the one that made it contradict itself was ever held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FragmentStats {
    /// In datagrams.
    pub datagrams: Fates,
    /// In fragments.
    pub fragments: Fates,
    /// Fragments that still wait.
    pub waiting: u64,
}

/// How waiting can end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// All were there.
    pub joined: u64,
    /// The others did not come in time.
    pub expired: u64,
    /// There was no room any more.
    pub evicted: u64,
    /// They contradicted each other.
    pub conflicting: u64,
}

impl Fates {
    /// All of them.
    pub fn sum(self) -> u64 {
        self.joined + self.expired + self.evicted + self.conflicting
    }
}

/// Which fragments belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    source: IpAddr,
    destination: IpAddr,
    /// For IPv6 that of the fragment header: the number in it counts in the first fragment only.
    protocol: u8,
    id: u32,
    /// Tunnels around it: a packet seen before and in its tunnel is two.
    depth: usize,
}

impl Key {
    pub(super) fn new(body: &Body<'_>, id: u32, depth: usize) -> Key {
        let protocol = if body.source.is_ipv6() { ipv6::FRAGMENT } else { body.protocol };
        Key { source: body.source, destination: body.destination, protocol, id, depth }
    }
}

/// The datagrams that are not whole yet.
#[derive(Debug)]
pub(super) struct Fragments {
    limits: Limits,
    table: HashMap<Key, Datagram>,
    /// By number, so in the order in which they began.
    order: BTreeMap<u64, Key>,
    begun: u64,
    held: usize,
    stats: FragmentStats,
}

impl Fragments {
    pub(super) fn new(limits: Limits) -> Fragments {
        Fragments {
            limits,
            table: HashMap::new(),
            order: BTreeMap::new(),
            begun: 0,
            held: 0,
            stats: FragmentStats::default(),
        }
    }

    pub(super) fn stats(&self) -> FragmentStats {
        self.stats
    }

    /// Takes the fragment that `body` is. If its datagram is whole then, `joined` becomes what was cut, and its
    /// protocol is returned.
    pub(super) fn add(
        &mut self,
        at: Nanos,
        key: Key,
        fragment: Fragment,
        body: &Body<'_>,
        joined: &mut Vec<u8>,
    ) -> Result<u8, Skip> {
        check(fragment, body)?;
        self.expire(at);
        let datagram = self.table.entry(key).or_insert_with(|| {
            self.begun += 1;
            self.held += DATAGRAM_COST;
            self.order.insert(self.begun, key);
            Datagram::new(self.begun, at)
        });
        let before = (datagram.pieces(), datagram.cost());
        let taken = datagram.add(fragment, body.protocol, body.data);
        self.held = self.held - before.1 + datagram.cost();
        match taken {
            Taken::Held => {
                self.stats.waiting += 1;
                self.make_room();
                Err(Skip::FragmentHeld)
            }
            Taken::Copy => Err(Skip::FragmentCopy),
            Taken::Conflict => {
                self.settle(before.0, |fates| &mut fates.conflicting);
                Err(Skip::FragmentConflict)
            }
            Taken::Whole(protocol) => {
                datagram.join(joined);
                self.order.remove(&datagram.number);
                self.remove(&key);
                self.settle(before.0, |fates| &mut fates.joined);
                Ok(protocol)
            }
        }
    }

    /// Gives up what is too old.
    fn expire(&mut self, now: Nanos) {
        while self.oldest().is_some_and(|since| now.since(since) >= self.limits.age) {
            self.give_up_oldest(|fates| &mut fates.expired);
        }
    }

    /// Gives up what began first until all fits; what has just come, too.
    fn make_room(&mut self) {
        let too_much =
            |all: &Fragments| all.held > all.limits.bytes || all.table.len() > all.limits.datagrams;
        while !self.order.is_empty() && too_much(self) {
            self.give_up_oldest(|fates| &mut fates.evicted);
        }
    }

    fn oldest(&self) -> Option<Nanos> {
        let (_, key) = self.order.first_key_value()?;
        self.table.get(key).map(|datagram| datagram.since)
    }

    fn give_up_oldest(&mut self, fate: impl Fn(&mut Fates) -> &mut u64) {
        let Some((_, key)) = self.order.pop_first() else { return };
        let pieces = self.remove(&key);
        self.settle(pieces, fate);
    }

    /// Takes a datagram out of the table; returns how many fragments of it there were.
    fn remove(&mut self, key: &Key) -> u64 {
        let Some(datagram) = self.table.remove(key) else { return 0 };
        self.held -= DATAGRAM_COST + datagram.cost();
        datagram.pieces()
    }

    /// Counts the end of a datagram of which so many fragments were held. One without any was counted before.
    fn settle(&mut self, pieces: u64, fate: impl Fn(&mut Fates) -> &mut u64) {
        *fate(&mut self.stats.datagrams) += u64::from(pieces > 0);
        *fate(&mut self.stats.fragments) += pieces;
        self.stats.waiting -= pieces;
    }
}

/// Whether a fragment can be true, and is there.
fn check(fragment: Fragment, body: &Body<'_>) -> Result<(), Skip> {
    let ends_on_unit = body.claimed.is_multiple_of(8) || !fragment.more;
    let fits = fragment.offset as usize + body.claimed <= MAX_DATAGRAM;
    // A packet whose length is not known yet was not cut into fragments yet.
    if body.offloaded || body.claimed == 0 || !ends_on_unit || !fits {
        return Err(Skip::BadIp);
    }
    if body.data.len() < body.claimed { Err(Skip::CutFragment) } else { Ok(()) }
}
