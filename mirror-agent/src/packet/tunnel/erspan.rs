//! ERSPAN: what a switch mirrors, in GRE (draft-foschiano-erspan-03, section 4).

use super::{Inner, Kind, Part, Tunnel};
use crate::packet::ip::Version;
use crate::packet::skip::Skip;

/// Types of GRE.
pub(super) const I_OR_II: u16 = 0x88be;
pub(super) const III: u16 = 0x22eb;

/// The frame begins right behind GRE.
pub(super) fn type_i(part: Part<'_>) -> Inner<'_> {
    Inner { tunnel: Tunnel::Erspan, kind: Kind::Ethernet, part }
}

/// Version 1 in the header's first four bits.
pub(super) fn type_ii(mut part: Part<'_>) -> Result<Option<Inner<'_>>, Skip> {
    let header = part.take::<8>().ok_or(Skip::ShortTunnel)?;
    Ok((header[0] >> 4 == 1).then_some(Inner { tunnel: Tunnel::Erspan, kind: Kind::Ethernet, part }))
}

/// Version 2. The last bit says whether a platform's own header follows, which is 8 bytes long.
pub(super) fn type_iii(mut part: Part<'_>) -> Result<Option<Inner<'_>>, Skip> {
    let header = part.take::<12>().ok_or(Skip::ShortTunnel)?;
    if header[0] >> 4 != 2 {
        return Ok(None);
    }
    if header[11] & 1 != 0 {
        part.leave_out(8).ok_or(Skip::ShortTunnel)?;
    }
    // The frame's type, behind the first bit: Ethernet, or an IP packet of either version.
    let kind = match header[10] >> 2 & 0x1f {
        0 => Kind::Ethernet,
        2 => Kind::Ip(Version::of(part.data)?),
        _ => Kind::Other,
    };
    Ok(Some(Inner { tunnel: Tunnel::Erspan, kind, part }))
}
