//! Ethernet II and its VLAN tags (IEEE 802.1Q, 802.1ad).

use super::ip::Version;
use super::skip::Skip;

pub(super) const IPV4: u16 = 0x0800;
pub(super) const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;
const SERVICE_VLAN: u16 = 0x88a8;
/// What stood for a service tag before 802.1ad had a number.
const OLD_SERVICE_VLAN: u16 = 0x9100;

/// Two address fields, before the first type field.
const ADDRESSES: usize = 12;

/// Tags that are looked behind. A third is no arrangement that a host terminates.
const MAX_TAGS: usize = 2;

/// What stands behind the link header, and which IP it claims to be.
#[inline]
pub(super) fn strip(data: &[u8]) -> Result<(Version, &[u8]), Skip> {
    let (kind, body) = split_type(data.get(ADDRESSES..).ok_or(Skip::ShortLink)?)?;
    by_type(kind, body)
}

/// What `body` is by the type field before it, and behind its tags.
#[inline]
pub(super) fn by_type(mut kind: u16, mut body: &[u8]) -> Result<(Version, &[u8]), Skip> {
    for _ in 0..=MAX_TAGS {
        match kind {
            IPV4 => return Ok((Version::V4, body)),
            IPV6 => return Ok((Version::V6, body)),
            // Behind the tag's type stand two bytes of priority and VLAN number, then the next type.
            VLAN | SERVICE_VLAN | OLD_SERVICE_VLAN => {
                (kind, body) = split_type(body.get(2..).ok_or(Skip::ShortLink)?)?;
            }
            _ => return Err(Skip::NotIp),
        }
    }
    Err(Skip::TooManyTags)
}

fn split_type(data: &[u8]) -> Result<(u16, &[u8]), Skip> {
    let (kind, body) = data.split_first_chunk::<2>().ok_or(Skip::ShortLink)?;
    Ok((u16::from_be_bytes(*kind), body))
}
