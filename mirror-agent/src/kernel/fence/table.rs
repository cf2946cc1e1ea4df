//! The allow list as the programs look it up: masks of destinations, by prefix and by port.

use std::collections::BTreeSet;

use mirror_common::fence::{DestinationKey, PORTS};

use crate::config::{Destination, Prefix};
use crate::kernel::flows::to_address;

/// Every prefix of the list, with the destinations of which one of the prefixes covers it, as bits. The longest prefix
/// that covers an address so has them all.
pub fn by_prefix(allow: &[Destination]) -> Vec<(Prefix, u64)> {
    let prefixes: BTreeSet<Prefix> = allow.iter().flat_map(|one| one.to.iter().copied()).collect();
    let covers = |prefix| mask(allow, |one| one.to.iter().any(|other| other.covers(prefix)));
    prefixes.into_iter().map(|prefix| (prefix, covers(prefix))).collect()
}

/// For every port the destinations that name it, as bits.
pub fn by_port(allow: &[Destination]) -> Vec<u64> {
    let mut masks = vec![0; PORTS as usize];
    for (bit, destination) in allow.iter().enumerate() {
        for ports in &destination.ports {
            let named = masks.get_mut(usize::from(ports.low)..=usize::from(ports.high));
            named.into_iter().flatten().for_each(|mask| *mask |= 1 << bit);
        }
    }
    masks
}

fn mask(allow: &[Destination], is_named: impl Fn(&Destination) -> bool) -> u64 {
    allow.iter().enumerate().filter(|(_, one)| is_named(one)).fold(0, |mask, (bit, _)| mask | 1 << bit)
}

/// A prefix as the kernel's table has it: the bits that count, and the key.
pub fn key(prefix: Prefix) -> (u32, DestinationKey) {
    let address = prefix.address();
    let (family, before) = if address.is_ipv4() { (4, 96) } else { (6, 0) };
    let bits = DestinationKey::FAMILY_BITS + before + u32::from(prefix.length());
    (bits, DestinationKey { family, address: to_address(address) })
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::config::Ports;

    fn destination(to: &[&str], ports: &[&str]) -> Destination {
        Destination {
            name: "d".into(),
            to: to.iter().map(|text| Prefix::parse(text).unwrap()).collect(),
            ports: ports.iter().map(|text| Ports::parse(text).unwrap()).collect(),
        }
    }

    /// As the kernel's longest-prefix table answers, bit by bit.
    fn lookup(table: &[(Prefix, u64)], address: IpAddr) -> u64 {
        let matches = table.iter().filter(|(prefix, _)| prefix.contains(address));
        matches.max_by_key(|(prefix, _)| prefix.length()).map_or(0, |(_, mask)| *mask)
    }

    #[test]
    fn masks_say_what_the_list_says_read_from_top_to_bottom() {
        let allow = [
            destination(&["10.0.0.0/8", "::/0"], &["443"]),
            destination(&["10.1.0.0/16", "fd00::/8"], &["1-79", "81-65535"]),
            destination(&["10.1.2.3"], &["0-65535"]),
            destination(&["10.1.2.0/24", "fd00:1::/32", "0.0.0.0/0"], &["80", "5432"]),
        ];
        let (prefixes, ports) = (by_prefix(&allow), by_port(&allow));
        for address in
            ["10.1.2.3", "10.1.2.4", "10.1.9.9", "10.9.9.9", "11.0.0.1", "fd00:1::5", "fd00::1", "2001::1"]
        {
            let address: IpAddr = address.parse().unwrap();
            for port in [0u16, 1, 79, 80, 81, 443, 5432, 65535] {
                let named = |one: &Destination| {
                    one.to.iter().any(|prefix| prefix.contains(address))
                        && one.ports.iter().any(|ports| ports.low <= port && port <= ports.high)
                };
                let expect =
                    (0..).zip(&allow).filter(|(_, one)| named(one)).map(|(bit, _)| 1u64 << bit).sum::<u64>();
                assert_eq!(lookup(&prefixes, address) & ports[usize::from(port)], expect, "{address} {port}");
            }
        }
    }

    #[test]
    fn all_64_destinations_have_their_bit() {
        let allow: Vec<_> = (0..64).map(|n| destination(&[&format!("10.0.0.{n}")], &["7"])).collect();
        assert_eq!(by_port(&allow)[7], u64::MAX);
        assert_eq!(by_prefix(&allow).last().unwrap().1, 1 << 63);
    }

    #[test]
    fn keys_count_the_bits_of_the_family() {
        let of = |text| key(Prefix::parse(text).unwrap());
        assert_eq!(
            of("0.0.0.0/0"),
            (128, DestinationKey { family: 4, address: [0, 0, 0xffff_u32.to_be(), 0] })
        );
        assert_eq!(of("10.0.0.1").0, 160);
        assert_eq!(of("::/0"), (32, DestinationKey { family: 6, address: [0; 4] }));
    }
}
