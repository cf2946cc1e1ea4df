//! One TCP segment as the middle sees it.

use std::hash::{Hash, Hasher};
use std::net::SocketAddr;

use crate::time::Nanos;

/// Which end of a connection sent something. It follows from who is the service, never from the hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The end that asks.
    Client,
    /// The end that is the service.
    Server,
}

impl Side {
    /// The end across.
    pub fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

/// A connection's two ends, with the roles decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlowKey {
    /// The end that asks.
    pub client: SocketAddr,
    /// The end that is the service.
    pub server: SocketAddr,
}

/// One end of a connection, as it is looked up for each segment: hashed in one step where it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End(pub SocketAddr);

/// The TCP flags that a passive observer acts on (RFC 9293, section 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Hash for FlowKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        End(self.client).hash(state);
        End(self.server).hash(state);
    }
}

impl Hash for End {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.0 {
            SocketAddr::V4(end) => {
                state.write_u64(u64::from(end.ip().to_bits()) << 16 | u64::from(end.port()));
            }
            SocketAddr::V6(end) => {
                state.write_u128(end.ip().to_bits());
                state.write_u16(end.port());
            }
        }
    }
}

impl Flags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// The acknowledgment field is significant.
    pub const ACK: u8 = 0x10;

    /// Whether every flag of `mask` is set.
    pub fn has(self, mask: u8) -> bool {
        self.0 & mask == mask
    }
}

/// A parsed TCP segment. The payload is trimmed to the length that the IP header claims.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// When the frame passed, by the clock of its source.
    pub at: Nanos,
    /// The sender.
    pub from: SocketAddr,
    /// The receiver.
    pub to: SocketAddr,
    /// Sequence number of the first payload byte (of the SYN, if that flag is set).
    pub seq: u32,
    /// Acknowledgment number; meaningful with [`Flags::ACK`].
    pub ack: u32,
    /// TCP flags.
    pub flags: Flags,
    /// The payload that was captured.
    pub payload: &'a [u8],
    /// Payload bytes that the IP header claims and the capture does not hold (snap length).
    pub missing: u32,
}

impl Segment<'_> {
    /// Payload bytes that were sent, captured or not.
    pub fn claimed_len(&self) -> u64 {
        self.payload.len() as u64 + u64::from(self.missing)
    }
}
