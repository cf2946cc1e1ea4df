//! Which interfaces there are, and what their packets begin with.

use std::fmt;
use std::io::Result;

use super::netlink::{Attributes, Netlink, number, text};

/// Attributes of a link message, from `linux/if_link.h`.
const IFLA_IFNAME: u16 = 3;
const IFLA_LINK: u16 = 5;
const IFLA_LINKINFO: u16 = 18;
const IFLA_IFALIAS: u16 = 20;
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_INFO_KIND: u16 = 1;
/// `ARPHRD_RAWIP`, from `linux/if_arp.h`.
const RAWIP: u16 = 519;
/// Length of `struct ifinfomsg`.
const HEADER: usize = 16;

/// An interface of this namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Its index.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// What its packets begin with, as `ARPHRD_*`.
    pub hardware: u16,
    /// What it is, such as `veth`; empty for hardware.
    pub kind: String,
    /// A note that somebody attached to it.
    pub alias: String,
    /// The interface it belongs to, or a veth's other end, if that is in this namespace.
    pub other: Option<u32>,
}

/// What the packets of an interface begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// An Ethernet header.
    Ethernet,
    /// An IP header: tun, WireGuard, IP in IP.
    RawIp,
    /// Something else, by its `ARPHRD_*` number.
    Other(u16),
}

impl fmt::Display for Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Framing::Ethernet => write!(f, "Ethernet"),
            Framing::RawIp => write!(f, "raw IP, without an Ethernet header"),
            Framing::Other(number) => write!(f, "neither Ethernet nor IP (link type {number})"),
        }
    }
}

/// What the packets of an interface begin with.
pub fn framing(link: &Link) -> Framing {
    match link.hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Framing::Ethernet,
        libc::ARPHRD_NONE | RAWIP | libc::ARPHRD_TUNNEL | libc::ARPHRD_TUNNEL6 | libc::ARPHRD_SIT => {
            Framing::RawIp
        }
        other => Framing::Other(other),
    }
}

/// Every interface of the calling thread's namespace.
///
/// # Errors
///
/// When the kernel does not say.
pub fn list(netlink: &mut Netlink) -> Result<Vec<Link>> {
    let mut links = Vec::new();
    netlink.list(libc::RTM_GETLINK, &[0; HEADER], |body| links.extend(read(body)))?;
    Ok(links)
}

/// A link from the body of its message; `None` when it is cut or has no name.
fn read(body: &[u8]) -> Option<Link> {
    let mut link = Link {
        hardware: u16::from_ne_bytes(*body.get(2..)?.first_chunk()?),
        index: number(body, 4)?,
        ..Link::default()
    };
    let mut elsewhere = false;
    for (kind, value) in Attributes(body.get(HEADER..)?) {
        match kind {
            IFLA_IFNAME => link.name = text(value),
            IFLA_IFALIAS => link.alias = text(value),
            IFLA_LINK => link.other = number(value, 0),
            IFLA_LINK_NETNSID => elsewhere = true,
            IFLA_LINKINFO => {
                let kind = Attributes(value).find(|(kind, _)| *kind == IFLA_INFO_KIND);
                link.kind = kind.map_or(String::new(), |(_, value)| text(value));
            }
            _ => {}
        }
    }
    link.other = link.other.filter(|_| !elsewhere);
    (!link.name.is_empty()).then_some(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_in_the_list() {
        let links = list(&mut Netlink::open().unwrap()).unwrap();
        let lo = links.iter().find(|link| link.name == "lo").unwrap();
        assert_eq!((lo.index, framing(lo)), (1, Framing::Ethernet));
        let named = nix::net::if_::if_nameindex().unwrap().iter().count();
        assert!(links.len().abs_diff(named) <= 8, "others may come and go meanwhile");
    }

    #[test]
    fn only_ethernet_is_ethernet() {
        let of = |hardware| framing(&Link { hardware, ..Link::default() });
        assert_eq!((of(1), of(772)), (Framing::Ethernet, Framing::Ethernet));
        assert_eq!((of(65534), of(776)), (Framing::RawIp, Framing::RawIp)); // none, SIT
        assert_eq!((of(512), of(778)), (Framing::Other(512), Framing::Other(778))); // PPP, GRE
        assert_eq!(of(803), Framing::Other(803));
    }
}
