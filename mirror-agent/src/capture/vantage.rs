//! The tapped interfaces, and which of them a frame passed in which direction.

use nix::ifaddrs::getifaddrs;

use crate::kernel::interface;

/// A hardware address.
pub(super) type Mac = [u8; 6];

/// Which way a frame went through its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// In.
    Inbound,
    /// Out.
    Outbound,
}

/// A tapped interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Vantage {
    /// Its name.
    pub(super) name: String,
    /// Its index.
    pub(super) index: u32,
    /// Its hardware address; loopback has none.
    pub(super) mac: Option<Mac>,
}

impl Vantage {
    /// An interface as it is now.
    pub(super) fn of(name: &str) -> Vantage {
        Vantage { name: name.into(), index: interface::index(name).unwrap_or(0), mac: mac(name) }
    }

    /// Which way a frame went, where the interface itself is one of its two stations.
    pub(super) fn direction(&self, frame: &[u8]) -> Option<Direction> {
        let (to, rest) = frame.split_first_chunk::<6>()?;
        let (from, _) = rest.split_first_chunk::<6>()?;
        match self.mac {
            Some(mac) if mac == *to && mac == *from => None,
            Some(mac) if mac == *to => Some(Direction::Inbound),
            Some(mac) if mac == *from => Some(Direction::Outbound),
            _ => None,
        }
    }
}

/// The place in `vantages` of the interface that a frame passed: the kernel knows the owner of its connection; where that
/// is gone, the hardware addresses may tell.
pub(super) fn place(vantages: &[Vantage], owner: u32, frame: &[u8]) -> Option<usize> {
    if vantages.len() == 1 {
        return Some(0);
    }
    let owned = || vantages.iter().position(|vantage| vantage.index == owner);
    let mut stations = (0..vantages.len()).filter(|at| vantages[*at].direction(frame).is_some());
    if owner != 0
        && let Some(at) = owned()
    {
        return Some(at);
    }
    stations.next().filter(|_| stations.next().is_none())
}

/// Asked over netlink and not of /sys, which shows the namespace that it was mounted in.
fn mac(name: &str) -> Option<Mac> {
    let mut addresses = getifaddrs().ok()?.filter(|entry| entry.interface_name == name);
    addresses.find_map(|entry| entry.address?.as_link_addr()?.addr()).filter(|mac| *mac != [0; 6])
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Mac = [2, 0, 0, 0, 0, 1];
    const OTHER: Mac = [2, 0, 0, 0, 0, 2];
    const THIRD: Mac = [2, 0, 0, 0, 0, 3];

    fn vantages() -> Vec<Vantage> {
        let one = |name: &str, index, mac| Vantage { name: name.into(), index, mac };
        vec![one("eth0", 7, Some(OURS)), one("eth1", 8, Some(OTHER)), one("lo", 1, None)]
    }

    fn frame(to: Mac, from: Mac) -> Vec<u8> {
        [&to[..], &from, &[8, 0]].concat()
    }

    #[test]
    fn a_station_knows_the_direction() {
        let ours = &vantages()[0];
        assert_eq!(ours.direction(&frame(OURS, THIRD)), Some(Direction::Inbound));
        assert_eq!(ours.direction(&frame(THIRD, OURS)), Some(Direction::Outbound));
        assert_eq!(ours.direction(&frame(THIRD, OTHER)), None);
        assert_eq!(ours.direction(&frame(OURS, OURS)), None);
        assert!((0..12).all(|len| ours.direction(&frame(OURS, THIRD)[..len]).is_none()));
    }

    #[test]
    fn the_owner_goes_before_the_addresses() {
        let all = vantages();
        assert_eq!(place(&all, 8, &frame(OURS, THIRD)), Some(1));
        assert_eq!(place(&all, 0, &frame(OURS, THIRD)), Some(0));
        assert_eq!(place(&all, 99, &frame(THIRD, OTHER)), Some(1), "an owner that is not tapped");
        assert_eq!(place(&all, 0, &frame(OURS, OTHER)), None, "both are stations");
        assert_eq!(place(&all, 0, &frame(THIRD, THIRD)), None);
        assert_eq!(place(&all[..1], 0, &frame(THIRD, THIRD)), Some(0), "there is only one");
    }

    #[test]
    fn loopback_has_no_address() {
        assert_eq!(Vantage::of("lo").mac, None);
        assert_ne!(Vantage::of("lo").index, 0);
    }
}
