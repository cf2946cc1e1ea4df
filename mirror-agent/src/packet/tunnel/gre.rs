//! GRE, version 0 (RFC 2784), with the key and the sequence number of RFC 2890.

use super::{Inner, Kind, Part, Tunnel, erspan};
use crate::packet::skip::Skip;

/// Its number in IP.
pub(super) const PROTOCOL: u8 = 47;

const CHECKSUM: u16 = 0x8000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
/// Source routing (RFC 1701), other flags that a receiver must not overlook, and the version. Version 1 is PPTP's.
const UNKNOWN: u16 = 0x4c07;

/// What is behind the header. None of it if the header is not of this version.
pub(super) fn open(mut part: Part<'_>) -> Result<Option<Inner<'_>>, Skip> {
    let header = part.take::<4>().ok_or(Skip::ShortTunnel)?;
    let flags = u16::from_be_bytes([header[0], header[1]]);
    if flags & UNKNOWN != 0 {
        return Ok(None);
    }
    // Each is one word long; behind the checksum stand two reserved bytes.
    let words = [CHECKSUM, KEY, SEQUENCE].into_iter().filter(|flag| flags & flag != 0).count();
    part.leave_out(words * 4).ok_or(Skip::ShortTunnel)?;
    match u16::from_be_bytes([header[2], header[3]]) {
        // The sequence number is what tells type II from type I, which has no header of its own.
        erspan::I_OR_II if flags & SEQUENCE == 0 => Ok(Some(erspan::type_i(part))),
        erspan::I_OR_II => erspan::type_ii(part),
        erspan::III => erspan::type_iii(part),
        number => Ok(Some(Inner { tunnel: Tunnel::Gre, kind: Kind::by_type(number), part })),
    }
}
