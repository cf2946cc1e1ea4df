//! Rules and rings: what the programs decide is what `explain` says, for any client, before and after a change.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use mirror_agent::config::{Config, Draft};
use mirror_agent::explain::explain;
use mirror_agent::kernel::caps;
use mirror_common::flow::{decision, role};
use mirror_common::limits::RULES;
use mirror_common::policy::ServicePolicy;

use crate::connection::{CLIENT, Connection, GET, OK};
use crate::frame::{RST, SYN};
use crate::programs::{Programs, address_of};

const HEAD: &str = "\
interfaces: [eth0]
rings:
  team: {clients: [10.1.0.0/16, 'fd01::/16'], share: 50%}
  office: {clients: [10.0.0.0/12, '::/0'], share: 30%}
services:
  - name: a
    v1: 10.0.0.2:8000
    v2: 10.0.0.5:80
";
const FIRST: &str = "    share: 20%
    rules:
      - {ring: team, ports: [5000, 40000-49999]}
      - {clients: [10.1.2.0/24], share: 100%}
      - {ring: office}
      - {ports: [9-1000], share: 70%}
";
const SECOND: &str = "    share: 0%
    rules:
      - {ports: [9-1000], share: 1%}
      - {ring: office, ports: [1-30000]}
      - {clients: [10.1.2.3, 'fd01:2::/32'], share: 60%}
      - {ring: team, ports: [40000-49999]}
";

fn config(rules: &str) -> Config {
    Config::build(Draft::default(), Some(("c", &format!("{HEAD}{rules}")))).unwrap()
}

/// Numbers that look random and are always the same (Marsaglia's xorshift).
fn clients(count: usize) -> impl Iterator<Item = SocketAddr> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 16
    };
    std::iter::repeat_with(move || {
        let ports = [5000, 4999, 9, 1000, 1001, 40_000, 49_999, 50_000];
        let (draw, low) = (next(), next());
        let port = if draw & 1 == 0 { ports[low as usize % ports.len()] } else { (low as u16).max(1) };
        let ip: IpAddr = match draw / 2 % 8 {
            0 => Ipv6Addr::from_bits(0xfd01 << 112 | u128::from(low)).into(),
            1 => Ipv6Addr::from_bits(0xfd01_0002 << 96 | u128::from(low)).into(),
            2 => Ipv6Addr::from_bits(0x2000 << 112 | u128::from(low)).into(),
            3 => Ipv4Addr::new(10, 1, 2, 3 + (low % 2) as u8).into(),
            4 => Ipv4Addr::new(10, 1, low as u8, (low >> 8) as u8).into(),
            5 | 6 => Ipv4Addr::new(10, low as u8 % 32, 9, (low >> 8) as u8).into(),
            _ => Ipv4Addr::from_bits(low as u32 | 0x4000_0000).into(),
        };
        SocketAddr::new(ip, port)
    })
    .take(count)
}

fn server(client: SocketAddr) -> SocketAddr {
    if client.is_ipv4() { address_of(0) } else { (Ipv6Addr::LOCALHOST, 8000).into() }
}

/// Returns how many were mirrored.
fn assert_agree(programs: &Programs, config: &Config, count: usize) -> usize {
    let mut mirrored = 0;
    for (n, client) in clients(count).enumerate() {
        let c = Connection::between(programs, 0, client, server(client));
        c.at(n % 2, 0, SYN, b""); // either direction may be seen first
        let flow = c.flow().unwrap();
        let said = explain(&config.services[0], client, server(client), 0);
        assert_eq!(flow.decision == decision::MIRROR, said.mirrored, "{said:?}");
        let rule = config.services[0].rule_name(programs.rules.table(0).index(flow.rule));
        assert_eq!(rule, said.decided_by, "{said:?}");
        assert_eq!(flow.ring, said.ring.and_then(|ring| programs.rules.ring(&ring)).unwrap_or(0));
        mirrored += usize::from(said.mirrored);
        c.at(CLIENT, 0, RST, b"");
    }
    mirrored
}

#[test]
fn the_programs_decide_what_explain_says() {
    let mut programs = Programs::with_services();
    programs.know((Ipv6Addr::LOCALHOST, 8000).into(), 0, 0, role::PRIMARY);
    for rules in [FIRST, SECOND, FIRST, "    share: 40%\n"] {
        let config = config(rules);
        programs.replace_rules(&config);
        let mirrored = assert_agree(&programs, &config, 800);
        assert!((80..=720).contains(&mirrored), "{mirrored} of 800: neither nobody nor everybody");
    }
    let named: u64 = (0..RULES as u8).map(|slot| programs.counts.rule(0, slot).unwrap().named).sum();
    assert_eq!(named, 4 * 800);
}

