//! What is known of a capture that was made: the right answer to every question about it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::Range;

use sha2::{Digest as _, Sha256};

/// An end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Opens the connection, and asks.
    Client,
    /// Answers.
    Server,
}

/// A TCP connection, as far as a capture can show it.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The end that asks.
    pub client: SocketAddr,
    /// The end that answers.
    pub server: SocketAddr,
    /// Every request, in order.
    pub exchanges: Vec<Exchange>,
    /// What is special about it.
    pub features: BTreeSet<Feature>,
}

/// A request and what became of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Stands in the `x-id` header of both messages, and in no other message of the capture.
    pub id: String,
    /// The method.
    pub method: String,
    /// The target as sent.
    pub target: String,
    /// The request.
    pub request: Message,
    /// The status, and the final response.
    pub response: Option<(u16, Message)>,
    /// How it ends.
    pub fate: Fate,
}

/// One message on its way.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// `HTTP/1.0` or `HTTP/1.1`.
    pub version: String,
    /// The content, without transfer coding.
    pub body: Body,
    /// Its bytes, head and body, by their place in the sender's direction.
    pub place: Range<usize>,
    /// How much of `place` is the head.
    pub head: usize,
    /// When its first byte was there, with all bytes before it.
    pub first_ns: u64,
    /// When its last byte was there, with all bytes before it.
    pub last_ns: u64,
}

/// Content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// Length in bytes.
    pub len: u64,
    /// SHA-256, in hex.
    pub sha256: String,
}

/// How an exchange ends, to an observer that sees what the capture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Both messages are there, whole.
    Complete,
    /// The answer turned the connection into something else.
    Upgraded,
    /// There was no answer, or only a part of it, or only a part of the request: it must not be called complete.
    Broken,
    /// It happened, but this capture does not hold enough to be sure.
    Unsure,
}

/// Something that a reader may get wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// More than one request before the answer to the first.
    Pipelined,
    /// `Expect: 100-continue`, and the 100 came.
    ContinueAccepted,
    /// A final answer instead of the 100, and then the body after all.
    ContinueIgnored,
    /// A final answer instead of the 100, and no body.
    ContinueRefused,
    /// Interim answers that nobody asked for.
    Interim,
    /// HEAD, or a 304 that says how long its body would be.
    BodilessWithLength,
    /// A chunked message with extensions or trailers.
    Chunked,
    /// The version 1.0.
    Http10,
    /// A body that ends with the connection.
    CloseDelimited,
    /// 101, then anything.
    Upgrade,
    /// CONNECT, then anything.
    Connect,
    /// The answer came before the request was whole.
    Early,
    /// The connection broke inside an answer.
    Cut,
    /// The last request has no answer.
    Unanswered,
    /// A body that looks like messages.
    Decoy,
    /// Segments out of order, within a flight.
    Reordered,
    /// Segments sent twice, whole.
    Retransmitted,
    /// Segments that hold some bytes of others.
    Overlapped,
    /// Bytes sent again, and not the same.
    Conflict,
    /// Keep-alive probes.
    KeepAliveProbe,
    /// Zero windows and probes of one new byte.
    ZeroWindow,
    /// Data in the SYN.
    FastOpen,
    /// The sequence numbers of a direction pass zero.
    Wrapped,
    /// The client's SYN is not in the capture.
    NoSyn,
    /// The server's SYN is not in the capture.
    NoSynAck,
    /// What the server sent is not in the capture.
    ClientOnly,
    /// What the client sent is not in the capture.
    ServerOnly,
    /// The ports were those of an earlier connection.
    PortReuse,
    /// Both ends closed at once.
    SimultaneousClose,
    /// It ended with RST.
    Reset,
    /// Its end is not in the capture.
    Open,
}

impl Side {
    /// The other end.
    pub fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

impl Connection {
    /// Whether it has one of these features.
    pub fn has_any(&self, features: &[Feature]) -> bool {
        features.iter().any(|feature| self.features.contains(feature))
    }
}

impl Body {
    /// What is to be known of this content.
    pub fn of(content: &[u8]) -> Body {
        let sha256 = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        Body { len: content.len() as u64, sha256 }
    }
}
