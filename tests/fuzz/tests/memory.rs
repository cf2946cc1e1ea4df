//! What hostile traffic can make an engine hold, measured by the allocator: never more than the limits say.
//!
//! `cargo test -p mirror-fuzz --release --test memory -- --nocapture` shows the figures.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test panics, and shows its figures")]

use mirror_agent::exchange::{self, Conversation};
use mirror_agent::http;
use mirror_agent::packet::{Flags, FlowKey, Frame, Link, Options, Side};
use mirror_agent::read::engine::Engine;
use mirror_agent::read::summary::Summary;
use mirror_agent::stream::{Limits, Streams};
use mirror_agent::time::Nanos;
use mirror_fuzz::memory::Meter;
use mirror_fuzz::wire::Packet;

const MIB: u64 = 1 << 20;
const SYN: u8 = Flags::SYN;
const ACK: u8 = Flags::ACK;

/// What an engine keeps of connections and services at the most: 65,536 of the first with all that belongs to them
/// and the tables that find them, 65,536 of the second, 16,384 that have closed.
const TABLES: u64 = 72 * MIB;

/// An engine under attack.
struct Attack {
    name: &'static str,
    engine: Engine,
    meter: Meter,
    now: u64,
    buffer: Vec<u8>,
    records: u64,
}

impl Attack {
    fn new(name: &'static str) -> Attack {
        let buffer = Vec::with_capacity(70_000);
        let meter = Meter::start();
        let engine = Engine::new(&[], Options::default());
        Attack { name, engine, meter, now: 0, buffer, records: 0 }
    }

    /// Sends a packet, a microsecond after the one before.
    fn send(&mut self, packet: Packet<'_>) {
        let mut buffer = std::mem::take(&mut self.buffer);
        packet.write(&mut buffer);
        self.raw(&buffer);
        self.buffer = buffer;
    }

    fn raw(&mut self, data: &[u8]) {
        self.now += 1000;
        let frame = Frame { at: Nanos(self.now), link: Link::RawIp, data, wire_len: data.len() as u32 };
        let records = &mut self.records;
        self.engine.on_frame(&frame, &mut |_| *records += 1);
    }

    /// A connection's handshake: from here on the numbers are offsets plus one.
    fn open(&mut self, client: (u32, u16)) {
        self.send(Packet { client, flags: SYN, ..Packet::default() });
        self.send(Packet { client, is_answer: true, ack: 1, flags: SYN | ACK, ..Packet::default() });
    }

    fn client(&mut self, client: (u32, u16), at: usize, payload: &[u8]) {
        self.send(Packet { client, seq: 1 + at as u32, ack: 1, flags: ACK, payload, ..Packet::default() });
    }

    fn server(&mut self, client: (u32, u16), at: usize, acked: usize, payload: &[u8]) {
        let (seq, ack) = (1 + at as u32, 1 + acked as u32);
        self.send(Packet { client, is_answer: true, seq, ack, flags: ACK, payload });
    }

