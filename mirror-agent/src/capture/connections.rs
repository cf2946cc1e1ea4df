//! The connections that were seen, with a cap: what was not seen for longest is forgotten first.

use std::collections::HashMap;

use crate::packet::{Flags, FlowKey, Segment, Side};

/// Connections in each of two generations. Over it the older generation is forgotten; a forgotten connection that goes
/// on is counted once more.
const GENERATION: usize = 32_768;

/// What is remembered of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Connection {
    /// Its number, from 1 in the order in which they were seen.
    pub(super) number: u64,
    /// The interfaces that own the client's direction and the server's; 0 is not known.
    pub(super) owners: [u32; 2],
    /// Sequence number of the client's SYN, if that was seen.
    start: Option<u32>,
}

/// How a connection was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meeting {
    /// At its start.
    Start,
    /// In its middle, for the first time.
    Joined,
    /// It was known.
    Again,
}

/// The table.
#[derive(Debug, Default)]
pub(super) struct Connections {
    young: HashMap<FlowKey, Connection>,
    old: HashMap<FlowKey, Connection>,
    stats: Stats,
}

/// Counters of the table. They only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stats {
    /// Connections seen.
    pub(super) seen: u64,
    /// Connections forgotten because the table was full.
    pub(super) forgotten: u64,
}

impl Connections {
    /// The connection of a segment. A client's SYN with another sequence number begins a new one on old addresses.
    pub(super) fn meet(
        &mut self,
        key: FlowKey,
        side: Side,
        segment: &Segment<'_>,
    ) -> (&mut Connection, Meeting) {
        let starts = side == Side::Client && segment.flags.has(Flags::SYN) && !segment.flags.has(Flags::ACK);
        let start = starts.then_some(segment.seq);
        let known = self.young.get(&key).copied().or_else(|| self.old.remove(&key));
        let (connection, meeting) = match known {
            Some(known) if start.is_none() || start == known.start => (known, Meeting::Again),
            _ => {
                self.stats.seen += 1;
                let connection = Connection { number: self.stats.seen, owners: [0; 2], start };
                (connection, if starts { Meeting::Start } else { Meeting::Joined })
            }
        };
        self.make_room(&key);
        (self.young.entry(key).insert_entry(connection).into_mut(), meeting)
    }

    /// What was counted so far.
    pub(super) fn stats(&self) -> Stats {
        self.stats
    }

    fn make_room(&mut self, key: &FlowKey) {
        if self.young.len() >= GENERATION && !self.young.contains_key(key) {
            self.stats.forgotten += self.old.len() as u64;
            self.old = std::mem::take(&mut self.young);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::time::Nanos;

    const SYN: u8 = Flags::SYN;
    const ACK: u8 = Flags::ACK;

    fn key(client: usize) -> FlowKey {
        let port = 1024 + client as u16 % 60_000;
        let client = SocketAddr::from(([10, 0, (client / 60_000) as u8, 1], port));
        FlowKey { client, server: SocketAddr::from(([10, 0, 0, 2], 80)) }
    }

    fn meet(table: &mut Connections, client: usize, side: Side, flags: u8, seq: u32) -> (u64, Meeting) {
        let key = key(client);
        let (from, to) =
            if side == Side::Client { (key.client, key.server) } else { (key.server, key.client) };
        let flags = Flags(flags);
        let segment = Segment { at: Nanos(0), from, to, seq, ack: 0, flags, payload: &[], missing: 0 };
        let (connection, meeting) = table.meet(key, side, &segment);
        (connection.number, meeting)
    }

    #[test]
    fn a_connection_is_new_once() {
        let table = &mut Connections::default();
        assert_eq!(meet(table, 1, Side::Client, SYN, 7), (1, Meeting::Start));
        assert_eq!(meet(table, 1, Side::Client, SYN, 7), (1, Meeting::Again), "a retransmission");
        assert_eq!(meet(table, 1, Side::Server, SYN | ACK, 99), (1, Meeting::Again));
        assert_eq!(meet(table, 2, Side::Server, ACK, 5), (2, Meeting::Joined));
        assert_eq!(meet(table, 1, Side::Client, ACK, 8), (1, Meeting::Again));
        assert_eq!(meet(table, 1, Side::Client, SYN, 8000), (3, Meeting::Start), "the port again");
        assert_eq!(table.stats(), Stats { seen: 3, forgotten: 0 });
    }

    #[test]
    fn owners_stay_with_their_connection() {
        let table = &mut Connections::default();
        let (from, to, flags) = (key(1).client, key(1).server, Flags(ACK));
        let segment = Segment { at: Nanos(0), from, to, seq: 1, ack: 0, flags, payload: &[], missing: 0 };
        table.meet(key(1), Side::Client, &segment).0.owners = [3, 4];
        assert_eq!(table.meet(key(1), Side::Client, &segment).0.owners, [3, 4]);
    }

    #[test]
    fn the_least_seen_are_forgotten() {
        let table = &mut Connections::default();
        for client in 0..2 * GENERATION + 1 {
            meet(table, client, Side::Client, SYN, 1);
            assert_eq!(meet(table, 0, Side::Server, ACK, 1), (1, Meeting::Again), "it never rests");
            assert!(table.young.len() + table.old.len() <= 2 * GENERATION);
        }
        assert_eq!(meet(table, 1, Side::Server, ACK, 1).1, Meeting::Joined, "long not seen");
        assert!(table.stats().forgotten >= GENERATION as u64 - 1);
    }
}
