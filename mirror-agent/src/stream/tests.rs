//! Whole connections: how they open, what they hand on, how they end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::packet::sample::{Tcp, ethernet, frame, ipv4};
use crate::packet::{Link, parse};
use Side::{Client, Server};

const FIN: u8 = Flags::FIN;
const SYN: u8 = Flags::SYN;
const RST: u8 = Flags::RST;
const ACK: u8 = Flags::ACK;

/// First numbers of the two ends; both wrap after a few bytes.
const CLIENT: u32 = u32::MAX - 2;
const SERVER: u32 = u32::MAX - 5;

/// A table and what it said, one word an event: `0+` opened, `0~` opened late, `0c:abc` a chunk of the client,
/// `0s(3)` a gap, `0c!` finished, `0-Fin` closed.
struct Rig {
    streams: Streams,
    now: u64,
    port: u16,
    said: Vec<String>,
}

impl Rig {
    fn new(limits: Limits) -> Rig {
        Rig { streams: Streams::<()>::new(limits), now: 0, port: 1, said: Vec::new() }
    }

    fn raw(mut self, from: Side, seq: u32, ack: u32, flags: u8, payload: &str) -> Rig {
        let key = key(self.port);
        let segment = segment(self.now, seq, ack, flags, payload.as_bytes());
        let said = &mut self.said;
        self.streams.on_segment(from, &key, &segment, &mut |(_, id, _), event| said.push(word(id, event)));
        self
    }

    /// A segment of the client: its offset, and how many bytes of the server it acknowledges.
    fn client(self, offset: i32, acked: i32, flags: u8, payload: &str) -> Rig {
        let (seq, ack) = (first(CLIENT, offset), first(SERVER, acked));
        self.raw(Client, seq, ack, flags | ACK, payload)
    }

    fn server(self, offset: i32, acked: i32, flags: u8, payload: &str) -> Rig {
        let (seq, ack) = (first(SERVER, offset), first(CLIENT, acked));
        self.raw(Server, seq, ack, flags | ACK, payload)
    }

    fn handshake(self) -> Rig {
        self.raw(Client, CLIENT, 0, SYN, "")
            .raw(Server, SERVER, CLIENT.wrapping_add(1), SYN | ACK, "")
            .client(0, 0, 0, "")
    }

    fn port(mut self, port: u16) -> Rig {
        self.port = port;
        self
    }

    /// Moves the time without telling the table.
    fn later(mut self, now: u64) -> Rig {
        self.now = now;
        self
    }

    fn expire(mut self, now: u64) -> Rig {
        self.now = now;
        let said = &mut self.said;
        self.streams.expire(Nanos(now), &mut |(_, id, _), event| said.push(word(id, event)));
        self
    }

    fn flush(mut self) -> Rig {
        let said = &mut self.said;
        self.streams.flush(Nanos(self.now), &mut |(_, id, _), event| said.push(word(id, event)));
        assert_eq!((self.streams.open(), self.streams.held()), (0, 0));
        self
    }
}

fn key(port: u16) -> FlowKey {
    FlowKey { client: ([10, 0, 0, 1], port).into(), server: ([10, 0, 0, 2], 80).into() }
}

fn segment(at: u64, seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Segment<'_> {
    let key = key(1);
    let flags = Flags(flags);
    Segment { at: Nanos(at), from: key.client, to: key.server, seq, ack, flags, payload, missing: 0 }
}

/// The number of the byte `offset` bytes after the SYN.
fn first(isn: u32, offset: i32) -> u32 {
    isn.wrapping_add(1).wrapping_add_signed(offset)
}

fn word(ConnectionId(id): ConnectionId, event: Event<'_>) -> String {
    let side = |from| if from == Client { 'c' } else { 's' };
    match event {
        Event::Opened { late: false } => format!("{id}+"),
        Event::Opened { late: true } => format!("{id}~"),
        Event::Chunk { from, data, .. } => format!("{id}{}:{}", side(from), String::from_utf8_lossy(data)),
        Event::Gap { from, bytes, .. } => format!("{id}{}({bytes})", side(from)),
        Event::Finished { from, .. } => format!("{id}{}!", side(from)),
        Event::Closed { how, .. } => format!("{id}-{how:?}"),
    }
}

