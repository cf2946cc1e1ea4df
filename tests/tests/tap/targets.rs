//! Who is mirrored: rules by client and port, rings, and what changes under connections that are open.

use std::net::SocketAddr;

use mirror_common::flow::{decision, role};

use crate::connection::{CLIENT, Connection, GET, OK};
use crate::frame::SYN;
use crate::model::rules::{Policy, Rule};
use crate::oracle::{compile, kernel_policy};
use crate::programs::{Programs, address_of};
use crate::script::prefix;

const ALL: (u16, u16) = (0, u16::MAX);
const WHOLE: u32 = 1_000_000;

fn rule(slot: u8, ports: (u16, u16), prefixes: &[&str]) -> Rule {
    let prefixes = prefixes.iter().map(|text| prefix(text)).collect();
    Rule { slot, share: WHOLE, ring: slot, generation: slot, ports, prefixes }
}

fn set(programs: &mut Programs, bank: u32, policy: &Policy) {
    programs.clear_bank(bank, 0);
    compile(programs, bank, 0, policy);
    programs.set_policy(0, kernel_policy(policy, bank));
}

fn v6() -> SocketAddr {
    "[fd00::2]:8000".parse().unwrap()
}

/// The slot that decides for a client. Its packet comes from either end first.
fn decides(programs: &Programs, client: &str) -> u8 {
    let client: SocketAddr = client.parse().unwrap();
    let server = if client.is_ipv4() { address_of(0) } else { v6() };
    let slots = [0, 1].map(|from| {
        let c = Connection::between(programs, 0, client, server);
        c.at(from, 0, SYN, b"");
        let slot = c.flow().unwrap().rule;
        c.at(from, 0, crate::frame::RST, b"");
        slot
    });
    assert_eq!(slots[0], slots[1], "{client}");
    slots[0]
}

#[test]
fn the_first_rule_that_names_a_client_decides() {
    let mut programs = Programs::with_services();
    programs.know(v6(), 0, 0, role::PRIMARY);
    let rules = vec![
        rule(7, ALL, &["10.1.0.1/32", "2001:db8::1/128"]),
        rule(3, (2000, 2999), &["10.1.0.0/16"]),
        rule(9, ALL, &["10.0.0.0/8", "2001:db8::/64"]),
        rule(1, ALL, &["10.1.2.3/32"]), // never reached
        rule(15, (1, 1), &["0.0.0.0/0"]),
        rule(4, (5, 5), &["::/0"]),
    ];
    let cases = [
        ("10.1.0.1:2000", 7),
        ("10.1.0.2:1999", 9),
        ("10.1.0.2:2000", 3),
        ("10.1.0.2:2999", 3),
        ("10.1.0.2:3000", 9),
        ("10.1.2.3:1", 9),
        ("10.255.255.255:1", 9),
        ("11.0.0.0:1", 15),
        ("11.0.0.0:2", 0),
        ("[2001:db8::1]:5", 7),
        ("[2001:db8::2]:5", 9),
        ("[2001:db8:0:1::]:5", 4),
        ("[2001:db8:0:1::]:6", 0),
    ];
    let policy = Policy { rules, ..Policy::default() };
    for bank in [2, 3, 2] {
        set(&mut programs, bank, &policy);
        programs.clear_bank(5 - bank, 0); // the half that is not in force
        cases.iter().for_each(|(client, slot)| assert_eq!(decides(&programs, client), *slot, "{client}"));
    }
    programs.set_policy(0, kernel_policy(&policy, 0));
    cases.iter().for_each(|(client, _)| assert_eq!(decides(&programs, client), 0, "no bank, no rules"));
}

#[test]
fn a_rule_without_a_share_or_replaced_stops_its_open_connections_at_once() {
    let mut programs = Programs::with_services();
    let mut policy = Policy { rest: WHOLE, rules: vec![rule(2, ALL, &["10.0.0.0/8"])], ..Policy::default() };
    set(&mut programs, 2, &policy);
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, OK);
    let next = c.next;
    let turn = |programs: &Programs| {
        let mut c = Connection::new(programs, 0, 40_000);
        c.next = next;
        c.turn(GET, OK);
    };
    policy.rules[0].share = 0;
    set(&mut programs, 2, &policy);
    turn(&programs);
    assert_eq!(programs.ends(0), [("cloned", 5), ("share_out", 2)]);
    policy.rules[0].share = 1;
    set(&mut programs, 2, &policy);
    turn(&programs);
    assert_eq!(programs.ends(0), [("cloned", 7), ("share_out", 2)], "a smaller share is no reason");
    policy.rules[0].generation += 1;
    set(&mut programs, 2, &policy);
    turn(&programs);
    assert_eq!(programs.ends(0), [("cloned", 7), ("share_out", 4)]);
    let rule = programs.rule(0, 2);
    assert_eq!((rule.named, rule.mirrored, rule.capped, rule.cut), (1, 1, 0, 0));
}

#[test]
fn a_ring_is_killed_alone_and_comes_back() {
    let mut programs = Programs::with_services();
    let rules = vec![rule(1, (1, 1), &["0.0.0.0/0"]), rule(2, (2, 2), &["0.0.0.0/0"])];
    let mut policy = Policy { rest: WHOLE, rules, ..Policy::default() };
    policy.rules[1].ring = 63;
    set(&mut programs, 2, &policy);
    let connections = |programs: &Programs| {
        for port in [1, 2, 3] {
            let mut c = Connection::new(programs, 0, port);
            c.packet(CLIENT, SYN, b"");
            assert_eq!(c.flow().unwrap().decision, decision::MIRROR);
        }
    };
    connections(&programs);
    for (killed, ends) in [
        (1 << 1, vec![("cloned", 5), ("paused", 1)]),
        (1 << 63, vec![("cloned", 7), ("paused", 2)]),
        (1 << 63 | 1 << 1, vec![("cloned", 8), ("paused", 4)]),
        (0, vec![("cloned", 11), ("paused", 4)]),
    ] {
        programs.steer(|control| control.rings_killed = killed);
        connections(&programs);
        assert_eq!(programs.ends(0), ends);
    }
}
