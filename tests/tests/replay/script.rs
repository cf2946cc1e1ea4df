//! Captures that are written by hand: who asked what when, and what the answer was.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::BufWriter;

use mirror_tests::traffic::{Side, Timed, write};
use tempfile::NamedTempFile;

/// Some day in 2025, in nanoseconds.
const EPOCH: u64 = 1_750_000_000_000_000_000;
/// From a request to its answer.
const ANSWERED: u64 = 2_000_000;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// A capture of clients of the service at 10.0.0.4:8080, each a connection with a number.
#[derive(Default)]
pub struct Script {
    frames: Vec<Timed>,
    sent: HashMap<u16, [u32; 2]>,
}

/// The answer that a [`Version`](crate::version::Version) gives too.
pub fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

impl Script {
    /// A GET at `ms`, answered with its target.
    pub fn get(&mut self, connection: u16, ms: u64, target: &str) {
        self.turn(
            connection,
            ms,
            &format!("GET {target} HTTP/1.1\r\nhost: shop.example\r\n\r\n"),
            &ok(target),
        );
    }

    /// A request at `ms`, and its answer a moment later; the connection is opened if it is not.
    pub fn turn(&mut self, connection: u16, ms: u64, request: &str, answer: &str) {
        let at = EPOCH + ms * 1_000_000;
        if let Entry::Vacant(new) = self.sent.entry(connection) {
            new.insert([1000, 2000]);
            self.frame(connection, Side::Client, at, SYN, b"");
            self.frame(connection, Side::Server, at, SYN | ACK, b"");
        }
        self.frame(connection, Side::Client, at, ACK, request.as_bytes());
        self.frame(connection, Side::Server, at + ANSWERED, ACK, answer.as_bytes());
    }

    /// Closes a connection.
    pub fn close(&mut self, connection: u16, ms: u64) {
        for side in [Side::Client, Side::Server] {
            self.frame(connection, side, EPOCH + ms * 1_000_000, FIN | ACK, b"");
        }
    }

    /// The frames in the order of their time.
    pub fn frames(mut self) -> Vec<Timed> {
        self.frames.sort_by_key(|frame| frame.at);
        self.frames
    }

    /// The capture. It goes when it is dropped.
    pub fn file(self) -> NamedTempFile {
        file(&self.frames())
    }

    fn frame(&mut self, connection: u16, from: Side, at: u64, flags: u8, payload: &[u8]) {
        let [client, server] = self.sent.entry(connection).or_default();
        let (next, other) = if from == Side::Client { (client, server) } else { (server, client) };
        let (seq, ack) = (*next, if flags & ACK == 0 { 0 } else { *other });
        *next += payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        let (service, user) = (([10, 0, 0, 4], 8080), ([10, 0, 1, 1], 20_000 + connection));
        let (source, target) = if from == Side::Client { (user, service) } else { (service, user) };
        let tcp = [
            &source.1.to_be_bytes()[..],
            &target.1.to_be_bytes(),
            &seq.to_be_bytes(),
            &ack.to_be_bytes(),
            &[0x50, flags, 0xff, 0xff, 0, 0, 0, 0],
        ];
        let len = (40 + payload.len() as u16).to_be_bytes();
        let ip = [&[0x45, 0, len[0], len[1], 0, 0, 0x40, 0, 64, 6, 0, 0][..], &source.0, &target.0];
        let ethernet = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0][..]];
        let bytes = [&ethernet[..], &ip, &tcp, &[payload]].concat().concat();
        let (len, connection) = (bytes.len(), usize::from(connection));
        self.frames.push(Timed { at, bytes, len, connection, from, place: (0, 0) });
    }
}

/// A capture file of these frames. It goes when it is dropped.
pub fn file(frames: &[Timed]) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    write(BufWriter::new(file.as_file()), frames).unwrap();
    file
}