fn limits() -> Limits {
    Limits {
        hole: Duration::from_nanos(100),
        patience: Duration::from_nanos(10),
        idle: Duration::from_nanos(1000),
        linger: Duration::from_nanos(50),
        ..Limits::default()
    }
}

fn check(script: impl Fn(Rig) -> Rig, expected: &str) -> Rig {
    let rig = script(Rig::new(limits()));
    assert_eq!(rig.said.join(" "), expected);
    rig
}

#[test]
fn a_whole_connection() {
    let rig = check(
        |rig| {
            rig.handshake()
                .client(0, 0, 0, "GET")
                .server(0, 3, 0, "200 ")
                .server(4, 3, FIN, "OK")
                .client(3, 7, FIN, "")
                .server(7, 4, 0, "")
        },
        "0+ 0c:GET 0s:200  0s:OK 0s! 0c! 0-Fin",
    );
    let stats = rig.streams.stats();
    assert_eq!((stats.opened, stats.closed_fin, stats.unknown_segments, rig.streams.open()), (1, 1, 1, 0));
}

#[test]
fn a_syn_with_data_is_read_once() {
    check(
        |rig| {
            rig.raw(Client, CLIENT, 0, SYN, "GET")
                .raw(Server, SERVER, CLIENT.wrapping_add(1), SYN | ACK, "")
                .client(0, 0, 0, "GET /")
        },
        "0+ 0c:GET 0c: /",
    );
}

#[test]
fn joined_late() {
    // Nothing opens a connection but SYN and payload.
    let rig = check(|rig| rig.client(0, 0, 0, "").server(0, 0, FIN, "").client(0, 0, RST, ""), "");
    assert_eq!(rig.streams.stats().unknown_segments, 3);
    check(
        |rig| rig.client(5, 9, 0, "GET").server(9, 8, 0, "200").client(8, 12, 0, "GET"),
        "0~ 0c:GET 0s:200 0c:GET",
    );
    check(|rig| rig.server(9, 5, 0, "200").client(5, 12, 0, "GET"), "0~ 0s:200 0c:GET");
    // The client waits for byte 9, so a server that is first seen at 11 has a hole.
    check(
        |rig| rig.client(5, 9, 0, "GET").server(11, 8, 0, "0").client(8, 12, 0, "").expire(10),
        "0~ 0c:GET 0s(2) 0s:0",
    );
    // What was sent before the first byte seen is not wanted.
    check(|rig| rig.client(5, 9, 0, "GET").client(0, 9, 0, "xxxxxGE"), "0~ 0c:GET");
    // A SYN that comes after the data it announces.
    check(|rig| rig.client(0, 0, 0, "GET").raw(Client, CLIENT, 0, SYN, ""), "0~ 0c:GET");
}

#[test]
fn half_a_handshake_is_enough() {
    let syn = |rig: Rig| rig.raw(Client, CLIENT, 0, SYN, "");
    let syn_ack = |rig: Rig| rig.raw(Server, SERVER, first(CLIENT, 0), SYN | ACK, "");
    check(|rig| syn_ack(rig).client(1, 0, 0, "b").client(0, 0, 0, "a"), "0+ 0c:a 0c:b");
    check(|rig| syn(rig).client(0, 0, 0, "a").server(1, 1, 0, "y").server(0, 1, 0, "x"), "0+ 0c:a 0s:x 0s:y");
    // Without an ACK to go by, the server starts where it is first seen.
    check(|rig| syn(rig).server(4, 0, 0, "y"), "0+ 0s:y");
    check(|rig| syn_ack(syn_ack(syn(syn(rig)))).client(0, 0, 0, "a"), "0+ 0c:a");
    check(|rig| syn_ack(rig.client(0, 0, 0, "a")).server(0, 1, 0, "x"), "0~ 0c:a 0s:x");
}

