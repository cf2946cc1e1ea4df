//! The IPv6 header and the walk over its extension headers (RFC 8200, sections 3 and 4).

use std::net::Ipv6Addr;

use super::ip::{Body, Fragment, claim, trim};
use super::skip::Skip;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
pub(super) const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;

const FIXED_LEN: usize = 40;

/// Extension headers that are walked over. RFC 8200 lists six, one of which may come twice; a longer chain is
/// somebody's attempt to hide what follows.
const MAX_EXTENSIONS: usize = 8;

/// Reads an IPv6 header and what stands between it and the transport, or a fragment. `on_wire` is how many bytes passed from
/// this header on.
pub(super) fn parse(data: &[u8], on_wire: usize) -> Result<Body<'_>, Skip> {
    let (fixed, rest) = data.split_first_chunk::<FIXED_LEN>().ok_or(Skip::ShortIp)?;
    if fixed[0] >> 4 != 6 {
        return Err(Skip::BadIp);
    }
    // Zero stands for a jumbogram or an offloaded packet: the frame knows the length.
    let length_field = usize::from(u16::from_be_bytes([fixed[4], fixed[5]]));
    let claimed = claim(length_field, on_wire.saturating_sub(FIXED_LEN));
    let body = Body {
        source: address(&fixed[8..24]).into(),
        destination: address(&fixed[24..40]).into(),
        protocol: fixed[6],
        data: trim(rest, claimed),
        claimed,
        offloaded: length_field == 0,
        en_route: false,
        fragment: None,
    };
    walk(body)
}

/// Steps over extension headers until something else comes, or a part of something.
pub(super) fn walk(mut body: Body<'_>) -> Result<Body<'_>, Skip> {
    for _ in 0..MAX_EXTENSIONS {
        if !is_extension(body.protocol) || body.fragment.is_some() {
            return Ok(body);
        }
        body = step(body)?;
    }
    let goes_on = is_extension(body.protocol) && body.fragment.is_none();
    if goes_on { Err(Skip::TooManyExtensions) } else { Ok(body) }
}

fn is_extension(protocol: u8) -> bool {
    matches!(protocol, HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION)
}

/// Steps over one extension header. All that are known are at least 8 bytes long and begin with the next
/// header's number.
fn step(body: Body<'_>) -> Result<Body<'_>, Skip> {
    if body.claimed < 8 {
        return Err(Skip::BadIp);
    }
    let head = body.data.first_chunk::<8>().ok_or(Skip::ShortIp)?;
    let len = match body.protocol {
        // RFC 4302, section 2.2: in units of 4 bytes, less 2.
        AUTHENTICATION => (usize::from(head[1]) + 2) * 4,
        // The second byte is reserved.
        FRAGMENT => 8,
        _ => (usize::from(head[1]) + 1) * 8,
    };
    let fragment = if body.protocol == FRAGMENT { fragment(head) } else { None };
    // The fourth byte counts the stops that are left (RFC 8200, section 4.4).
    let en_route = body.en_route || (body.protocol == ROUTING && head[3] != 0);
    let claimed = body.claimed.checked_sub(len).ok_or(Skip::BadIp)?;
    let data = body.data.get(len..).ok_or(Skip::ShortIp)?;
    Ok(Body { protocol: head[0], data, claimed, en_route, fragment, ..body })
}

/// Section 4.5; the offset is in units of 8 bytes, before two reserved bits and a flag. A fragment that is the whole
/// (RFC 6946) is none.
fn fragment(head: &[u8; 8]) -> Option<Fragment> {
    let field = u16::from_be_bytes([head[2], head[3]]);
    let (offset, more) = (u32::from(field & 0xfff8), field & 1 != 0);
    let id = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
    (more || offset != 0).then_some(Fragment { id, offset, more })
}

fn address(bytes: &[u8]) -> Ipv6Addr {
    let mut octets = [0; 16];
    for (octet, byte) in octets.iter_mut().zip(bytes) {
        *octet = *byte;
    }
    Ipv6Addr::from(octets)
}