    /// Ends the input; nothing is left, everything balances, and at no time was more than `cap` held.
    fn end(mut self, cap: u64) -> Summary {
        let (held, records) = (self.meter.held(), &mut self.records);
        self.engine.end(&mut |_| *records += 1);
        let (peak, summary) = (self.meter.peak(), self.engine.summary());
        println!(
            "{}: {:.2} MiB at the end, peak {:.2} MiB, cap {:.0} MiB",
            self.name,
            mib(held),
            mib(peak),
            mib(cap)
        );
        for (name, fates) in summary.balances() {
            assert_eq!(fates.imbalance(), 0, "{}: {name}: {fates:?}", self.name);
        }
        assert_eq!(summary.exchanges.total, self.records);
        assert!(peak <= cap, "{}: {peak} bytes", self.name);
        summary
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB as f64
}

/// As many clients as wanted, each like no other.
fn clients(count: u32) -> impl Iterator<Item = (u32, u16)> {
    (0..count).map(|number| (0x0b00_0000 + number / 50_000, 10_000 + (number % 50_000) as u16))
}

#[test]
fn a_million_half_open_connections() {
    let mut attack = Attack::new("half-open");
    for client in clients(1_000_000) {
        attack.send(Packet { client, flags: SYN, ..Packet::default() });
    }
    let summary = attack.end(TABLES);
    assert_eq!(summary.segments.fates["refused_connection"], 1_000_000 - 65_536);
}

#[test]
fn a_million_services() {
    let mut attack = Attack::new("services");
    for client in clients(1_000_000) {
        let packet = Packet { client, is_answer: true, flags: SYN, ..Packet::default() };
        attack.send(packet);
    }
    attack.end(TABLES);
}

#[test]
fn holes_everywhere() {
    let mut attack = Attack::new("holes");
    let payload = [b'x'; 1000];
    for round in 0..200 {
        for client in clients(2000) {
            attack.client(client, round * 2000, &payload);
        }
    }
    // What waits behind holes, and its place in trees.
    attack.end(64 * MIB * 5 / 4 + 16 * MIB);
}

#[test]
fn single_bytes_with_holes_between_them() {
    let mut attack = Attack::new("single bytes");
    for client in clients(2000) {
        for round in 0..600 {
            attack.client(client, round * 2, b"x");
        }
    }
    attack.end(64 * MIB * 5 / 4 + 16 * MIB);
}

#[test]
fn out_of_order_up_to_the_window() {
    let mut attack = Attack::new("backwards");
    let payload = [b'x'; 1400];
    for client in clients(100) {
        attack.open(client);
        for number in (1..740).rev() {
            attack.client(client, number * 1400, &payload);
        }
    }
    attack.end(64 * MIB * 5 / 4 + 16 * MIB);
}

/// Answers that wait for their question: by their bytes, and by their number.
#[test]
fn early_answers() {
    for (name, len) in [("early answers", 1400), ("early bytes", 1)] {
        let mut attack = Attack::new(name);
        let payload = vec![b'x'; len];
        for client in clients(20_000) {
            attack.open(client);
            let begin = attack.now;
            for number in 0..60 {
                attack.server(client, number * len, 1000, &payload);
            }
            attack.now = begin;
        }
        attack.end(64 * MIB * 5 / 4 + TABLES);
    }
}

/// Sends `again` until each of `count` connections has said `len` bytes, one segment of each after the other.
fn endless(name: &'static str, side: Said, count: u32, first: &[u8], again: &[u8], rounds: usize) -> Attack {
    let mut attack = Attack::new(name);
    let ask = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for client in clients(count) {
        attack.open(client);
        match side {
            Said::Client => attack.client(client, 0, first),
            Said::Server => {
                attack.client(client, 0, ask);
                attack.server(client, 0, ask.len(), first);
            }
        }
    }
    for round in 0..rounds {
        for client in clients(count) {
            let at = first.len() + round * again.len();
            match side {
                Said::Client => attack.client(client, at, again),
                Said::Server => attack.server(client, at, ask.len(), again),
            }
        }
    }
    attack
}

#[derive(Clone, Copy)]
enum Said {
    Client,
    Server,
}

#[test]
fn endless_heads() {
    let lines = b"X-Header: and so on and on, for as long as anybody listens to it\r\n".repeat(20);
    let requests = endless("endless request heads", Said::Client, 4000, b"GET / HTTP/1.1\r\n", &lines, 60);
    // A head's vector is twice as large for a moment while it grows, and may be half empty.
    let summary = requests.end(4000 * 2 * (64 << 10) + TABLES);
    assert_eq!(summary.exchanges.fates["oversize"], 4000);
    let responses = endless("endless response heads", Said::Server, 4000, b"HTTP/1.1 200 OK\r\n", &lines, 60);
    responses.end(4000 * 2 * (64 << 10) + TABLES);
}

#[test]
fn more_heads_than_all_may_hold() {
    let line = [b'x'; 60_000];
    let attack = endless("heads over the sum", Said::Client, 12_000, b"GET / HTTP/1.1\r\nX: ", &line, 1);
    let summary = attack.end(512 * MIB + TABLES);
    assert!(summary.counters["connections_over_memory"] > 0);
}

#[test]
fn endless_chunk_lines_and_chunks() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;";
    let attack = endless("endless chunk line", Said::Server, 4000, head, &[b'x'; 1400], 10);
    attack.end(TABLES);
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunks = b"1\r\nx\r\n".repeat(200);
    let attack = endless("endless chunks", Said::Server, 20, head, &chunks, 6000);
    attack.end(20 * 2 * MIB + 16 * MIB);
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let attack = endless("endless request chunks", Said::Client, 4, head, &chunks, 14_500);
    // 16 MiB as sent and less as content, in vectors that may be half empty and stand beside their larger copies.
    attack.end(4 * 2 * 48 * MIB);
}

