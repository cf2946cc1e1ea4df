//! What both versions of IP have in common, and the IPv4 header (RFC 791, section 3.1).

use std::net::{IpAddr, Ipv4Addr};

use super::ipv6;
use super::skip::Skip;

/// Protocol number of TCP.
pub(super) const TCP: u8 = 6;
/// Protocol number of IPv4 in IP.
pub(super) const IPV4_INSIDE: u8 = 4;
/// Protocol number of IPv6 in IP.
pub(super) const IPV6_INSIDE: u8 = 41;
/// Protocol number of UDP.
pub(super) const UDP: u8 = 17;

/// Which header comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V4,
    V6,
}

/// The transport's part of a datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body<'a> {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub protocol: u8,
    /// What was captured of it; never more than `claimed`, so no link padding.
    pub data: &'a [u8],
    /// How long it is by its header, in bytes.
    pub claimed: usize,
    /// The header does not say how long it is: `claimed` is what passed.
    pub offloaded: bool,
    /// `destination` is a stop on the way (IPv6 routing header), and not what the transport's checksum is about.
    pub en_route: bool,
    /// It is a part of the transport's part: for IPv6, what stands behind the fragment header.
    pub fragment: Option<Fragment>,
}

/// Where a fragment belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    pub id: u32,
    /// In bytes.
    pub offset: u32,
    /// It is not the last.
    pub more: bool,
}

impl Version {
    /// By the first four bits.
    pub(super) fn of(data: &[u8]) -> Result<Version, Skip> {
        match data.first().ok_or(Skip::ShortIp)? >> 4 {
            4 => Ok(Version::V4),
            6 => Ok(Version::V6),
            _ => Err(Skip::NotIp),
        }
    }
}

/// Reads the headers up to the transport's, or to where a fragment begins. `on_wire` is how many bytes passed from the
/// first header on.
#[inline]
pub(super) fn parse(version: Version, data: &[u8], on_wire: usize) -> Result<Body<'_>, Skip> {
    match version {
        Version::V4 => parse_v4(data, on_wire),
        Version::V6 => ipv6::parse(data, on_wire),
    }
}

/// What can stand between a fragment's place and the transport: extension headers, of IPv6 only.
pub(super) fn behind_fragment(body: Body<'_>) -> Result<Body<'_>, Skip> {
    if body.source.is_ipv6() { ipv6::walk(body) } else { Ok(body) }
}

#[inline]
fn parse_v4(data: &[u8], on_wire: usize) -> Result<Body<'_>, Skip> {
    let header = Header::new(data)?;
    let claimed = claim(header.total_len(), on_wire);
    let body_len = claimed.checked_sub(header.len()).ok_or(Skip::BadIp)?;
    let captured = data.get(header.len()..).ok_or(Skip::ShortIp)?;
    Ok(Body {
        source: header.source().into(),
        destination: header.destination().into(),
        protocol: header.protocol(),
        data: trim(captured, body_len),
        claimed: body_len,
        offloaded: header.total_len() == 0,
        en_route: false,
        fragment: header.fragment(),
    })
}

/// The header that stands at the beginning of `data`, options included, if it is there whole.
pub(super) fn header_v4(data: &[u8]) -> Option<&[u8]> {
    data.get(..Header::new(data).ok()?.len())
}

/// The length that counts. A header that says zero belongs to a packet that the network card was to cut
/// (segmentation offload), which may be longer than 16 bits can say.
pub(super) fn claim(length_field: usize, on_wire: usize) -> usize {
    if length_field == 0 { on_wire } else { length_field }
}

/// At most `len` bytes of `data`.
pub(super) fn trim(data: &[u8], len: usize) -> &[u8] {
    data.get(..len).unwrap_or(data)
}

/// A checked view: the fixed part is there and the length field can be true.
struct Header<'a>(&'a [u8; 20]);

impl<'a> Header<'a> {
    fn new(data: &'a [u8]) -> Result<Header<'a>, Skip> {
        let header = Header(data.first_chunk().ok_or(Skip::ShortIp)?);
        let plausible = header.0[0] >> 4 == 4 && header.len() >= header.0.len();
        if plausible { Ok(header) } else { Err(Skip::BadIp) }
    }

    fn len(&self) -> usize {
        usize::from(self.0[0] & 0x0f) * 4
    }

    fn total_len(&self) -> usize {
        usize::from(u16::from_be_bytes([self.0[2], self.0[3]]))
    }

    /// The offset is in units of 8 bytes, behind three flags.
    fn fragment(&self) -> Option<Fragment> {
        let field = u16::from_be_bytes([self.0[6], self.0[7]]);
        let more = field & 0x2000 != 0;
        let id = u32::from(u16::from_be_bytes([self.0[4], self.0[5]]));
        let offset = u32::from(field & 0x1fff) * 8;
        (more || offset != 0).then_some(Fragment { id, offset, more })
    }

    fn protocol(&self) -> u8 {
        self.0[9]
    }

    fn source(&self) -> Ipv4Addr {
        Ipv4Addr::new(self.0[12], self.0[13], self.0[14], self.0[15])
    }

    fn destination(&self) -> Ipv4Addr {
        Ipv4Addr::new(self.0[16], self.0[17], self.0[18], self.0[19])
    }
}