#[test]
fn an_answer_waits_for_its_question() {
    let early = |rig: Rig| rig.handshake().later(10).server(0, 3, 0, "200 ").server(4, 3, FIN, "OK");
    let rig = check(|rig| early(rig).client(0, 0, 0, "GET"), "0+ 0c:GET 0s:200  0s:OK 0s!");
    assert_eq!(rig.streams.stats().early_segments, 2);
    // The first of two requests does not let the answer to the second go.
    check(|rig| rig.handshake().server(0, 3, 0, "x").client(0, 0, 0, "GE"), "0+ 0c:GE");
    // A question that was lost is waited for 100 ms, by segments or by the clock.
    let patience = 100_000_000;
    let limits = Limits::default();
    for expired in [patience - 1, patience] {
        let rig = Rig::new(limits).handshake().server(0, 3, 0, "x").expire(expired);
        assert_eq!(rig.said.join(" "), if expired < patience { "0+" } else { "0+ 0c(2) 0s:x" });
    }
    let rig = Rig::new(limits).handshake().server(0, 3, 0, "x").later(patience).client(0, 0, 0, "");
    assert_eq!(rig.said.join(" "), "0+ 0c(2) 0s:x");
    // It is waited for once.
    let rig = rig.server(1, 3, 0, "y");
    assert_eq!(rig.said.join(" "), "0+ 0c(2) 0s:x 0s:y");
    // What waits is part of the memory in use, and does not wait where there is none.
    let held = early(Rig::new(limits)).streams.held();
    assert_eq!(held, early::Early::cost(b"200 ") + early::Early::cost(b"OK"));
    let no_room = Limits { held_overall: held - 1, ..limits };
    assert_eq!(early(Rig::new(no_room)).said.join(" "), "0+ 0s:200  0s:OK 0s!"); // and they stay in order
    // Nor does it get lost when the connection ends, or when too many wait. What it acknowledged, but for what may be
    // a FIN, is a gap then.
    check(|rig| early(rig).client(0, 0, RST, ""), "0+ 0s:200  0s:OK 0s! 0c(2) 0-Reset");
    let rig = (0..1025).fold(Rig::new(limits).handshake(), |rig, i| rig.server(i, 3, 0, "x"));
    assert_eq!(rig.said.len(), 1026);
}

#[test]
fn what_was_forgotten_is_joined_late() {
    let mut rig = Rig::new(limits()).handshake().client(0, 0, 0, "GET").port(2).client(0, 0, 0, "x");
    let mut said = Vec::new();
    rig.streams.forget(Nanos(0), |of| *of == key(1), &mut |(_, id, _), event| said.push(word(id, event)));
    assert_eq!((said.join(" ").as_str(), rig.streams.open()), ("0-Evicted", 1));
    let rig = rig.port(1).client(90, 70, 0, "GET").server(70, 93, 0, "200");
    assert_eq!(rig.said[rig.said.len() - 3..].join(" "), "2~ 2c:GET 2s:200");
}

#[test]
fn the_same_addresses_again() {
    let rig = check(
        |rig| rig.handshake().client(1, 0, 0, "b").raw(Client, 77, 0, SYN, "").raw(Client, 78, 0, 0, "x"),
        "0+ 0c(1) 0c:b 0-Reused 1+ 1c:x",
    );
    assert_eq!((rig.streams.stats().closed_reused, rig.streams.open()), (1, 1));
    // Its SYN was lost.
    check(
        |rig| rig.handshake().raw(Server, 5, 78, SYN | ACK, "").raw(Client, 78, 6, ACK, "x"),
        "0+ 0-Reused 1+ 1c:x",
    );
}

#[test]
fn resets() {
    check(|rig| rig.handshake().client(0, 0, RST, ""), "0+ 0-Reset");
    check(|rig| rig.handshake().server(1, 0, 0, "y").server(2, 0, RST, ""), "0+ 0s(1) 0s:y 0-Reset");
    let rig = check(|rig| rig.handshake().client(-1, 0, RST, "").server(1 << 21, 0, RST, ""), "0+");
    assert_eq!(rig.streams.stats().implausible_resets, 2);
    // A refused connection: the RST has no number of its own, but acknowledges the SYN.
    let syn = |rig: Rig| rig.raw(Client, CLIENT, 0, SYN, "");
    check(|rig| syn(rig).raw(Server, 0, first(CLIENT, 0), RST | ACK, ""), "0+ 0-Reset");
    check(|rig| syn(rig).raw(Server, 0, CLIENT, RST | ACK, "").raw(Server, 0, 0, RST, ""), "0+");
}

