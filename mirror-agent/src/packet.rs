//! A frame becomes a segment: what can be parsed is, what cannot is named.
//!
//! Checksums are not looked at: offloading leaves them unfinished in most of what a tap sees.

pub mod segment;
pub mod skip;

mod ethernet;
mod ip;
mod ipv6;
#[cfg(test)]
pub(crate) mod sample;
mod tcp;
#[cfg(test)]
mod tests;

use crate::time::Nanos;

pub use segment::{Flags, FlowKey, Segment, Side};
pub use skip::Skip;

/// The bytes of one packet as a source saw them.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When it passed, by the clock of its source.
    pub at: Nanos,
    /// What the bytes begin with.
    pub link: Link,
    /// The bytes that were captured.
    pub data: &'a [u8],
    /// How many bytes passed; more than `data` holds if the capture cut them (snap length).
    pub wire_len: u32,
}

/// The outermost header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    /// Ethernet, with up to two VLAN tags.
    Ethernet,
    /// None: the frame begins with an IPv4 or IPv6 header.
    RawIp,
}

/// Finds the TCP segment in `frame`: IPv4 (RFC 791) or IPv6 (RFC 8200), then TCP (RFC 9293, section 3.1).
///
/// # Errors
/// [`Skip`] names what the frame holds instead, or where its headers end too early.
pub fn parse<'a>(frame: &Frame<'a>) -> Result<Segment<'a>, Skip> {
    let (version, network) = match frame.link {
        Link::Ethernet => ethernet::strip(frame.data)?,
        Link::RawIp => (ip::Version::of(frame.data)?, frame.data),
    };
    let cut = (frame.wire_len as usize).saturating_sub(frame.data.len());
    let body = match version {
        ip::Version::V4 => ip::parse_v4(network, network.len().saturating_add(cut))?,
        ip::Version::V6 => ipv6::parse(network, network.len().saturating_add(cut))?,
    };
    match body.protocol {
        ip::TCP => tcp::parse(frame.at, &body),
        ip::UDP => Err(Skip::Udp),
        _ => Err(Skip::OtherProtocol),
    }
}
