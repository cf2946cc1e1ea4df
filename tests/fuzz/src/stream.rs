//! Segments in any order, with overlaps, wraps, holes, FINs and RSTs, beside a map of what was sent.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use mirror_agent::packet::{Flags, FlowKey, Segment, Side};
use mirror_agent::stream::{Limits, Stats, Streams};
use mirror_agent::time::Nanos;

use crate::input::Input;
use crate::oracle::Oracle;

/// Small enough for a fuzzer to reach.
const LIMITS: Limits = Limits {
    held_per_direction: 4096,
    chunks_per_direction: 8,
    held_overall: 8192,
    connections: 3,
    hole: Duration::from_secs(2),
    patience: Duration::from_millis(100),
    idle: Duration::from_secs(30),
    linger: Duration::from_secs(1),
    remembered: 2,
};
const CONNECTIONS: u8 = 4;

/// One byte of limits, then what happens.
pub(crate) fn run(data: &[u8]) {
    let mut input = Input(data);
    let is_wide = input.u8() & 1 == 1;
    let limits = if is_wide { Limits { connections: 8, held_overall: 1 << 20, ..LIMITS } } else { LIMITS };
    let mut world = World {
        streams: Streams::new(limits),
        oracles: (0..CONNECTIONS).map(|number| (key(number), Oracle::default())).collect(),
        ends: Default::default(),
        now: Nanos(1_000_000_000),
        generation: 0,
        limits,
    };
    while !input.is_empty() {
        world.act(&mut input);
    }
    world.end();
}

/// Numbers of one end: where its stream begins, and where it goes on.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    isn: u32,
    next: i64,
}

struct World {
    streams: Streams<()>,
    oracles: HashMap<FlowKey, Oracle>,
    ends: [[End; 2]; CONNECTIONS as usize],
    now: Nanos,
    generation: u32,
    limits: Limits,
}

/// A segment in terms of offsets.
#[derive(Clone, Copy, Debug, Default)]
struct Draft<'a> {
    offset: i64,
    payload: &'a [u8],
    missing: u32,
    flags: u8,
    ack: i64,
}

impl World {
    /// The lowest bits name connection and side, the others what is done.
    fn act(&mut self, input: &mut Input<'_>) {
        let code = input.u8();
        let (number, side) = (code % CONNECTIONS, if code & 4 == 0 { Side::Client } else { Side::Server });
        if code >> 5 == 7 {
            return self.pass(Duration::from_millis(20 * u64::from(input.u8())));
        }
        if !self.oracles[&key(number)].is_open {
            self.open(number, code & 8 != 0);
        }
        let end = self.ends[usize::from(number)][side as usize];
        let draft = Draft { offset: end.next, ack: self.next_of(number, side.other()), ..Draft::default() };
        match code >> 5 {
            0..=2 => self.data(number, side, draft, input),
            3 => self.data(number, side, Draft { offset: i64::from(input.u16()) - 64, ..draft }, input),
            4 => {
                let offset = i64::from(input.u32() as i32);
                self.data(number, side, Draft { offset, ..draft }, input);
            }
            5 => {
                let offset = end.next + i64::from(input.u8()) - 16;
                self.send(number, side, Draft { offset, flags: Flags::RST | Flags::ACK, ..draft });
            }
            _ if code & 8 != 0 => {
                let ack = i64::from(input.u16()) - 64;
                self.send(number, side, Draft { flags: Flags::ACK, ack, ..draft });
            }
            _ => self.open(number, false),
        }
    }

    /// A length, a byte that says what is odd, and what that needs.
    fn data(&mut self, number: u8, side: Side, draft: Draft<'_>, input: &mut Input<'_>) {
        let (len, odd) = (i64::from(input.u8()) * if draft.offset % 7 == 0 { 8 } else { 1 }, input.u8());
        let twist = if odd & 1 == 1 { input.u8() } else { 0 };
        let byte = |offset: i64| (offset as u8).wrapping_mul(31) ^ number ^ twist;
        let payload: Vec<u8> = (draft.offset..draft.offset + len).map(byte).collect();
        let missing = if odd & 2 != 0 && len > 0 { u32::from(input.u8()) } else { 0 };
        let fin = if odd & 4 != 0 { Flags::FIN } else { 0 };
        let ack_flag = if odd & 8 != 0 { 0 } else { Flags::ACK };
        let ack = if odd & 16 != 0 { i64::from(input.u16()) } else { draft.ack };
        // Lost on the way: the sender goes on.
        if odd & 32 == 0 {
            let payload = &payload[..];
            self.send(number, side, Draft { payload, missing, flags: fin | ack_flag, ack, ..draft });
        }
        let next = &mut self.ends[usize::from(number)][side as usize].next;
        if draft.offset == *next {
            *next += len + i64::from(missing);
        }
    }

