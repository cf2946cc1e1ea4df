//! The planned writes against a plain search through the config: at every moment between two configs each client gets the
//! answer of the one or of the other.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use mirror_common::limits::RULES;
use mirror_common::policy::{BY_CLIENT, HALVES, ServicePolicy};
use mirror_common::rule::{Candidates, PrefixKey, REST, Rule};
use proptest::prelude::*;
use proptest::sample::select;

use super::{Entry, RingNumbers, Table, Write, plan};
use crate::config::{Config, Draft, Service};

/// What a client gets: share, and the name of the ring if any.
type Answer = (u32, Option<String>);

/// The maps of the kernel, and the search of its program, as plain as can be.
#[derive(Default)]
struct Kernel {
    policy: ServicePolicy,
    prefixes: Vec<(Entry, Candidates)>,
}

impl Kernel {
    fn take(&mut self, write: &Write) {
        match write {
            Write::Half(bank, rules) => {
                let half = *bank as usize % HALVES;
                assert_ne!(half, self.policy.bank as usize % HALVES, "the half in force is not written to");
                self.policy.rules[half] = *rules;
            }
            Write::Prefix(entry, candidates) => {
                assert!(
                    !self.prefixes.iter().any(|(known, _)| known == entry),
                    "nothing is left from before"
                );
                self.prefixes.push((*entry, *candidates));
            }
            Write::Bank(bank) => self.policy.bank = *bank,
            Write::Remove(entry) => {
                let before = self.prefixes.len();
                self.prefixes.retain(|(known, _)| known != entry);
                assert_eq!(self.prefixes.len() + 1, before);
            }
        }
    }

    fn slot(&self, service: u8, client: SocketAddr) -> u8 {
        let bank = self.policy.bank;
        if bank & BY_CLIENT == 0 {
            return REST;
        }
        let address = match client.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let matches = |entry: &Entry| {
            let length = entry.bits - 32;
            let shift = |ip: Ipv6Addr| ip.to_bits().checked_shr(128 - length).unwrap_or(0);
            entry.scope == PrefixKey::scope(bank, service) && shift(entry.address) == shift(address)
        };
        let longest =
            self.prefixes.iter().filter(|(entry, _)| matches(entry)).max_by_key(|(entry, _)| entry.bits);
        let Some((_, candidates)) = longest else { return REST };
        let names =
            |slot: &u8| *slot == REST || self.policy.rule(bank, *slot).has_port(client.port().to_be());
        candidates.slots.into_iter().find(names).unwrap_or(REST)
    }

    fn rule(&self, service: u8, client: SocketAddr) -> &Rule {
        self.policy.rule(self.policy.bank, self.slot(service, client))
    }
}

/// The oracle: the first rule of the config that names the client.
fn search(service: &Service, client: SocketAddr) -> Answer {
    let first =
        service.rules.iter().find(|rule| rule.has_client(client.ip()) && rule.has_port(client.port()));
    first.map_or((service.share.ppm(), None), |rule| (rule.share.ppm(), rule.ring.clone()))
}

fn answer(rule: &Rule, rings: &[&RingNumbers]) -> Vec<Answer> {
    let name =
        |rings: &&RingNumbers| ["team", "office"].into_iter().find(|name| rings.of(name) == Some(rule.ring));
    rings.iter().map(|rings| (rule.share_ppm, name(rings).map(str::to_owned))).collect()
}

/// A file from parts that overlap a lot.
fn file(rest: u32, rings: &[Vec<&str>; 2], rules: &[(u8, Vec<&str>, Vec<&str>, u32)]) -> String {
    let mut text = "interfaces: [eth0]\nrings:\n".to_owned();
    for (name, clients) in ["team", "office"].into_iter().zip(rings) {
        text += &format!("  {name}: {{clients: [{}]}}\n", quoted(clients));
    }
    text += &format!(
        "services:\n  - name: a\n    v1: 10.9.0.4:80\n    v2: 10.9.0.5:80\n    share: {rest}ppm\n    rules:\n"
    );
    for (who, clients, ports, share) in rules {
        let who = match who {
            0 => "ring: team, ".to_owned(),
            1 => "ring: office, ".to_owned(),
            2 => format!("clients: [{}], ", quoted(clients)),
            _ => String::new(),
        };
        text += &format!("      - {{{who}ports: [{}], share: {share}ppm}}\n", ports.join(", "));
    }
    if rules.is_empty() { text.replace("    rules:\n", "") } else { text }
}

fn quoted(texts: &[&str]) -> String {
    texts.iter().map(|text| format!("'{text}'")).collect::<Vec<_>>().join(", ")
}

const PREFIXES: [&str; 12] = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.0.0/9",
    "10.0.0.0/30",
    "10.0.0.1/32",
    "10.128.0.0/9",
    "::/0",
    "::/64",
    "fd00::/8",
    "fd00::/126",
    "fd00::1",
    "::ffff:10.0.0.2",
];
const PORTS: [&str; 6] = ["0-65535", "1-9", "5", "5-20", "10", "40000-65535"];

/// A random right configuration: rules that can never match are left out, as the config would refuse them.
fn configs() -> impl Strategy<Value = Config> {
    let prefixes = || prop::collection::vec(select(&PREFIXES[..]), 1..4);
    let rule = (
        0..4u8,
        prefixes(),
        prop::collection::vec(select(&PORTS[..]), 1..3),
        select(vec![0, 1, 2, 500_000, 1_000_000]),
    );
    (select(vec![0, 7, 1_000_000]), [prefixes(), prefixes()], prop::collection::vec(rule, 0..8)).prop_map(
        |(rest, rings, rules)| {
            let mut right = Vec::new();
            for rule in rules {
                right.push(rule);
                if Config::build(Draft::default(), Some(("c", &file(rest, &rings, &right)))).is_err() {
                    right.pop();
                }
            }
            Config::build(Draft::default(), Some(("c", &file(rest, &rings, &right)))).unwrap()
        },
    )
}

