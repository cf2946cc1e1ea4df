//! The caps that the kernel holds even when user space hangs, and the cap of the flow table.

use std::net::Ipv4Addr;

use mirror_common::flow::{decision, role};
use mirror_common::limits::FLOWS;
use mirror_common::policy::{ServicePolicy, cost};

use crate::connection::{CLIENT, Connection, GET, OK};
use crate::frame::{ACK, RST, SYN, datagram};
use crate::programs::{IN, Programs, WHOLE, address_of};

const SECOND: u64 = 1_000_000_000;

/// One unit an hour: within a test no token comes back.
fn hourly(burst: u64) -> u64 {
    burst * 3600 * SECOND
}

/// An increment of one hour.
const HOUR: u64 = (3600 * SECOND) << 10;

fn count(ends: &[(&str, u64)], name: &str) -> u64 {
    ends.iter().find(|(end, _)| *end == name).map_or(0, |(_, count)| *count)
}

#[test]
fn packets_over_the_cap_are_not_cloned() {
    let mut programs = Programs::with_services();
    programs.set_policy(0, ServicePolicy { packet_cost: HOUR, burst: hourly(9), ..WHOLE });
    for port in 0..30 {
        Connection::new(&programs, 0, port).packet(CLIENT, SYN, b"");
    }
    assert_eq!(programs.ends(0), [("cloned", 10), ("capped", 20)]);
}

/// The burst and what the rate has given back meanwhile.
#[test]
fn a_cap_admits_its_rate() {
    let mut programs = Programs::with_services();
    let (rate, burst) = (10_000, SECOND / 100);
    programs.set_policy(0, ServicePolicy { packet_cost: cost(rate), burst, ..WHOLE });
    let start = std::time::Instant::now();
    for port in 0..20_000 {
        Connection::new(&programs, 0, port).packet(CLIENT, SYN, b"");
    }
    let most = 102 + (start.elapsed().as_nanos() as u64) * rate / SECOND;
    let cloned = count(&programs.ends(0), "cloned");
    assert!((100..=most).contains(&cloned), "{cloned} of at most {most}");
}

#[test]
fn bytes_over_the_cap_are_not_cloned() {
    let mut programs = Programs::with_services();
    let address = address_of(0);
    let frame = datagram((Ipv4Addr::new(10, 0, 0, 1), 9).into(), address, &[0; 958]);
    assert_eq!(frame.len(), 1000);
    programs.set_policy(0, ServicePolicy { byte_cost: HOUR / 1000, burst: hourly(4) + 1, ..WHOLE });
    (0..10).for_each(|_| _ = programs.run(&frame, IN));
    assert_eq!(programs.ends(0), [("cloned", 5), ("capped", 5)]);
    assert_eq!(programs.counts.service(0).unwrap().bytes[..4], [10_000, 5000, 0, 5000]);
}

#[test]
fn a_connection_that_was_cut_stays_cut() {
    let mut programs = Programs::with_services();
    programs.set_policy(0, ServicePolicy { packet_cost: HOUR, burst: hourly(3), ..WHOLE });
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, OK);
    assert_eq!(programs.ends(0), [("cloned", 4), ("capped", 1)]);
    assert_eq!(c.flow().unwrap().decision, decision::CAPPED);
    programs.refill(0);
    let mut c = Connection::new(&programs, 0, 40_000);
    (0..4).for_each(|_| _ = c.send(CLIENT, GET));
    assert_eq!(programs.ends(0), [("cloned", 4), ("capped", 5)]);
    Connection::new(&programs, 0, 40_001).packet(CLIENT, SYN, b"");
    assert_eq!(programs.ends(0), [("cloned", 5), ("capped", 5)]);
}

#[test]
fn new_connections_over_the_cap_are_left_out_whole() {
    let mut programs = Programs::with_services();
    programs.set_policy(0, ServicePolicy { connection_cost: HOUR, burst: hourly(2), ..WHOLE });
    for port in 1..=5 {
        let mut c = Connection::new(&programs, 0, port);
        c.handshake();
        c.turn(GET, OK);
    }
    assert_eq!(programs.ends(0), [("cloned", 3 * 5), ("capped", 2 * 5)]);
}

#[test]
fn a_connection_outside_the_share_uses_up_nothing() {
    let mut programs = Programs::with_services();
    let caps = ServicePolicy { connection_cost: HOUR, packet_cost: HOUR, burst: 0, ..WHOLE };
    programs.set_policy(0, {
        let mut policy = caps;
        policy.set_share_ppm(1);
        policy
    });
    (1..100).for_each(|port| _ = Connection::new(&programs, 0, port).packet(CLIENT, SYN, b""));
    programs.set_policy(0, caps);
    Connection::new(&programs, 0, 200).packet(CLIENT, SYN, b"");
    assert_eq!(programs.ends(0), [("cloned", 1), ("share_out", 99)]);
}

/// Acknowledgements make no entry, and a flood of them is a flood.
#[test]
fn packets_without_an_entry_are_capped_too() {
    let mut programs = Programs::with_services();
    programs.set_policy(0, ServicePolicy { packet_cost: HOUR, burst: hourly(9), ..WHOLE });
    for port in 0..30 {
        Connection::new(&programs, 0, port).packet(CLIENT, ACK, b"");
    }
    assert!(programs.flows().is_empty());
    assert_eq!(programs.ends(0), [("cloned", 10), ("capped", 20)]);
}

#[test]
fn a_full_flow_table_lets_packets_pass_and_says_so() {
    let mut programs = Programs::load();
    programs.know(address_of(0), 0, 0, role::PRIMARY);
    programs.steer(|control| control.killed = 1); // as fast as can be
    let client = |n: u32| (Ipv4Addr::from_bits(0x0b00_0000 + n / 60_000), (n % 60_000 + 1) as u16).into();
    let connection = |n| Connection::between(&programs, 0, client(n), address_of(0));
    (0..FLOWS).for_each(|n| _ = connection(n).packet(CLIENT, SYN, b""));
    assert_eq!((programs.flows().len(), programs.skips()), (FLOWS as usize, vec![]));

    (0..3).for_each(|n| _ = connection(FLOWS + n).packet(CLIENT, SYN, b""));
    assert_eq!(programs.skips(), [("flow_table_full", 3)]);
    connection(0).packet(CLIENT, RST, b"");
    connection(FLOWS).packet(CLIENT, SYN, b"");
    assert_eq!(programs.skips(), [("flow_table_full", 3)]);
    assert_eq!(programs.ends(0), [("paused", u64::from(FLOWS) + 2)]);
}
