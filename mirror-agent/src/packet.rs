//! A frame becomes a segment: what can be parsed is, what cannot is named.
//!
//! [`parse`] is for live traffic, which was chosen before it came here; a [`Decoder`] is for captures of anything,
//! tunnels and fragments included. Checksums are only looked at when asked: offloading leaves them unfinished in most
//! of what a tap sees.

pub mod decoder;
pub mod fragments;
pub mod link;
pub mod segment;
pub mod skip;
pub mod tunnel;

mod checksum;
mod ethernet;
mod ip;
mod ipv6;
#[cfg(test)]
pub(crate) mod sample;
mod tcp;
#[cfg(test)]
mod tests;

use crate::time::Nanos;

pub use decoder::{Decoder, Options, Stats};
pub use link::Link;
pub(crate) use segment::End;
pub use segment::{Flags, FlowKey, Segment, Side};
pub use skip::Skip;
pub use tunnel::Tunnel;

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

impl Frame<'_> {
    /// Bytes that passed and were not captured.
    fn cut(&self) -> usize {
        (self.wire_len as usize).saturating_sub(self.data.len())
    }
}

/// Finds the TCP segment in `frame`: IPv4 (RFC 791) or IPv6 (RFC 8200), then TCP (RFC 9293, section 3.1). No tunnel is
/// opened and nothing is kept.
///
/// Of a datagram in fragments, the first gives a segment with the bytes that it holds and without FIN: what follows is
/// a hole in the stream, and where the FIN belongs is not known.
///
/// # Errors
/// [`Skip`] names what the frame holds instead, or where its headers end too early.
pub fn parse<'a>(frame: &Frame<'a>) -> Result<Segment<'a>, Skip> {
    let (version, network) = frame.link.strip(frame.data)?;
    let mut body = ip::parse(version, network, network.len().saturating_add(frame.cut()))?;
    let fragment = body.fragment.take();
    if let Some(fragment) = fragment {
        body = first_only(body, fragment)?;
    }
    let mut segment = match body.protocol {
        ip::TCP => tcp::parse(frame.at, &body)?,
        ip::UDP => return Err(Skip::Udp),
        _ => return Err(Skip::OtherProtocol),
    };
    if fragment.is_some() {
        segment.flags.0 &= !Flags::FIN;
    }
    Ok(segment)
}

/// The transport's part of a first fragment.
#[cold]
fn first_only(body: ip::Body<'_>, fragment: ip::Fragment) -> Result<ip::Body<'_>, Skip> {
    if fragment.offset != 0 {
        return Err(Skip::LaterFragment);
    }
    let body = ip::behind_fragment(body)?;
    // A fragment of a fragment: no sender makes one.
    if body.fragment.is_some() { Err(Skip::TooManyExtensions) } else { Ok(body) }
}

/// The segment of a packet that is whole and in no tunnel, as most are. On this way nothing of a header needs to be in
/// memory, which makes it several times as fast as any other.
#[inline]
fn plain<'a>(frame: &Frame<'a>) -> Option<Segment<'a>> {
    let (version, network) = frame.link.strip(frame.data).ok()?;
    let body = ip::parse(version, network, network.len().saturating_add(frame.cut())).ok()?;
    let is_plain = body.protocol == ip::TCP && body.fragment.is_none();
    if is_plain { tcp::parse(frame.at, &body).ok() } else { None }
}