fn clients() -> Vec<SocketAddr> {
    let four = ["10.0.0.1", "10.0.0.2", "10.0.0.9", "10.200.0.1", "11.0.0.1", "0.0.0.0"];
    let six = ["fd00::1", "fd00::2", "fd00::9", "::1", "2000::1", "::"];
    let four = four.map(|ip| IpAddr::V4(ip.parse::<Ipv4Addr>().unwrap()));
    let six = six.map(|ip| IpAddr::V6(ip.parse::<Ipv6Addr>().unwrap()));
    let ports = [0, 1, 5, 7, 10, 15, 39_999, 40_000, 65_535];
    four.into_iter().chain(six).flat_map(|ip| ports.map(|port| SocketAddr::new(ip, port))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_client_gets_the_old_answer_or_the_new_at_every_moment(configs in prop::collection::vec(configs(), 1..5)) {
        let (mut kernel, mut table, mut rings) = (Kernel::default(), Table::default(), RingNumbers::default());
        let clients = clients();
        let mut before: Vec<Answer> = vec![(0, None); clients.len()];
        for config in &configs {
            let service = &config.services[0];
            let (next_rings, _) = rings.next(&config.services);
            let next = table.next(service, &next_rings);
            let after: Vec<Answer> = clients.iter().map(|client| search(service, *client)).collect();
            for write in plan(3, &table, &next) {
                kernel.take(&write);
                for ((client, old), new) in clients.iter().zip(&before).zip(&after) {
                    let found = answer(kernel.rule(3, *client), &[&rings, &next_rings]);
                    prop_assert!(found.contains(old) || found.contains(new), "{client}: {found:?}, not {old:?} or {new:?}");
                }
            }
            for (client, new) in clients.iter().zip(&after) {
                prop_assert_eq!(&answer(kernel.rule(3, *client), &[&next_rings])[0], new);
            }
            (table, rings, before) = (next, next_rings, after);
        }
        prop_assert_eq!(kernel.prefixes.len(), table.prefixes(3).count(), "nothing is left behind");
    }

    #[test]
    fn a_rule_that_stays_keeps_its_slot_and_generation_and_another_gets_another(configs in prop::collection::vec(configs(), 2..6)) {
        let (mut table, mut rings) = (Table::default(), RingNumbers::default());
        for config in &configs {
            let (next_rings, gone) = rings.next(&config.services);
            let next = table.next(&config.services[0], &next_rings);
            for slot in 1..RULES {
                let identity = |table: &Table| table.slots[slot].as_ref().map(|(identity, _)| identity.clone());
                let same = identity(&table) == identity(&next) || identity(&next).is_none();
                prop_assert_eq!(table.rules[slot].generation == next.rules[slot].generation, same);
                if identity(&next).is_none() {
                    prop_assert_eq!(next.rules[slot].share_ppm, 0);
                }
            }
            for name in ["team", "office"] {
                let (old, new) = (rings.of(name), next_rings.of(name));
                prop_assert!(old.is_none() || new.is_none() || old == new);
                prop_assert!(old.is_none() || new.is_some() || gone.contains(&old.unwrap()));
            }
            (table, rings) = (next, next_rings);
        }
    }
}

/// All fifteen slots are replaced at once: nobody falls between.
#[test]
fn a_full_table_is_replaced_whole() {
    let config = |base: usize| {
        let rules: String = (0..15)
            .map(|n| format!("      - {{clients: [10.{base}.{n}.0/24], share: {}%}}\n", n + 1))
            .collect();
        let text = format!(
            "interfaces: [e]\nservices:\n  - name: a\n    v1: 10.9.0.4:80\n    v2: 10.9.0.5:80\n    share: 0%\n    rules:\n{rules}"
        );
        Config::build(Draft::default(), Some(("c", &text))).unwrap().services.remove(0)
    };
    let rings = RingNumbers::default();
    let first = Table::default().next(&config(1), &rings);
    let second = first.next(&config(2), &rings);
    assert!((1..RULES).all(|slot| first.rules[slot].generation + 1 == second.rules[slot].generation));
    let kept = config(2);
    assert_eq!(second.next(&kept, &rings).rules, second.rules);
}

/// The second rule's first range can never match, and is no reason to take the slot of the first rule from it.
#[test]
fn a_range_that_stands_in_two_rules_is_the_first_ones() {
    let text = "interfaces: [e]\nservices:\n  - name: a\n    v1: 10.9.0.4:80\n    v2: 10.9.0.5:80\n    share: 0%\n    rules:\n      - {clients: [10.0.0.0/8], ports: [5], share: 100%}\n      - {clients: [10.0.0.0/8], ports: [5, 8], share: 1%}\n";
    let service = Config::build(Draft::default(), Some(("c", text))).unwrap().services.remove(0);
    let first = Table::default().next(&service, &RingNumbers::default());
    for table in [&first, &first.next(&service, &RingNumbers::default())] {
        let of = |index| (1..RULES).filter(move |slot| table.index(*slot as u8) == Some(index));
        assert_eq!(of(0).map(|slot| table.rules[slot].share_ppm).collect::<Vec<_>>(), [1_000_000]);
        assert_eq!(of(1).map(|slot| table.rules[slot].lowest_port).collect::<Vec<_>>(), [8]);
    }
}