#[test]
fn stragglers_open_nothing() {
    let closed = |rig: Rig| rig.handshake().client(0, 0, RST, "");
    let rig = check(|rig| closed(rig).later(49).client(0, 0, 0, "GET"), "0+ 0-Reset");
    assert_eq!(rig.streams.stats().straggling_segments, 1);
    check(|rig| closed(rig).later(50).client(0, 0, 0, "GET"), "0+ 0-Reset 1~ 1c:GET");
    check(|rig| closed(rig).raw(Client, 9, 0, SYN, "GET"), "0+ 0-Reset 1+ 1c:GET");
}

#[test]
fn holes_and_silence_end_by_packet_time() {
    let hole = |rig: Rig| rig.handshake().later(10).client(1, 0, 0, "b");
    check(|rig| hole(rig).expire(109), "0+");
    check(|rig| hole(rig).expire(110), "0+ 0c(1) 0c:b");
    // A segment of either end is as good a clock.
    check(|rig| hole(rig).later(110).server(0, 0, 0, "x"), "0+ 0s:x 0c(1) 0c:b");
    // What the other end has is waited for no longer than it may take another way to us; its answer waits with it.
    check(|rig| hole(rig).server(0, 2, 0, "x").expire(19), "0+");
    check(|rig| hole(rig).server(0, 2, 0, "x").expire(20), "0+ 0c(1) 0c:b 0s:x");
    check(|rig| hole(rig).server(0, 2, 0, "x").client(0, 0, 0, "a"), "0+ 0c:a 0c:b 0s:x");
    check(|rig| rig.handshake().expire(999), "0+");
    check(|rig| rig.handshake().expire(1000), "0+ 0-Idle");
    check(|rig| rig.handshake().later(500).client(0, 0, 0, "").expire(1499).expire(1500), "0+ 0-Idle");
    check(|rig| hole(rig).expire(1010), "0+ 0c(1) 0c:b 0-Idle");
    // After a hole that healed, the next one still ends in time.
    check(|rig| hole(rig).client(0, 0, 0, "a").later(50).client(3, 0, 0, "d").expire(149), "0+ 0c:a 0c:b");
    check(
        |rig| hole(rig).client(0, 0, 0, "a").later(50).client(3, 0, 0, "d").expire(120).expire(150),
        "0+ 0c:a 0c:b 0c(1) 0c:d",
    );
    // Both ends have finished once the hole before the second FIN is given up.
    check(
        |rig| rig.handshake().client(0, 0, FIN, "").server(2, 1, FIN, "").expire(100),
        "0+ 0c! 0s(2) 0s! 0-Fin",
    );
}

#[test]
fn the_end_of_input() {
    check(
        |rig| {
            rig.handshake()
                .client(1, 0, 0, "b")
                .server(0, 0, 0, "x")
                .port(2)
                .client(0, 0, 0, "z")
                .flush()
                .flush()
        },
        "0+ 0s:x 1~ 1c:z 0c(1) 0c:b 0-Evicted 1-Evicted",
    );
}

#[test]
fn a_full_table_refuses_the_newest() {
    let rig = Rig::new(Limits { connections: 1, ..limits() });
    let rig = rig.handshake().port(2).handshake().client(0, 0, 0, "x").port(1).client(0, 0, 0, "a");
    assert_eq!(rig.said.join(" "), "0+ 0c:a");
    // SYN, SYN-ACK and the payload.
    assert_eq!((rig.streams.stats().refused_connections, rig.streams.open()), (3, 1));
    let rig = rig.client(1, 0, RST, "").port(2).client(0, 0, 0, "x");
    assert_eq!(rig.said.join(" "), "0+ 0c:a 0-Reset 1~ 1c:x");
}

#[test]
fn memory_is_bounded_over_all_connections() {
    let mut rig = Rig::new(Limits { held_overall: 4096, ..limits() });
    for port in 1..200 {
        rig = rig.port(port).handshake().client(1, 0, 0, "0123456789");
        assert!(rig.streams.held() <= 4096);
    }
    assert!(rig.streams.held() > 3900);
    assert_eq!(rig.streams.stats().refused_bytes % 10, 0);
    let stats = rig.flush().streams.stats();
    assert_eq!((stats.chunk_bytes + stats.refused_bytes, stats.closed_evicted), (199 * 10, 199));
    assert_eq!(stats.gap_bytes, 199 + stats.refused_bytes);
}