#[test]
fn a_connection_of_a_rule_that_stays_goes_on_and_one_of_a_rule_that_goes_ends() {
    let mut programs = Programs::with_services();
    let all = |who: &str| config(&format!("    share: 0%\n    rules:\n      - {{{who}, share: 100%}}\n"));
    let client = |text: &str| text.parse::<SocketAddr>().unwrap();
    programs.replace_rules(&all("ports: [7], clients: [10.7.0.0/16]"));
    let mut c = Connection::between(&programs, 0, client("10.7.0.1:7"), address_of(0));
    c.handshake();
    let next = c.next;
    assert_eq!(programs.ends(0), [("cloned", 3)]);

    programs.replace_rules(&config(
        "    share: 0%\n    rules:\n      - {clients: [10.7.0.1], share: 0%}\n      - {clients: [10.7.0.0/16], ports: [7], share: 1%}\n",
    ));
    let mut c = Connection::between(&programs, 0, client("10.7.0.1:7"), address_of(0));
    c.next = next;
    c.turn(GET, OK);
    let next = c.next;
    assert_eq!(
        programs.ends(0),
        [("cloned", 5)],
        "what was decided holds, though others would now be decided otherwise"
    );

    programs.replace_rules(&all("ports: [8]"));
    let mut c = Connection::between(&programs, 0, client("10.7.0.1:7"), address_of(0));
    c.next = next;
    c.turn(GET, OK);
    assert_eq!(programs.ends(0), [("cloned", 5), ("share_out", 2)]);
}

#[test]
fn a_killed_ring_is_left_out_and_the_others_are_not() {
    let mut programs = Programs::with_services();
    programs.replace_rules(&config("    share: 100%\n    rules:\n      - {ring: team, share: 100%}\n"));
    let ring = programs.rules.ring("team").unwrap();
    let turn = |programs: &Programs, client: &str| {
        Connection::between(programs, 0, client.parse().unwrap(), address_of(0)).packet(CLIENT, SYN, b"");
    };
    turn(&programs, "10.1.0.1:1");
    programs.steer(|control| control.rings_killed = 1 << ring);
    turn(&programs, "10.1.0.1:1");
    turn(&programs, "10.1.0.1:2");
    turn(&programs, "10.2.0.1:1");
    assert_eq!(programs.ends(0), [("cloned", 2), ("paused", 2)]);
    programs.steer(|control| control.rings_killed = 0);
    turn(&programs, "10.1.0.1:1");
    assert_eq!(programs.ends(0), [("cloned", 3), ("paused", 2)]);
}

/// Nothing but the rules differs: what else stands in the policy stays.
#[test]
fn caps_and_thresholds_come_with_the_rules() {
    let file = "    share: 100%\n    kernel_caps: {connections: 2, burst: 1s, packets_per_second: 10}\n    thresholds: [1ms, 2s]\n";
    let mut policy = ServicePolicy { seed: 7, ..ServicePolicy::of_share(3) };
    caps::set(&config(file).services[0], &mut policy);
    let expect = ServicePolicy {
        seed: 7,
        max_connections: 2,
        packet_cost: (1_000_000_000 << 10) / 10,
        burst: 1_000_000_000,
        thresholds: [1_000_000, 2_000_000_000, 0, 0, 0, 0, 0, 0],
        ..ServicePolicy::of_share(3)
    };
    assert_eq!(policy, expect);
}

#[test]
fn connections_at_once_are_counted_down_when_they_end() {
    let mut programs = Programs::with_services();
    programs.replace_rules(&config("    share: 100%\n    kernel_caps: {connections: 2}\n"));
    let packet = |port, flags| Connection::new(&programs, 0, port).packet(CLIENT, flags, b"");
    (1..=3).for_each(|port| _ = packet(port, SYN));
    assert_eq!(programs.ends(0), [("cloned", 2), ("capped", 1)]);
    packet(1, RST);
    packet(4, SYN);
    assert_eq!(programs.ends(0), [("cloned", 4), ("capped", 1)]);
    let count = programs.counts.rule(0, 0).unwrap();
    assert_eq!((count.named, count.mirrored, count.capped), (4, 4, 1));
}
