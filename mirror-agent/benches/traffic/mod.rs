//! Traffic to measure with: the same bytes each time, as a capture file and as the places of things in it.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::ops::Range;

use mirror_agent::packet::{Flags, FlowKey, Frame, Link, Segment, Side, parse};
use mirror_agent::time::Nanos;

const ACK: u8 = Flags::ACK;
/// Bytes of payload in a full segment.
const SEGMENT: usize = 1448;
/// Bytes before the payload: Ethernet, IPv4, TCP with timestamps.
const HEADERS: usize = 14 + 20 + 32;

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Small requests and answers on 64 connections that stay open.
    Small,
    /// Answers of 1 MiB on 8 connections.
    Large,
    /// One small exchange on each connection, from SYN to FIN.
    Short,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::Small, Kind::Large, Kind::Short];
}

/// A capture of one kind of traffic.
pub struct Traffic {
    /// A pcap file.
    pub file: Vec<u8>,
    /// Exchanges in it.
    pub exchanges: u64,
    /// Frames in it.
    pub frames: Vec<(Nanos, Range<usize>)>,
    /// Payload in the order of time.
    pub pieces: Vec<Piece>,
    pub connections: usize,
    ends: Vec<End>,
}

/// The payload of one segment.
#[derive(Clone, Debug)]
pub struct Piece {
    pub connection: usize,
    pub from: Side,
    pub at: Nanos,
    /// Bytes that the sender had sent.
    pub offset: i64,
    /// Bytes that the sender had received.
    pub ack: i64,
    pub place: Range<usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct End {
    sent: [u32; 2],
}

impl Traffic {
    /// About `size` bytes of it.
    pub fn new(kind: Kind, size: usize) -> Traffic {
        let mut traffic = Traffic {
            file: Vec::with_capacity(size + (2 << 20)),
            exchanges: 0,
            frames: Vec::new(),
            pieces: Vec::new(),
            connections: 0,
            ends: Vec::new(),
        };
        // Nanoseconds, version 2.4, Ethernet.
        for field in [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 262_144, 1] {
            traffic.file.extend(field.to_le_bytes());
        }
        match kind {
            Kind::Small => traffic.kept_alive(size, 64, &answer(100)),
            Kind::Large => traffic.kept_alive(size, 8, &answer(1 << 20)),
            Kind::Short => traffic.short(size),
        }
        traffic
    }

    /// Payload bytes.
    pub fn payload(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.place.len() as u64).sum()
    }

    /// A frame as a source hands it out.
    pub fn frame(&self, (at, place): &(Nanos, Range<usize>)) -> Frame<'_> {
        let data = &self.file[place.clone()];
        Frame { at: *at, link: Link::Ethernet, data, wire_len: data.len() as u32 }
    }

    /// Every segment, as the streams are fed.
    pub fn segments(&self) -> Vec<(Side, FlowKey, Segment<'_>)> {
        let segment = |frame| {
            let segment = parse(&self.frame(frame)).unwrap();
            let side = if segment.to.port() == 80 { Side::Client } else { Side::Server };
            let (client, server) =
                if side == Side::Client { (segment.from, segment.to) } else { (segment.to, segment.from) };
            (side, FlowKey { client, server }, segment)
        };
        self.frames.iter().map(segment).collect()
    }

    fn kept_alive(&mut self, size: usize, connections: usize, answer: &[u8]) {
        (0..connections).for_each(|_| self.open());
        while self.file.len() < size {
            for connection in 0..connections {
                self.exchange(connection, answer);
            }
        }
    }

    fn short(&mut self, size: usize) {
        let answer = answer(100);
        while self.file.len() < size {
            let connection = self.connections;
            self.open();
            self.exchange(connection, &answer);
            self.segment(connection, Side::Server, Flags::FIN | ACK, b"");
            self.segment(connection, Side::Client, Flags::FIN | ACK, b"");
            self.segment(connection, Side::Server, ACK, b"");
        }
    }

    fn open(&mut self) {
        let connection = self.connections;
        self.connections += 1;
        self.ends.push(End::default());
        self.segment(connection, Side::Client, Flags::SYN, b"");
        self.segment(connection, Side::Server, Flags::SYN | ACK, b"");
        self.segment(connection, Side::Client, ACK, b"");
    }

    fn exchange(&mut self, connection: usize, answer: &[u8]) {
        self.exchanges += 1;
        let number = self.exchanges % 1000;
        let ask = format!(
            "GET /items/{number} HTTP/1.1\r\nHost: service.test\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\r\n"
        );
        self.segment(connection, Side::Client, ACK, ask.as_bytes());
        for (index, part) in answer.chunks(SEGMENT).enumerate() {
            self.segment(connection, Side::Server, ACK, part);
            if index % 4 == 3 {
                self.segment(connection, Side::Client, ACK, b"");
            }
        }
    }

    fn segment(&mut self, connection: usize, from: Side, flags: u8, payload: &[u8]) {
        let at = 1_750_000_000_000_000_000 + self.frames.len() as u64 * 1000;
        let len = HEADERS + payload.len();
        for field in [(at / 1_000_000_000) as u32, (at % 1_000_000_000) as u32, len as u32, len as u32] {
            self.file.extend(field.to_le_bytes());
        }
        let begin = self.file.len();
        self.headers(connection, from, flags, payload.len());
        self.file.extend(payload);
        self.frames.push((Nanos(at), begin..self.file.len()));
        let sent = self.ends[connection].sent;
        if !payload.is_empty() {
            let [offset, ack] = [from, from.other()].map(|side| i64::from(sent[side as usize]) - 1);
            let place = begin + HEADERS..self.file.len();
            self.pieces.push(Piece { connection, from, at: Nanos(at), offset, ack, place });
        }
        let takes_one = u32::from(flags & (Flags::SYN | Flags::FIN) != 0);
        self.ends[connection].sent[from as usize] =
            sent[from as usize].wrapping_add(payload.len() as u32 + takes_one);
    }

    fn headers(&mut self, connection: usize, from: Side, flags: u8, len: usize) {
        let client = (0x0b00_0000 + (connection / 50_000) as u32, 10_000 + (connection % 50_000) as u16);
        let server = (0x0a00_0002_u32, 80_u16);
        let (source, target) = if from == Side::Client { (client, server) } else { (server, client) };
        let sent = self.ends[connection].sent;
        let to = &mut self.file;
        to.extend([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0]);
        to.extend((52 + len as u16).to_be_bytes());
        to.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        to.extend(source.0.to_be_bytes().into_iter().chain(target.0.to_be_bytes()));
        to.extend(source.1.to_be_bytes().into_iter().chain(target.1.to_be_bytes()));
        to.extend(sent[from as usize].to_be_bytes());
        to.extend(sent[from.other() as usize].to_be_bytes());
        to.extend([0x80, flags, 0xff, 0xff, 0, 0, 0, 0, 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}

/// An answer with so many bytes of content.
fn answer(len: usize) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/octet-stream\r\nContent-Length: {len}\r\n\r\n"
    );
    let content = (0..len).map(|at| (at * 7 % 251) as u8);
    head.into_bytes().into_iter().chain(content).collect()
}