#[test]
fn in_order_payload_is_not_copied() {
    let (payload, mut streams) = (*b"GET / HTTP/1.1", Streams::<()>::new(limits()));
    let mut seen = Vec::new();
    let segment = segment(0, 5, 0, ACK, &payload);
    streams.on_segment(Client, &key(1), &segment, &mut |_, event| {
        if let Event::Chunk { data, .. } = event {
            seen.push(data.as_ptr_range());
        }
    });
    assert_eq!(seen, [payload.as_ptr_range()]);
    assert_eq!(streams.stats().copied_bytes, 0);
}

/// The server's start is guessed from the client's acknowledgment, and bytes are held beyond it when a SYN contradicts:
/// what is held is handed on, and its memory is given back.
#[test]
fn a_late_syn_at_or_behind_held_bytes() {
    for (isn, expected) in [(0, "0s:x"), (1, "0s(1) 0s:x")] {
        let mut streams = Streams::<()>::new(limits());
        let mut server = Vec::new();
        let mut hear = |(_, id, _): Heard<'_, ()>, event: Event<'_>| {
            if let Event::Chunk { from: Server, .. } | Event::Gap { from: Server, .. } = event {
                server.push(word(id, event));
            }
        };
        for (from, seq, flags, payload) in
            [(Client, 9, ACK, &b"c"[..]), (Server, 1, ACK, b"x"), (Server, isn, SYN | ACK, b"")]
        {
            let ack = if from == Client { 0 } else { 10 };
            streams.on_segment(from, &key(1), &segment(0, seq, ack, flags, payload), &mut hear);
        }
        streams.flush(Nanos(1), &mut hear);
        assert_eq!((server.join(" ").as_str(), streams.held()), (expected, 0));
    }
}

#[test]
fn frames_become_streams() {
    let send = |flags, seq, payload: &[u8]| {
        ethernet(&[0x0800], &ipv4(6, &[], &Tcp { flags, seq, ..Tcp::with(payload) }.bytes()))
    };
    let mut streams = Streams::<()>::new(limits());
    let mut said = Vec::new();
    for data in [send(SYN, 6, b""), send(ACK, 10, b"/ HTTP"), send(ACK, 7, b"GET")] {
        let segment = parse(&frame(Link::Ethernet, &data)).unwrap();
        let key = FlowKey { client: segment.from, server: segment.to };
        streams.on_segment(Client, &key, &segment, &mut |(_, id, _), event| said.push(word(id, event)));
    }
    assert_eq!(said, ["0+", "0c:GET", "0c:/ HTTP"]);
}

/// A random segment: port, sender, time, number, acknowledgment, flags, payload, bytes cut off.
type Noise = (u16, bool, u64, u32, u32, u8, usize, u32);

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![6 => 0_u32..60, 2 => (u32::MAX - 20)..=u32::MAX, 1 => any::<u32>()]
}

fn noise() -> impl Strategy<Value = Noise> {
    let flags = prop_oneof![
        8 => Just(ACK), 2 => Just(0), 2 => Just(SYN), 1 => Just(SYN | ACK), 2 => Just(FIN | ACK), 1 => any::<u8>()
    ];
    let missing = prop_oneof![9 => Just(0_u32), 1 => 0_u32..20, 1 => any::<u32>()];
    (0_u16..5, any::<bool>(), 0_u64..300, number(), number(), flags, 0_usize..30, missing)
}

/// What must hold of the events of any input: each connection opens once, closes once, says nothing outside
/// that, nothing after an end's last byte, and only one is open on the same addresses.
#[derive(Default)]
struct Rules {
    open: BTreeMap<FlowKey, ConnectionId>,
    finished: BTreeSet<(ConnectionId, Side)>,
    newest: Option<ConnectionId>,
    chunk_bytes: u64,
    gap_bytes: u64,
}

