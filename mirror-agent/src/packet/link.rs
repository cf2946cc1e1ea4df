//! The outermost header of a frame: what it is by the number in a capture file, and what stands behind it.

use super::ethernet;
use super::ip::Version;
use super::skip::Skip;

/// Length of the Linux cooked header, whose last field is the type field.
const COOKED: usize = 16;
/// Length of its second version, whose first field is the type field.
const COOKED2: usize = 20;

/// The outermost header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    /// Ethernet, with up to two VLAN tags.
    Ethernet,
    /// None: the frame begins with an IPv4 or IPv6 header.
    RawIp,
    /// What Linux gives for "any" interface (`LINKTYPE_LINUX_SLL`), with up to two VLAN tags.
    LinuxCooked,
    /// The same with an interface index (`LINKTYPE_LINUX_SLL2`).
    LinuxCooked2,
    /// BSD loopback: four bytes of address family in the order of the host that captured (`LINKTYPE_NULL`).
    Null,
    /// OpenBSD loopback: the same in network order (`LINKTYPE_LOOP`).
    Loop,
}

impl Link {
    /// The kind of frame for a `LINKTYPE_` number of a pcap or pcapng file, if it can hold IP and is known.
    pub fn from_linktype(number: u32) -> Option<Link> {
        match number {
            0 => Some(Link::Null),
            1 => Some(Link::Ethernet),
            // RAW; the numbers that it had on some systems; IPV4; IPV6.
            101 | 12 | 14 | 228 | 229 => Some(Link::RawIp),
            108 => Some(Link::Loop),
            113 => Some(Link::LinuxCooked),
            276 => Some(Link::LinuxCooked2),
            _ => None,
        }
    }

    /// What stands behind the header, and which IP it claims to be.
    #[inline]
    pub(super) fn strip(self, data: &[u8]) -> Result<(Version, &[u8]), Skip> {
        match self {
            Link::Ethernet => ethernet::strip(data),
            Link::RawIp => Ok((Version::of(data)?, data)),
            Link::LinuxCooked => {
                let (header, rest) = data.split_first_chunk::<COOKED>().ok_or(Skip::ShortLink)?;
                ethernet::by_type(u16::from_be_bytes([header[14], header[15]]), rest)
            }
            Link::LinuxCooked2 => {
                let (header, rest) = data.split_first_chunk::<COOKED2>().ok_or(Skip::ShortLink)?;
                ethernet::by_type(u16::from_be_bytes([header[0], header[1]]), rest)
            }
            Link::Null => {
                let (family, rest) = data.split_first_chunk().ok_or(Skip::ShortLink)?;
                // Families are small numbers: one of the two orders is large.
                let family = u32::from_be_bytes(*family).min(u32::from_le_bytes(*family));
                Ok((by_family(family)?, rest))
            }
            Link::Loop => {
                let (family, rest) = data.split_first_chunk().ok_or(Skip::ShortLink)?;
                Ok((by_family(u32::from_be_bytes(*family))?, rest))
            }
        }
    }
}

/// IPv6 has a number of its own on NetBSD and OpenBSD, FreeBSD, Darwin, and Linux.
fn by_family(family: u32) -> Result<Version, Skip> {
    match family {
        2 => Ok(Version::V4),
        24 | 28 | 30 | 10 => Ok(Version::V6),
        _ => Err(Skip::NotIp),
    }
}
