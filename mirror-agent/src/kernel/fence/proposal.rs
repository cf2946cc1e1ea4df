//! Destinations that the allow list does not cover, as lines for the list.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use mirror_common::fence::DESTINATIONS;
use mirror_common::flow::{TCP, UDP};

/// A destination that no list names, and how often it was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Where.
    pub to: SocketAddr,
    /// By which protocol, as its number.
    pub protocol: u8,
    /// How often.
    pub calls: u64,
}

/// The text that allows all of `unknown`, one destination for each port, the most used first. `taken` are the names that
/// the list has already. What the list would have no room for is counted at the end.
pub fn text(unknown: &[Unknown], taken: &[&str]) -> String {
    let mut by_port: BTreeMap<u16, Vec<Unknown>> = BTreeMap::new();
    unknown.iter().for_each(|one| by_port.entry(one.to.port()).or_default().push(*one));
    let mut ports: Vec<_> = by_port.into_iter().collect();
    ports.sort_by_key(|(_, calls)| std::cmp::Reverse(sum(calls))); // stable: of equals the lower port first
    if ports.is_empty() {
        return "allow: [] # nothing was called that the list does not cover\n".into();
    }
    let room = DESTINATIONS.saturating_sub(taken.len());
    let mut text = "allow:\n".to_owned();
    for (port, calls) in ports.iter().take(room) {
        let _ = writeln!(text, "- {}", line(*port, calls, taken)); // a string takes everything
    }
    if let Some(left @ 1..) = ports.len().checked_sub(room) {
        let _ = writeln!(text, "# {left} more ports, for which a list of {DESTINATIONS} has no room");
    }
    text
}

fn line(port: u16, calls: &[Unknown], taken: &[&str]) -> String {
    let mut by_address: BTreeMap<_, u64> = BTreeMap::new();
    calls.iter().for_each(|one| *by_address.entry(one.to.ip()).or_default() += one.calls);
    let mut addresses: Vec<_> = by_address.into_iter().collect();
    addresses.sort_by_key(|(_, calls)| std::cmp::Reverse(*calls));
    let prefix = |(address, _): &(std::net::IpAddr, u64)| match address.is_ipv4() {
        true => format!("{address}/32"),
        false => format!("'{address}/128'"),
    };
    let to: Vec<_> = addresses.iter().map(prefix).collect();
    let (name, to, sum) = (name(port, taken), to.join(", "), sum(calls));
    let plural = if sum == 1 { "" } else { "s" };
    format!("{{name: {name}, to: [{to}], ports: [{port}]}} # {}, {sum} call{plural}", protocols(calls))
}

fn sum(calls: &[Unknown]) -> u64 {
    calls.iter().map(|one| one.calls).sum()
}

fn protocols(calls: &[Unknown]) -> String {
    let name = |protocol| match protocol {
        TCP => "tcp".to_owned(),
        UDP => "udp".to_owned(),
        other => format!("protocol {other}"),
    };
    let mut names: Vec<_> = calls.iter().map(|one| name(one.protocol)).collect();
    names.sort();
    names.dedup();
    names.join(" and ")
}

/// `port-53`, or the first of `port-53-2` and so on that nobody has.
fn name(port: u16, taken: &[&str]) -> String {
    let plain = format!("port-{port}");
    let others = (2..).map(|n| format!("port-{port}-{n}"));
    std::iter::once(plain.clone()).chain(others).find(|name| !taken.contains(&name.as_str())).unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Draft};

    fn unknown(list: &[(&str, u8, u64)]) -> Vec<Unknown> {
        list.iter()
            .map(|(to, protocol, calls)| Unknown {
                to: to.parse().unwrap(),
                protocol: *protocol,
                calls: *calls,
            })
            .collect()
    }

    #[test]
    fn the_most_used_comes_first() {
        let list = unknown(&[
            ("10.0.0.1:5432", TCP, 3),
            ("10.0.0.2:5432", TCP, 9),
            ("10.0.0.3:53", UDP, 10),
            ("10.0.0.3:53", TCP, 5),
            ("[fd00::1]:53", UDP, 1),
            ("10.0.0.4:7", TCP, 1),
            ("10.0.0.4:6", 132, 1),
        ]);
        assert_eq!(
            text(&list, &["port-7", "port-7-2"]),
            "allow:\n\
             - {name: port-53, to: [10.0.0.3/32, 'fd00::1/128'], ports: [53]} # tcp and udp, 16 calls\n\
             - {name: port-5432, to: [10.0.0.2/32, 10.0.0.1/32], ports: [5432]} # tcp, 12 calls\n\
             - {name: port-6, to: [10.0.0.4/32], ports: [6]} # protocol 132, 1 call\n\
             - {name: port-7-3, to: [10.0.0.4/32], ports: [7]} # tcp, 1 call\n"
        );
    }

    #[test]
    fn the_config_takes_it() {
        let list = unknown(&[("10.0.0.1:5432", TCP, 3), ("[::1]:53", UDP, 1), ("[fd00::1]:53", TCP, 1)]);
        let many: Vec<_> = (1..100).map(|n| (format!("10.0.0.1:{n}"), TCP, 1)).collect();
        let many = unknown(
            &many.iter().map(|(to, protocol, calls)| (to.as_str(), *protocol, *calls)).collect::<Vec<_>>(),
        );
        for (list, expect) in [(unknown(&[]), 0), (list, 2), (many, 64)] {
            let allow = text(&list, &[]).replace('\n', "\n      ");
            let file = format!(
                "interfaces: [lo]\nservices:\n  - name: a\n    v1: 127.0.0.1:1\n    v2: 127.0.0.1:2\n    share: 1%\n\
                 \x20   fence:\n      cgroup: v2\n      {allow}\n"
            );
            let config = Config::build(Draft::default(), Some(("c", &file)))
                .unwrap_or_else(|errors| panic!("{errors}\n{file}"));
            let fence = config.services[0].fence.as_ref().unwrap();
            assert_eq!(fence.allow.len(), expect);
            let shown = list.iter().filter(|one| {
                fence.allow.iter().any(|allowed| {
                    allowed.to.iter().any(|prefix| prefix.contains(one.to.ip()))
                        && allowed.ports.iter().any(|ports| ports.contains(one.to.port()))
                })
            });
            assert_eq!(shown.count(), list.len().min(64), "every call is covered, where there is room");
        }
    }
}
