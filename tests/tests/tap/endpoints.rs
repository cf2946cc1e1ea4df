//! Who is who: which service and version a packet belongs to, and which side sent it.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use mirror_common::count::side::{CLIENT, SERVER};
use mirror_common::flow::role;
use mirror_common::turn::{measure, outcome};

use crate::connection::{self, Connection, GET, OK};
use crate::frame::{ACK, SYN, datagram, segment};
use crate::programs::{IN, OUT, Programs};

fn v4(host: u8, port: u16) -> SocketAddr {
    (Ipv4Addr::new(10, 0, 0, host), port).into()
}

fn v6(host: u16, port: u16) -> SocketAddr {
    (Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, host), port).into()
}

/// Packets of each side of a service.
fn sides(programs: &Programs, service: u8) -> [u64; 2] {
    [CLIENT, SERVER].map(|side| programs.side(service, side).packets[0])
}

#[test]
fn the_known_end_says_which_side_sent_it_and_never_the_hook() {
    let mut programs = Programs::load();
    programs.know(v4(2, 8080), 5, 0, role::PRIMARY);
    programs.know(v6(2, 8080), 6, 0, role::PRIMARY);
    for (service, ends) in [(5, [v4(1, 40_000), v4(2, 8080)]), (6, [v6(1, 40_000), v6(2, 8080)])] {
        let (there, back) = (segment(ends[0], ends[1], 1, SYN, b""), segment(ends[1], ends[0], 1, SYN, b""));
        programs.run(&there, IN);
        assert_eq!(sides(&programs, service), [1, 0]);
        programs.run(&there, OUT);
        assert_eq!(sides(&programs, service), [2, 0]);
        programs.run(&back, OUT);
        programs.run(&back, IN);
        assert_eq!(sides(&programs, service), [2, 2]);
    }
}

#[test]
fn bytes_are_counted_from_the_link_header_on() {
    let mut programs = Programs::load();
    programs.know(v4(2, 8080), 0, 0, role::PRIMARY);
    let frame = segment(v4(1, 40_000), v4(2, 8080), 1, ACK, GET);
    programs.run(&frame, IN);
    let count = programs.side(0, CLIENT);
    let len = frame.len() as u64;
    assert_eq!((count.bytes, count.packets), ([len, len, 0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0]));
}

#[test]
fn address_port_and_protocol_must_all_fit() {
    let mut programs = Programs::load();
    programs.know(v4(2, 8080), 0, 0, role::PRIMARY);
    let strangers =
        [(v4(1, 40_000), v4(2, 8081)), (v4(1, 40_000), v4(3, 8080)), (v6(1, 40_000), v6(2, 8080))];
    for (from, to) in strangers {
        programs.run(&segment(from, to, 1, SYN, b""), IN);
        programs.run(&segment(to, from, 1, SYN, b""), IN);
    }
    assert_eq!(programs.skips(), [("unmatched", 6)]);
    assert_eq!(sides(&programs, 0), [0, 0]);
    programs.run(&datagram(v4(1, 40_000), v4(2, 8080), b"x"), IN);
    assert_eq!(sides(&programs, 0), [1, 0]);
}

#[test]
fn an_endpoint_without_an_address_is_any_address() {
    let mut programs = Programs::load();
    programs.know((Ipv4Addr::UNSPECIFIED, 8080).into(), 7, 0, role::PRIMARY);
    let there = segment(v4(1, 40_000), v4(9, 8080), 1, SYN, b"");
    programs.run(&there, IN);
    assert_eq!(programs.skips(), [("unmatched", 1)], "the second lookup is off until it is worth its time");
    programs.steer(|control| control.any_address = 1);
    programs.run(&there, IN);
    programs.run(&segment(v6(3, 8080), v6(1, 40_000), 1, SYN, b""), IN);
    assert_eq!(sides(&programs, 7), [1, 1]);
}

#[test]
fn an_exact_endpoint_goes_before_any_address() {
    let mut programs = Programs::load();
    programs.steer(|control| control.any_address = 1);
    programs.know((Ipv4Addr::UNSPECIFIED, 8080).into(), 1, 0, role::PRIMARY);
    programs.know(v4(2, 8080), 2, 0, role::PRIMARY);
    // Both ends are known: the exact one is the service, though it is the sender.
    programs.run(&segment(v4(2, 8080), v4(1, 8080), 1, SYN, b""), IN);
    assert_eq!((sides(&programs, 1), sides(&programs, 2)), ([0, 0], [0, 1]));
}

#[test]
fn everything_is_everything_and_the_lower_port_is_the_service() {
    let mut programs = Programs::load();
    programs.steer(|control| {
        control.everything = 1;
        control.ports.fill(u64::MAX);
    });
    programs.run(&segment(v4(1, 40_000), v4(2, 443), 1, SYN, b""), IN);
    programs.run(&segment(v4(2, 443), v4(1, 40_000), 1, SYN, b""), IN);
    programs.run(&datagram(v6(1, 53), v6(2, 5353), b"x"), IN);
    assert_eq!(sides(&programs, 0), [1, 2]);
    programs.know(v4(2, 443), 1, 0, role::PRIMARY);
    programs.run(&segment(v4(1, 40_001), v4(2, 443), 1, SYN, b""), IN);
    assert_eq!(sides(&programs, 1), [1, 0]);
}

#[test]
fn other_versions_are_timed_and_neither_counted_nor_cloned() {
    let mut programs = Programs::load();
    programs.know(v4(2, 8080), 0, 0, role::PRIMARY);
    programs.know(v4(3, 8080), 0, 1, role::SHADOW);
    programs.know(v4(4, 8080), 0, 2, role::OBSERVED);
    for (host, version) in [(3, 1), (4, 2)] {
        let mut c = Connection::between(&programs, 0, v4(1, 40_000), v4(host, 8080));
        c.handshake();
        c.turn(GET, OK);
        c.fin(connection::SERVER);
        assert_eq!(programs.counts.turns(0, version).unwrap().recorded, 1);
        assert_eq!(programs.histograms.read(0, version, measure::TTFB, outcome::OK).count(), 1);
    }
    assert_eq!((programs.ends(0), programs.skips()), (vec![], vec![]));
    assert_eq!(programs.counts.turns(0, 0).unwrap().started, 0);
}