#[test]
fn endless_interim_responses() {
    let interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(30);
    let attack =
        endless("endless interim", Said::Server, 1000, b"HTTP/1.1 100 Continue\r\n\r\n", &interim, 50);
    attack.end(16 * MIB);
}

#[test]
fn a_million_pipelined_requests_without_answers() {
    let ask = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(40);
    let attack = endless("pipelined", Said::Client, 1, &ask, &ask, 25_000);
    attack.end(4 * MIB);
    // Below the limit of each connection: then the limit over all counts.
    let attack = endless("pipelined by many", Said::Client, 20_000, &ask, &ask, 2);
    attack.end(512 * MIB + TABLES);
}

#[test]
fn fragments_that_never_become_whole() {
    let mut attack = Attack::new("fragments");
    let mut packet = vec![0u8; 1500];
    packet[..4].copy_from_slice(&[0x45, 0, 0x05, 0xdc]);
    packet[6] = 0x20; // more fragments
    packet[8..10].copy_from_slice(&[64, 6]);
    for id in 0..1_000_000_u32 {
        packet[4..6].copy_from_slice(&(id as u16).to_be_bytes());
        packet[12..16].copy_from_slice(&(0x0b00_0000 + (id >> 16)).to_be_bytes());
        attack.raw(&packet);
    }
    attack.end(8 * MIB);
}

/// What each connection costs that waits for its next request. As many as fill their tables to the brim: with others
/// it is up to twice that, as tables double.
#[test]
fn an_idle_connection() {
    const COUNT: u32 = 32_768;
    let ask = b"GET / HTTP/1.1\r\nHost: service.test\r\nAccept: */*\r\nUser-Agent: test\r\n\r\n";
    let answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
    let (seq, ack) = (1 + ask.len() as u32, 1 + answer.len() as u32);
    let mut attack = Attack::new("idle");
    let before = attack.meter.held();
    for client in clients(COUNT) {
        attack.open(client);
        attack.client(client, 0, ask);
        attack.server(client, 0, ask.len(), answer);
        attack.send(Packet { client, seq, ack, flags: ACK, ..Packet::default() });
    }
    assert_eq!(attack.records, u64::from(COUNT));
    let cost = (attack.meter.held() - before) / u64::from(COUNT);
    attack.end(TABLES);
    println!("an idle connection costs {cost} bytes: {} of a conversation,", size_of::<Conversation>());
    println!("{} with what it holds, {} of a stream", cost - stream_cost(COUNT), stream_cost(COUNT));
    assert!(cost <= IDLE, "{cost} bytes");
}

/// What a stream alone costs that was opened and is silent.
fn stream_cost(count: u32) -> u64 {
    let meter = Meter::start();
    let mut streams: Streams<()> = Streams::new(Limits::default());
    let mut buffer = Vec::with_capacity(100);
    let before = meter.held();
    for client in clients(count) {
        for is_answer in [false, true] {
            let flags = if is_answer { SYN | ACK } else { SYN };
            Packet { client, is_answer, ack: 1, flags, ..Packet::default() }.write(&mut buffer);
            let frame =
                Frame { at: Nanos(1), link: Link::RawIp, data: &buffer, wire_len: buffer.len() as u32 };
            let segment = mirror_agent::packet::parse(&frame).unwrap();
            let side = if is_answer { Side::Server } else { Side::Client };
            let ends = if is_answer { (segment.to, segment.from) } else { (segment.from, segment.to) };
            let key = FlowKey { client: ends.0, server: ends.1 };
            streams.on_segment(side, &key, &segment, &mut |_, _| {});
        }
    }
    assert_eq!(streams.open(), count as usize);
    (meter.held() - before) / u64::from(count)
}

/// Bytes that a connection may cost that was used and is silent.
const IDLE: u64 = 512;

/// The limits that all of this rests on.
#[test]
fn the_limits_are_those_of_the_figures_above() {
    let streams: Streams<Conversation> = Streams::new(Limits::default());
    assert_eq!((streams.open(), streams.held()), (0, 0));
    let (limits, shared) = (Limits::default(), exchange::Shared::new(http::Limits::default(), 0));
    assert_eq!((limits.connections, limits.held_overall), (65_536, 64 * MIB));
    assert_eq!((shared.limits.head, shared.limits.response_body), (64 << 10, MIB as usize));
}