impl Rules {
    fn see(&mut self, id: ConnectionId, key: &FlowKey, event: Event<'_>) {
        if let Event::Opened { .. } = event {
            assert!(self.newest < Some(id), "a number was given twice");
            self.newest = Some(id);
            assert_eq!(self.open.insert(*key, id), None);
            return;
        }
        assert_eq!(self.open.get(key), Some(&id));
        match event {
            Event::Chunk { from, data, .. } => {
                assert!(!data.is_empty() && !self.finished.contains(&(id, from)));
                self.chunk_bytes += data.len() as u64;
            }
            Event::Gap { from, bytes, .. } => {
                assert!(bytes > 0 && !self.finished.contains(&(id, from)));
                self.gap_bytes += u64::from(bytes);
            }
            Event::Finished { from, .. } => assert!(self.finished.insert((id, from))),
            Event::Closed { how, .. } => {
                let both = [Client, Server].iter().all(|side| self.finished.contains(&(id, *side)));
                assert!(how != Close::Fin || both);
                self.open.remove(key);
            }
            Event::Opened { .. } => unreachable!(),
        }
    }
}

proptest! {
    #[test]
    fn no_input_breaks_the_rules(input in proptest::collection::vec(noise(), 0..120), cap in 1_usize..5) {
        let limits = Limits {
            connections: cap, held_overall: 1500, held_per_direction: 700, chunks_per_direction: 4, remembered: 2,
            ..limits()
        };
        let mut streams = Streams::<()>::new(limits);
        let mut rules = Rules::default();
        let mut now = 0;
        for (port, from_client, wait, seq, ack, flags, len, missing) in input {
            // Packet clocks may step back.
            now = (now + wait).saturating_sub(30);
            let payload = vec![b'x'; len];
            let segment = Segment { missing, ..segment(now, seq, ack, flags, &payload) };
            let from = if from_client { Client } else { Server };
            streams.on_segment(from, &key(port), &segment, &mut |(_, id, key), event| rules.see(id, key, event));
            streams.expire(Nanos(now), &mut |(_, id, key), event| rules.see(id, key, event));
            prop_assert_eq!(streams.open(), rules.open.len());
            prop_assert!(streams.open() <= cap && streams.held() <= 1500);
            prop_assert!(streams.timers.len() >= streams.open());
            prop_assert!(streams.timers.len() <= 2 * streams.open() + 66);
            prop_assert!(streams.recent.len() <= 2);
        }
        streams.flush(Nanos(now), &mut |(_, id, key), event| rules.see(id, key, event));
        let stats = streams.stats();
        prop_assert!(rules.open.is_empty());
        prop_assert_eq!(streams.held(), 0);
        prop_assert!(streams.places.is_empty());
        prop_assert_eq!((stats.chunk_bytes, stats.gap_bytes), (rules.chunk_bytes, rules.gap_bytes));
    }

    /// Both ends talk at once; the frames of each are cut anywhere and come in any order, ends included.
    #[test]
    fn a_shuffled_conversation_arrives_whole(
        isns in any::<(u32, u32)>(),
        cuts in proptest::collection::btree_set(1_usize..200, 0..10),
        order in Just((0..22_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let edges: Vec<usize> = [0].into_iter().chain(cuts).chain([200]).collect();
        let text: Vec<u8> = (0..200).collect();
        let mut streams = Streams::<()>::new(limits());
        let mut got = [Vec::new(), Vec::new()];
        let mut ends = 0;
        let mut sink = |_: Heard<'_, ()>, event: Event<'_>| match event {
            Event::Chunk { from, data, .. } => got[from as usize].extend_from_slice(data),
            Event::Closed { how: Close::Fin, .. } => ends += 1,
            Event::Gap { .. } | Event::Closed { .. } => panic!("{event:?}"),
            Event::Opened { .. } | Event::Finished { .. } => {}
        };
        let (client, server) = (isns.0.wrapping_add(1), isns.1.wrapping_add(1));
        streams.on_segment(Client, &key(1), &segment(0, isns.0, 0, SYN, b""), &mut sink);
        streams.on_segment(Server, &key(1), &segment(0, isns.1, client, SYN | ACK, b""), &mut sink);
        for index in order {
            let (from, start) = if index % 2 == 0 { (Client, client) } else { (Server, server) };
            let Some(&[begin, end]) = edges.get(index / 2..index / 2 + 2) else { continue };
            let flags = if end == 200 { FIN } else { 0 };
            let seq = start.wrapping_add(begin as u32);
            streams.on_segment(from, &key(1), &segment(0, seq, 0, flags, &text[begin..end]), &mut sink);
        }
        prop_assert_eq!(ends, 1);
        prop_assert_eq!(&got[0], &text);
        prop_assert_eq!(&got[1], &text);
    }
}
