//! Where the clones are to go, as the operator writes it: the name of an interface, or `vxlan:REMOTE:VNI`.

use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::str::FromStr;

use super::values;

/// The port of VXLAN (RFC 7348 section 5).
pub const VXLAN_PORT: u16 = 4789;
/// The ports that RFC 7348 section 5 recommends to send from.
const SOURCE_PORTS: Range<u16> = 49_152..65_535;
/// A VXLAN network identifier has 24 bits (RFC 7348 section 5).
const VNI_MAX: u32 = (1 << 24) - 1;

/// A shadow interface that is not the agent's plain own one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShadowInterface {
    /// An interface that exists.
    Existing(String),
    /// A tunnel to another host, made by the agent.
    Tunnel(Tunnel),
}

/// A VXLAN tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// The host at its other end.
    pub remote: IpAddr,
    /// Its network identifier.
    pub vni: u32,
}

impl ShadowInterface {
    /// The name, of one that exists.
    pub fn existing(&self) -> Option<&str> {
        match self {
            ShadowInterface::Existing(name) => Some(name),
            ShadowInterface::Tunnel(_) => None,
        }
    }

    /// The tunnel, if it is one.
    pub fn tunnel(&self) -> Option<&Tunnel> {
        match self {
            ShadowInterface::Existing(_) => None,
            ShadowInterface::Tunnel(tunnel) => Some(tunnel),
        }
    }
}

impl Tunnel {
    /// Bytes that the tunnel adds to the packet in a frame: outer IP, UDP and VXLAN headers, and the frame's own Ethernet
    /// header.
    pub fn overhead(&self) -> u32 {
        let ip = if self.remote.is_ipv4() { 20 } else { 40 };
        ip + 8 + 8 + 14
    }

    /// Whether the tunnel's own packets would be taken for those of `service`: they could be cloned again.
    pub fn meets(&self, service: SocketAddr) -> bool {
        service.port() == VXLAN_PORT && (service.ip().is_unspecified() || service.ip() == self.remote)
    }
}

/// The longest range of ports to send from that holds none of `taken`, its end excluded: from a service's own port the
/// tunnel's packets would look like the service's answers, and be cloned again.
pub fn source_ports(taken: impl IntoIterator<Item = u16>) -> Range<u16> {
    let mut taken: Vec<u16> = taken.into_iter().filter(|port| SOURCE_PORTS.contains(port)).collect();
    taken.sort_unstable();
    let starts = std::iter::once(SOURCE_PORTS.start).chain(taken.iter().map(|port| port + 1));
    let ends = taken.iter().copied().chain([SOURCE_PORTS.end]);
    starts.zip(ends).map(|(start, end)| start..end).max_by_key(Range::len).unwrap_or(SOURCE_PORTS)
}

impl FromStr for ShadowInterface {
    type Err = String;

    /// A name of an interface holds no colon, so the two cannot be confused.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("vxlan:") {
            Some(rest) => tunnel(text, rest).map(ShadowInterface::Tunnel),
            None => values::interface(text).map(ShadowInterface::Existing),
        }
    }
}

impl Display for ShadowInterface {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ShadowInterface::Existing(name) => f.write_str(name),
            ShadowInterface::Tunnel(Tunnel { remote: IpAddr::V4(v4), vni }) => write!(f, "vxlan:{v4}:{vni}"),
            ShadowInterface::Tunnel(Tunnel { remote: IpAddr::V6(v6), vni }) => {
                write!(f, "vxlan:[{v6}]:{vni}")
            }
        }
    }
}

fn tunnel(text: &str, rest: &str) -> Result<Tunnel, String> {
    let shown = text.escape_debug();
    let example = "write for example vxlan:10.0.0.9:42 or vxlan:[fd00::9]:42";
    let (remote, vni) =
        rest.rsplit_once(':').ok_or_else(|| format!("\"{shown}\" is not vxlan:REMOTE:VNI: {example}"))?;
    let parsed = match remote.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        Some(v6) => v6.parse().map(IpAddr::V6).ok(),
        None => remote.parse::<Ipv4Addr>().map(IpAddr::V4).ok(),
    };
    let remote = parsed
        .ok_or_else(|| format!("\"{}\" is not an address: {example}", remote.escape_debug()))?
        .to_canonical();
    let is_number = !vni.is_empty() && vni.bytes().all(|b| b.is_ascii_digit());
    match vni.parse() {
        Ok(vni) if is_number && vni <= VNI_MAX => check_remote(remote).map(|()| Tunnel { remote, vni }),
        _ => Err(format!("\"{}\" is not a VNI: a whole number from 0 to {VNI_MAX}", vni.escape_debug())),
    }
}

fn check_remote(remote: IpAddr) -> Result<(), String> {
    let link_local = matches!(remote, IpAddr::V6(v6) if v6.is_unicast_link_local());
    if remote.is_multicast() || remote.is_unspecified() || remote == IpAddr::V4(Ipv4Addr::BROADCAST) {
        Err(format!("{remote} is not the address of one host"))
    } else if remote.is_loopback() {
        Err(format!("{remote} is this host itself: the tunnel leads to another"))
    } else if link_local {
        Err(format!("{remote} is valid on one link only: write an address that routes lead to"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
