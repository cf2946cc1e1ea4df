//! HTTP said over TCP by a script: pieces of messages, lost, doubled, swapped and delayed, through the whole engine.

use mirror_agent::packet::{Flags, Frame, Link};
use mirror_agent::time::Nanos;

use crate::input::Input;
use crate::pipeline::Reading;
use crate::wire::Packet;

/// What is said often. A script names a piece by its place.
const PIECES: [&[u8]; 32] = [
    b"GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
    b"HEAD /h HTTP/1.1\r\nHost: a.test\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 64\r\n\r\n",
    b"POST /c HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\n",
    b"CONNECT b.test:443 HTTP/1.1\r\nHost: b.test\r\n\r\n",
    b"GET /u HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /f",
    b"oo HTTP/1.1\r\nHost: a.t",
    b"est\r\nX: ",
    b"\r\n",
    b"\r\n\r\n",
    b"PUT /e HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
    b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
    b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
    b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    b"GET /k HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n",
    b"f\r\nfifteen bytes..\r\n0\r\nTrailer: x\r\n\r\n",
    b"DELETE http://a.test/abs HTTP/1.1\r\nHost: a.test\r\nX-Long: 0123456789\r\n\r\n",
];
const CONNECTIONS: usize = 4;
const CLIENT: usize = 0;
const SERVER: usize = 1;

/// What happens, step by step.
pub(crate) fn run(data: &[u8]) {
    let mut reading = Reading::new(false);
    for (at, bytes) in frames(data) {
        let wire_len = bytes.len() as u32;
        reading.frame(&Frame { at, link: Link::RawIp, data: &bytes, wire_len });
    }
    reading.end();
}

/// The frames of a script, each an IPv4 packet, and their times.
fn frames(data: &[u8]) -> Vec<(Nanos, Vec<u8>)> {
    let mut script = Script::default();
    let mut input = Input(data);
    while !input.is_empty() && script.frames.len() < 4096 {
        script.step(&mut input);
    }
    script.let_go();
    script.frames
}

#[derive(Debug, Default)]
struct Script {
    now: u64,
    ends: [Ends; CONNECTIONS],
    /// Comes behind the next frame.
    back: Option<Vec<u8>>,
    frames: Vec<(Nanos, Vec<u8>)>,
}

#[derive(Debug, Default)]
struct Ends {
    is_open: bool,
    next: [u32; 2],
    /// What each said last, with its number.
    last: [(u32, Vec<u8>); 2],
}

impl Script {
    /// The lowest bits name connection and side, the others what is done.
    fn step(&mut self, input: &mut Input<'_>) {
        let code = input.u8();
        let (number, side) = (usize::from(code & 3), usize::from(code >> 2 & 1));
        let is_late = code >> 3 == 31;
        if !self.ends[number].is_open {
            self.open(number, is_late);
        }
        match code >> 3 {
            0..=12 => {
                let piece = PIECES[usize::from(input.u8()) % PIECES.len()];
                self.say(number, side, piece, 0);
            }
            13..=15 => {
                let len = usize::from(input.u8());
                self.say(number, side, input.take(len), 0);
            }
            16..=18 => {
                let lost = u32::from(input.u8());
                self.ends[number].next[side] = self.ends[number].next[side].wrapping_add(lost);
            }
            19 | 20 => self.say(number, side, b"", Flags::FIN),
            21 => {
                self.say(number, side, b"", Flags::RST);
                self.ends[number].is_open = false;
            }
            22 | 23 => self.repeat(number, side, input),
            24 | 25 => self.say(number, side, b"", 0),
            26 | 27 => self.back = self.frames.pop().map(|(_, frame)| frame),
            28 => self.open(number, is_late),
            _ => self.now += u64::from(input.u8()) * 20_000_000,
        }
    }

    fn open(&mut self, number: usize, is_late: bool) {
        let isn = (self.frames.len() as u32).wrapping_mul(0x9e37_79b9).wrapping_sub(100);
        self.ends[number] = Ends { is_open: true, next: [isn, !isn], ..Ends::default() };
        if !is_late {
            self.say(number, CLIENT, b"", Flags::SYN);
            self.say(number, SERVER, b"", Flags::SYN);
        }
    }

    fn say(&mut self, number: usize, side: usize, payload: &[u8], flags: u8) {
        let ends = &mut self.ends[number];
        let (seq, ack) = (ends.next[side], ends.next[1 - side]);
        let takes_one = u32::from(flags & (Flags::SYN | Flags::FIN) != 0);
        ends.next[side] = seq.wrapping_add(payload.len() as u32 + takes_one);
        ends.last[side] = (seq, payload.to_vec());
        let is_first = flags == Flags::SYN && side == CLIENT;
        let flags = if is_first { flags } else { flags | Flags::ACK };
        self.push(number, side, Packet { seq, ack, flags, payload, ..Packet::default() });
    }

    /// What was said last, from somewhere in it, and perhaps with another byte.
    fn repeat(&mut self, number: usize, side: usize, input: &mut Input<'_>) {
        let (from, twist) = (usize::from(input.u8()), input.u8());
        let (seq, mut said) = self.ends[number].last[side].clone();
        let from = from.min(said.len());
        if let Some(byte) = said.last_mut().filter(|_| twist & 1 == 1) {
            *byte ^= twist;
        }
        let (seq, ack) = (seq.wrapping_add(from as u32), self.ends[number].next[1 - side]);
        let payload = &said[from..];
        self.push(number, side, Packet { seq, ack, flags: Flags::ACK, payload, ..Packet::default() });
    }

    fn push(&mut self, number: usize, side: usize, packet: Packet<'_>) {
        let mut frame = Vec::new();
        let client = (0x0a00_0001, 40_000 + number as u16);
        Packet { client, is_answer: side == SERVER, ..packet }.write(&mut frame);
        self.now += 1_000_000;
        self.frames.push((Nanos(self.now), frame));
        self.let_go();
    }

    fn let_go(&mut self) {
        if let Some(back) = self.back.take() {
            self.frames.push((Nanos(self.now), back));
        }
    }
}
