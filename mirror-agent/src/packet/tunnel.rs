//! Packets in packets: which header wraps another packet, and where that one begins.
//!
//! Outer checksums are not looked at: most tunnels leave them zero.

mod erspan;
mod gre;
mod udp;

use super::ethernet;
use super::ip::{Body, IPV4_INSIDE, IPV6_INSIDE, UDP, Version};
use super::skip::Skip;

/// A way to carry one packet in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tunnel {
    /// RFC 7348, on UDP port 4789, and 8472 where Linux had it first.
    Vxlan,
    /// RFC 8926, on UDP port 6081.
    Geneve,
    /// RFC 2784 with the key and the sequence number of RFC 2890.
    Gre,
    /// ERSPAN types I, II and III, in GRE (draft-foschiano-erspan-03).
    Erspan,
    /// RFC 2003 and RFC 4213, section 3: IP right behind IP.
    IpInIp,
}

impl Tunnel {
    /// All of them; `ALL[tunnel.index()] == tunnel`.
    pub const ALL: [Tunnel; 5] = [Tunnel::Vxlan, Tunnel::Geneve, Tunnel::Gre, Tunnel::Erspan, Tunnel::IpInIp];

    /// The place in [`ALL`](Tunnel::ALL) and in counters.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The name in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Tunnel::Vxlan => "vxlan",
            Tunnel::Geneve => "geneve",
            Tunnel::Gre => "gre",
            Tunnel::Erspan => "erspan",
            Tunnel::IpInIp => "ip_in_ip",
        }
    }
}

/// What a tunnel carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inner<'a> {
    pub tunnel: Tunnel,
    kind: Kind,
    part: Part<'a>,
}

/// What a packet in a tunnel begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ethernet,
    Ip(Version),
    Other,
}

impl Kind {
    /// By a type field of Ethernet's, with the number for Ethernet itself.
    fn by_type(number: u16) -> Kind {
        match number {
            0x6558 => Kind::Ethernet,
            ethernet::IPV4 => Kind::Ip(Version::V4),
            ethernet::IPV6 => Kind::Ip(Version::V6),
            _ => Kind::Other,
        }
    }
}

impl<'a> Inner<'a> {
    /// The IP packet in it: which it claims to be, what was captured of it, and how many bytes passed.
    pub(super) fn strip(self) -> Result<(Version, &'a [u8], usize), Skip> {
        let (version, data) = match self.kind {
            Kind::Ethernet => ethernet::strip(self.part.data)?,
            Kind::Ip(version) => (version, self.part.data),
            Kind::Other => return Err(Skip::NotIp),
        };
        Ok((version, data, data.len() + self.part.cut()))
    }
}

/// Bytes that passed, and those of them that were captured.
#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    data: &'a [u8],
    /// Never less than `data` is long.
    claimed: usize,
}

impl<'a> Part<'a> {
    /// Takes `N` bytes off the front, if they were captured.
    fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (head, rest) = self.data.split_first_chunk()?;
        (self.data, self.claimed) = (rest, self.claimed.saturating_sub(N));
        Some(head)
    }

    /// Leaves `len` bytes out, if they were captured.
    fn leave_out(&mut self, len: usize) -> Option<()> {
        self.data = self.data.get(len..)?;
        self.claimed = self.claimed.saturating_sub(len);
        Some(())
    }

    fn cut(self) -> usize {
        self.claimed.saturating_sub(self.data.len())
    }
}

/// What `body` carries, if it is a tunnel. One that cannot be read, or of a version that is not known, is none.
pub(super) fn open<'a>(body: &Body<'a>) -> Result<Option<Inner<'a>>, Skip> {
    let part = Part { data: body.data, claimed: body.claimed };
    let inside = |version| Some(Inner { tunnel: Tunnel::IpInIp, kind: Kind::Ip(version), part });
    match body.protocol {
        UDP => Ok(udp::open(part)),
        gre::PROTOCOL => gre::open(part),
        IPV4_INSIDE => Ok(inside(Version::V4)),
        IPV6_INSIDE => Ok(inside(Version::V6)),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_in_order() {
        assert!(Tunnel::ALL.into_iter().enumerate().all(|(index, tunnel)| tunnel.index() == index));
    }
}
