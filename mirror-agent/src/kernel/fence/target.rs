//! Where the self-test calls: to addresses that belong to nobody, and that the allow list does not cover.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::config::Destination;

/// What RFC 5737 keeps for documentation.
const V4: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)),
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)),
];
/// What RFC 3849 and RFC 9637 keep.
const V6: [IpAddr; 2] = [
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    IpAddr::V6(Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 1)),
];
/// The discard port: nobody minds what comes there.
const DISCARD: u16 = 9;

/// An IPv4 and an IPv6 destination with one port that nothing in the list covers; `None` if it leaves none.
pub fn choose(allow: &[Destination]) -> Option<[SocketAddr; 2]> {
    let free = |addresses: &[IpAddr], port| {
        let is_covered = |address: &IpAddr| allow.iter().any(|one| covers(one, *address, port));
        addresses.iter().find(|address| !is_covered(address)).map(|address| SocketAddr::new(*address, port))
    };
    std::iter::once(DISCARD).chain(1..=u16::MAX).find_map(|port| Some([free(&V4, port)?, free(&V6, port)?]))
}

fn covers(destination: &Destination, address: IpAddr, port: u16) -> bool {
    destination.to.iter().any(|prefix| prefix.contains(address))
        && destination.ports.iter().any(|ports| ports.contains(port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Ports, Prefix};

    fn chosen(list: &[(&str, &str)]) -> Option<String> {
        let destination = |(to, ports): &(&str, &str)| Destination {
            name: "d".into(),
            to: vec![Prefix::parse(to).unwrap()],
            ports: vec![Ports::parse(ports).unwrap()],
        };
        let allow: Vec<_> = list.iter().map(destination).collect();
        choose(&allow).map(|[v4, v6]| format!("{v4} {v6}"))
    }

    #[test]
    fn what_the_list_covers_is_not_chosen() {
        assert_eq!(chosen(&[]).unwrap(), "192.0.2.1:9 [2001:db8::1]:9");
        assert_eq!(chosen(&[("192.0.2.0/24", "1-10")]).unwrap(), "198.51.100.1:9 [2001:db8::1]:9");
        assert_eq!(chosen(&[("0.0.0.0/0", "9"), ("::/0", "1-2")]).unwrap(), "192.0.2.1:3 [2001:db8::1]:3");
        assert_eq!(chosen(&[("2001::/16", "0-65535")]).unwrap(), "192.0.2.1:9 [3fff::1]:9");
        assert_eq!(chosen(&[("0.0.0.0/0", "1-65534")]).unwrap(), "192.0.2.1:65535 [2001:db8::1]:65535");
        assert_eq!(chosen(&[("192.0.0.0/2", "0-65535")]), None);
    }
}
