//! What both versions of IP have in common, and the IPv4 header (RFC 791, section 3.1).

use std::net::{IpAddr, Ipv4Addr};

use super::skip::Skip;

/// Protocol number of TCP.
pub(super) const TCP: u8 = 6;
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

/// Reads an IPv4 header. `on_wire` is how many bytes passed from this header on.
pub(super) fn parse_v4(data: &[u8], on_wire: usize) -> Result<Body<'_>, Skip> {
    let header = Header::new(data)?;
    let claimed = claim(header.total_len(), on_wire);
    let body_len = claimed.checked_sub(header.len()).ok_or(Skip::BadIp)?;
    if header.fragment_offset() != 0 {
        return Err(Skip::LaterFragment);
    }
    let captured = data.get(header.len()..).ok_or(Skip::ShortIp)?;
    Ok(Body {
        source: header.source().into(),
        destination: header.destination().into(),
        protocol: header.protocol(),
        data: trim(captured, body_len),
        claimed: body_len,
    })
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

    fn fragment_offset(&self) -> u16 {
        u16::from_be_bytes([self.0[6], self.0[7]]) & 0x1fff
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
