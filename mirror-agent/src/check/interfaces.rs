//! An interface: whether it is there, what it carries, and who stands in its chain of programs already.

use aya::programs::tc::{SchedClassifier, TcAttachType};
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

use super::report::{Item, Row, why};
use crate::kernel::attach::Mechanism;
use crate::kernel::interface;
use crate::kernel::links::{self, Framing};
use crate::kernel::netlink::Netlink;

/// What the kernel says of an interface.
#[derive(Clone, Copy, Debug)]
struct Facts {
    index: u32,
    /// Bytes; `None` when the kernel does not say.
    mtu: Option<i32>,
    up: bool,
    /// What its packets begin with; on `lo` it is an Ethernet header.
    framing: Framing,
}

/// The programs at one hook.
#[derive(Debug)]
enum Chain {
    /// There are no chains here, only filters.
    Filters,
    /// Names, in the order of their turn.
    Programs(Vec<String>),
    /// Why it could not be read.
    Hidden(String),
    /// How taps are attached here is not known.
    Unasked,
}

/// The rows on one interface: itself, and each hook that would be tapped.
pub(super) fn rows(name: &str, mechanism: Option<Mechanism>) -> Vec<Row> {
    let Ok(index) = interface::index(name) else { return vec![absent(name, &interface::names())] };
    let mut rows = vec![present(name, facts(name, index))];
    let hooks = [("ingress", TcAttachType::Ingress), ("egress", TcAttachType::Egress)];
    let tapped = if name == "lo" { 1 } else { 2 };
    rows.extend(
        hooks.into_iter().take(tapped).map(|(hook, kind)| place(name, hook, chain(name, kind, mechanism))),
    );
    rows
}

fn item(name: &str) -> Item {
    Item::new(name.to_owned(), "mirroring what passes it")
}

fn absent(name: &str, others: &[String]) -> Row {
    item(name).missing(format!("no such interface; there are {}", others.join(", ")))
}

fn present(name: &str, facts: Facts) -> Row {
    let mtu = facts.mtu.map_or(String::new(), |mtu| format!(", MTU {mtu}"));
    let up = if facts.up { "up" } else { "down: nothing passes it until it is up" };
    let detail = format!("index {}{mtu}, {up}", facts.index);
    match facts.framing {
        Framing::Ethernet => item(name).ok(detail),
        Framing::RawIp => item(name).ok(format!("{detail}, {}", facts.framing)),
        Framing::Other(_) => item(name)
            .missing(format!("{detail}, but its packets are {}: the taps cannot read them", facts.framing)),
    }
}

fn place(name: &str, hook: &str, chain: Chain) -> Row {
    let item = Item::new(format!("{name} {hook}"), "the tap's place among other programs");
    match chain {
        Chain::Filters => item.ok("a clsact filter with a priority of its own (49)"),
        Chain::Programs(names) if names.is_empty() => item.ok("no other program; the tap would be alone"),
        Chain::Programs(names) => item.ok(format!("the tap would come first, before {}", names.join(", "))),
        Chain::Unasked => item.unknown("not asked: the kernel programs do not load"),
        Chain::Hidden(why) => item.instead(
            format!("who is there already cannot be read: {why}"),
            "the tap comes first all the same, as it asks for that place",
        ),
    }
}

fn facts(name: &str, index: u32) -> Facts {
    let mut entries = getifaddrs().into_iter().flatten().filter(|entry| entry.interface_name == name);
    let up = entries.any(|entry| entry.flags.contains(InterfaceFlags::IFF_UP));
    let links = Netlink::open().and_then(|mut netlink| links::list(&mut netlink)).unwrap_or_default();
    let link = links.iter().find(|link| link.index == index);
    Facts { index, mtu: mtu(name), up, framing: link.map_or(Framing::Ethernet, links::framing) }
}

fn chain(name: &str, kind: TcAttachType, mechanism: Option<Mechanism>) -> Chain {
    match mechanism {
        Some(Mechanism::Tcx) => tcx_chain(name, kind),
        Some(Mechanism::Clsact) => Chain::Filters,
        None => Chain::Unasked,
    }
}

