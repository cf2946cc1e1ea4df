//! The TCP header (RFC 9293, section 3.1).

use std::net::SocketAddr;

use super::ip::Body;
use super::segment::{Flags, Segment};
use super::skip::Skip;
use crate::time::Nanos;

const FIXED_LEN: usize = 20;

/// Reads a TCP header. Only its fixed part need be captured: where options or payload are cut off, the
/// segment says how many bytes of payload are missing.
#[inline]
pub(super) fn parse<'a>(at: Nanos, body: &Body<'a>) -> Result<Segment<'a>, Skip> {
    if body.claimed < FIXED_LEN {
        return Err(Skip::BadTcp);
    }
    let header = Header(body.data.first_chunk().ok_or(Skip::ShortTcp)?);
    let flags = header.flags();
    if header.len() < FIXED_LEN || is_nonsense(flags) {
        return Err(Skip::BadTcp);
    }
    let claimed = body.claimed.checked_sub(header.len()).ok_or(Skip::BadTcp)?;
    let payload = body.data.get(header.len()..).unwrap_or_default();
    Ok(Segment {
        at,
        from: SocketAddr::new(body.source, header.source()),
        to: SocketAddr::new(body.destination, header.destination()),
        seq: header.seq(),
        ack: header.ack(),
        flags,
        payload,
        missing: u32::try_from(claimed.saturating_sub(payload.len())).unwrap_or(u32::MAX),
    })
}

/// No stack begins a connection and ends it in the same segment; scanners do.
fn is_nonsense(flags: Flags) -> bool {
    flags.has(Flags::SYN) && (flags.has(Flags::FIN) || flags.has(Flags::RST))
}

/// A view of the fixed part.
struct Header<'a>(&'a [u8; FIXED_LEN]);

impl Header<'_> {
    fn source(&self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }

    fn destination(&self) -> u16 {
        u16::from_be_bytes([self.0[2], self.0[3]])
    }

    fn seq(&self) -> u32 {
        u32::from_be_bytes([self.0[4], self.0[5], self.0[6], self.0[7]])
    }

    fn ack(&self) -> u32 {
        u32::from_be_bytes([self.0[8], self.0[9], self.0[10], self.0[11]])
    }

    /// Options included.
    fn len(&self) -> usize {
        usize::from(self.0[12] >> 4) * 4
    }

    fn flags(&self) -> Flags {
        Flags(self.0[13])
    }
}
