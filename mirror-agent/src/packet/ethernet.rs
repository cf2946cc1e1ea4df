//! Ethernet II and its VLAN tags (IEEE 802.1Q, 802.1ad).

use super::ip::Version;
use super::skip::Skip;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;
const SERVICE_VLAN: u16 = 0x88a8;

/// Two address fields, before the first type field.
const ADDRESSES: usize = 12;

/// Tags that are looked behind. A third is no arrangement that a host terminates.
const MAX_TAGS: usize = 2;

/// What stands behind the link header, and which IP it claims to be.
pub(super) fn strip(data: &[u8]) -> Result<(Version, &[u8]), Skip> {
    let mut rest = data.get(ADDRESSES..).ok_or(Skip::ShortLink)?;
    for _ in 0..=MAX_TAGS {
        let (kind, body) = rest.split_first_chunk::<2>().ok_or(Skip::ShortLink)?;
        match u16::from_be_bytes(*kind) {
            IPV4 => return Ok((Version::V4, body)),
            IPV6 => return Ok((Version::V6, body)),
            // Behind the tag's type stand two bytes of priority and VLAN number, then the next type.
            VLAN | SERVICE_VLAN => rest = body.get(2..).ok_or(Skip::ShortLink)?,
            _ => return Err(Skip::NotIp),
        }
    }
    Err(Skip::TooManyTags)
}