    /// A connection with new numbers, from its handshake or from its middle.
    fn open(&mut self, number: u8, late: bool) {
        self.generation += 1;
        // The first ones wrap soon.
        let isn = |salt: u32| {
            0_u32
                .wrapping_sub(300)
                .wrapping_add((self.generation - 1).wrapping_mul(0x0123_4567).wrapping_mul(salt))
        };
        self.ends[usize::from(number)] = [End { isn: isn(1), next: 0 }, End { isn: isn(3), next: 0 }];
        if late {
            self.send(
                number,
                Side::Client,
                Draft { payload: b"late", flags: Flags::ACK, ..Draft::default() },
            );
            self.ends[usize::from(number)][0].next = 4;
        } else {
            let syn = Draft { offset: -1, flags: Flags::SYN, ..Draft::default() };
            self.send(number, Side::Client, syn);
            self.send(number, Side::Server, Draft { flags: Flags::SYN | Flags::ACK, ..syn });
        }
    }

    fn send(&mut self, number: u8, from: Side, draft: Draft<'_>) {
        let key = key(number);
        let is_open = self.oracles[&key].is_open;
        if !is_open && draft.flags & Flags::RST != 0 {
            return;
        }
        let [ours, theirs] = [from, from.other()].map(|side| self.ends[usize::from(number)][side as usize]);
        let (to, sender) = match from {
            Side::Client => (key.server, key.client),
            Side::Server => (key.client, key.server),
        };
        let segment = Segment {
            at: self.now,
            from: sender,
            to,
            seq: ours.isn.wrapping_add(1).wrapping_add(draft.offset as u32),
            ack: theirs.isn.wrapping_add(1).wrapping_add(draft.ack as u32),
            flags: Flags(draft.flags),
            payload: draft.payload,
            missing: draft.missing,
        };
        let is_reset = draft.flags & Flags::RST != 0;
        if is_open && !is_reset {
            self.oracles.get_mut(&key).unwrap().sent(from, draft.offset, draft.payload);
        }
        self.feed(from, &key, &segment, draft);
        assert!(self.streams.held() <= self.limits.held_overall);
    }

    fn feed(&mut self, from: Side, key: &FlowKey, segment: &Segment<'_>, draft: Draft<'_>) {
        let (before, oracles) = (refused(&self.streams.stats()), &mut self.oracles);
        self.streams.on_segment(from, key, segment, &mut |(_, _, key), event| {
            let oracle = oracles.get_mut(key).unwrap();
            let was_open = oracle.is_open;
            oracle.hear(&event);
            if !was_open {
                // The segment that opened it is its first.
                oracle.sent(from, draft.offset, draft.payload);
            }
        });
        self.judge(before);
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        let (before, oracles) = (refused(&self.streams.stats()), &mut self.oracles);
        self.streams.expire(self.now, &mut |(_, _, key), event| oracles.get_mut(key).unwrap().hear(&event));
        self.judge(before);
    }

    fn judge(&mut self, before: u64) {
        let is_refused = refused(&self.streams.stats()) != before;
        self.oracles.values_mut().for_each(|oracle| oracle.judge(is_refused));
    }

    fn end(mut self) {
        let (before, oracles) = (refused(&self.streams.stats()), &mut self.oracles);
        self.streams.flush(self.now, &mut |(_, _, key), event| oracles.get_mut(key).unwrap().hear(&event));
        self.judge(before);
        assert!(self.oracles.values().all(|oracle| !oracle.is_open));
        assert_eq!((self.streams.open(), self.streams.held()), (0, 0));
        let stats = self.streams.stats();
        let kept = stats.chunk_bytes + stats.duplicate_bytes + stats.before_bytes;
        assert_eq!(stats.payload_bytes, kept + refused(&stats), "{stats:?}");
    }

    fn next_of(&self, number: u8, side: Side) -> i64 {
        self.ends[usize::from(number)][side as usize].next
    }
}

fn refused(stats: &Stats) -> u64 {
    let odd = stats.after_fin_bytes + stats.far_bytes + stats.reset_bytes;
    stats.refused_bytes + stats.unfollowed_bytes + odd
}

fn key(number: u8) -> FlowKey {
    let end = |host: u8, port: u16| SocketAddr::from(([10, 0, 0, host], port));
    FlowKey { client: end(1, 1000 + u16::from(number)), server: end(2, 80) }
}
