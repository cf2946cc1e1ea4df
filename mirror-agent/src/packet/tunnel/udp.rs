//! Tunnels in UDP (RFC 768), told by the port that they go to: VXLAN and GENEVE.

use super::{Inner, Kind, Part, Tunnel};

const UDP_HEADER: usize = 8;

/// The tunnel in a UDP packet. What does not look like one is some other use of the port.
pub(super) fn open(mut part: Part<'_>) -> Option<Inner<'_>> {
    let header = part.take::<UDP_HEADER>()?;
    trim(&mut part, usize::from(u16::from_be_bytes([header[4], header[5]])))?;
    match u16::from_be_bytes([header[2], header[3]]) {
        4789 | 8472 => vxlan(part),
        6081 => geneve(part),
        _ => None,
    }
}

/// To what the length field says, which counts the header. Zero belongs to a packet too long for the field.
fn trim(part: &mut Part<'_>, len: usize) -> Option<()> {
    if len != 0 {
        let len = len.checked_sub(UDP_HEADER).filter(|len| *len <= part.claimed)?;
        part.claimed = len;
        part.data = part.data.get(..len).unwrap_or(part.data);
    }
    Some(())
}

/// RFC 7348, section 5.
fn vxlan(mut part: Part<'_>) -> Option<Inner<'_>> {
    /// The network's number is valid, which it must be.
    const VALID: u8 = 0x08;
    /// Something else than Ethernet is inside, in a later extension (VXLAN-GPE).
    const TYPED: u8 = 0x04;
    let header = part.take::<8>()?;
    let plain = header[0] & (VALID | TYPED) == VALID;
    plain.then_some(Inner { tunnel: Tunnel::Vxlan, kind: Kind::Ethernet, part })
}

/// RFC 8926, section 3.4. Options are left out, also critical ones: a reader changes nothing by not knowing them.
fn geneve(mut part: Part<'_>) -> Option<Inner<'_>> {
    /// The packet is for the tunnel's ends, and no one's traffic.
    const CONTROL: u8 = 0x80;
    let header = part.take::<8>()?;
    if header[0] >> 6 != 0 || header[1] & CONTROL != 0 {
        return None;
    }
    part.leave_out(usize::from(header[0] & 0x3f) * 4)?;
    let kind = Kind::by_type(u16::from_be_bytes([header[2], header[3]]));
    Some(Inner { tunnel: Tunnel::Geneve, kind, part })
}