fn tcx_chain(name: &str, kind: TcAttachType) -> Chain {
    match SchedClassifier::query_tcx(name, kind) {
        Ok((_revision, programs)) => Chain::Programs(
            programs
                .iter()
                .map(|one| match one.name_as_str() {
                    Some(name) if !name.is_empty() => name.to_owned(),
                    _ => format!("program {}", one.id()),
                })
                .collect(),
        ),
        Err(error) => Chain::Hidden(why(&error.into())),
    }
}

fn mtu(name: &str) -> Option<i32> {
    let socket = std::net::UdpSocket::bind(("127.0.0.1", 0)).ok()?;
    // SAFETY: all of its fields are numbers, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last byte stays zero, which ends the name.
    let room = request.ifr_name.len() - 1;
    for (to, from) in request.ifr_name.iter_mut().take(room).zip(name.bytes()) {
        *to = from.cast_signed();
    }
    // SAFETY: a live socket, and a request of the kind that SIOCGIFMTU reads and writes.
    let done =
        unsafe { libc::ioctl(std::os::fd::AsRawFd::as_raw_fd(&socket), libc::SIOCGIFMTU, &raw mut request) };
    // SAFETY: all members of the union are numbers, so that any of them can be read; SIOCGIFMTU fills in this one.
    let mtu = unsafe { request.ifr_ifru.ifru_mtu };
    (done == 0).then_some(mtu)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::State;

    #[test]
    fn loopback_is_there_and_has_one_hook() {
        let rows = rows("lo", Some(Mechanism::Clsact));
        assert_eq!(rows.iter().map(|row| &*row.item).collect::<Vec<_>>(), ["lo", "lo ingress"]);
        assert_eq!(rows[0].state, State::Ok, "{rows:?}");
        let mtu = std::fs::read_to_string("/sys/class/net/lo/mtu").unwrap();
        assert!(rows[0].detail.starts_with(&format!("index 1, MTU {}, ", mtu.trim())), "{rows:?}");
    }

    #[test]
    fn an_absent_interface_is_named_beside_those_that_exist() {
        let rows = rows("no-such-one", None);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].state, State::Missing);
        assert!(rows[0].detail.starts_with("no such interface; there are ") && rows[0].detail.contains("lo"));
        assert_eq!(mtu("no-such-one"), None);
        assert_eq!(mtu("a-name-that-is-far-too-long-for-the-kernel"), None);
    }

    #[test]
    fn an_interface_without_ip_is_said_to_be_blind() {
        let facts = Facts { index: 7, mtu: Some(1420), up: true, framing: Framing::Ethernet };
        assert_eq!(present("eth0", facts).detail, "index 7, MTU 1420, up");
        let raw = present("wg0", Facts { framing: Framing::RawIp, ..facts });
        assert_eq!(
            (raw.state, &*raw.detail),
            (State::Ok, "index 7, MTU 1420, up, raw IP, without an Ethernet header")
        );
        assert_eq!(present("can0", Facts { framing: Framing::Other(280), ..facts }).state, State::Missing);
        let down = Facts { up: false, mtu: None, ..facts };
        assert_eq!(present("eth0", down).detail, "index 7, down: nothing passes it until it is up");
    }

    #[test]
    fn the_place_in_the_chain() {
        let names = |names: &[&str]| Chain::Programs(names.iter().map(|name| (*name).to_owned()).collect());
        for (chain, state, detail) in [
            (names(&[]), State::Ok, "no other program; the tap would be alone"),
            (names(&["a", "b"]), State::Ok, "the tap would come first, before a, b"),
            (Chain::Filters, State::Ok, "a clsact filter with a priority of its own (49)"),
            (Chain::Unasked, State::Unknown, "not asked: the kernel programs do not load"),
            (Chain::Hidden("no".into()), State::Fallback, "who is there already cannot be read: no"),
        ] {
            let row = place("eth0", "egress", chain);
            assert_eq!((&*row.item, row.state, row.detail.as_str()), ("eth0 egress", state, detail));
        }
    }
}
