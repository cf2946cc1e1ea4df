//! Mirrored connections at once, what counts as one, and what is told of one that is cut.

use std::net::Ipv4Addr;

use mirror_common::event::kind;
use mirror_common::flow::{decision, mark, role};
use mirror_common::limits::FLOWS;
use mirror_common::policy::{Buckets, ServicePolicy};

use crate::connection::{CLIENT, Connection, GET, OK, SERVER};
use crate::frame::{ACK, RST, SYN};
use crate::programs::{Programs, WHOLE, address_of};

const HOUR: u64 = 3_600_000_000_000;

#[test]
fn a_connection_counts_until_it_ends() {
    let mut programs = Programs::with_services();
    programs.set_policy(0, ServicePolicy { max_connections: 3, ..WHOLE });
    let open = || programs.buckets(0).open;
    let mut cs: Vec<_> = (1..=5).map(|port| Connection::new(&programs, 0, port)).collect();
    cs.iter_mut().for_each(Connection::handshake);
    assert_eq!((open(), programs.rule(0, 0).capped), (3, 2));
    let decisions: Vec<u8> = cs.iter().map(|c| c.flow().unwrap().decision).collect();
    assert_eq!(decisions, [1, 1, 1, decision::CAPPED, decision::CAPPED]);

    cs[0].fin(CLIENT);
    assert_eq!(open(), 3, "half of it is still open");
    cs[0].fin(SERVER);
    assert_eq!(open(), 2);
    cs[1].reset(SERVER);
    assert_eq!(open(), 1);
    cs[3].reset(CLIENT);
    assert_eq!(open(), 1, "it never counted");
    cs[2].next = [77, 99];
    cs[2].handshake();
    assert_eq!(open(), 1, "one has taken the other's place");
    (6..20).for_each(|port| Connection::new(&programs, 0, port).handshake());
    assert_eq!(open(), 3);
    (1..20).for_each(|port| Connection::new(&programs, 0, port).reset(CLIENT));
    assert_eq!(open(), 0);
    let count = programs.counts.turns(0, 0).unwrap();
    assert_eq!(count.opened, count.closed);
}

/// At the cap, a new connection on the addresses of an old one finds the old one's room.
#[test]
fn a_replaced_connection_makes_room_for_the_one_that_replaces_it() {
    let mut programs = Programs::with_services();
    programs.set_policy(0, ServicePolicy { max_connections: 1, ..WHOLE });
    let mut c = Connection::open(&programs, 0);
    c.next = [77_000_000, 99];
    c.handshake();
    assert_eq!((c.flow().unwrap().decision, programs.buckets(0).open), (decision::MIRROR, 1));
}

#[test]
fn a_connection_that_is_cut_is_marked_told_and_counts_no_more() {
    let mut programs = Programs::with_services();
    programs.set_policy(3, ServicePolicy { packet_cost: HOUR << 10, burst: 3 * HOUR, ..WHOLE });
    let mut c = Connection::open(&programs, 3);
    assert_eq!((programs.buckets(3).open, programs.events().len()), (1, 0));
    c.send(CLIENT, GET);
    let moment = c.send(SERVER, OK);
    let flow = c.flow().unwrap();
    assert_eq!((flow.decision, flow.marks & (mark::CUT | mark::COUNTED)), (decision::CAPPED, mark::CUT));
    assert_eq!((programs.buckets(3).open, programs.rule(3, 0).cut), (0, 1));
    let [event] = programs.events()[..] else { panic!("not one event") };
    assert_eq!((event.key, event.kind, event.service), (c.key(), kind::CUT, 3));
    assert!((moment.0 - 1000..=moment.1 + 1000).contains(&event.at));
    c.send(CLIENT, GET);
    c.reset(CLIENT);
    assert_eq!((programs.events().len(), programs.buckets(3).open), (0, 0));
}

#[test]
fn a_full_ring_costs_the_event_and_nothing_else() {
    let mut programs = Programs::with_services();
    programs.set_policy(0, ServicePolicy { packet_cost: HOUR << 10, burst: 0, ..WHOLE });
    programs.set_buckets(0, Buckets { packets: u64::MAX, ..Buckets::default() });
    let total = 1500;
    (1..=total).for_each(|port| _ = Connection::new(&programs, 0, port).packet(CLIENT, SYN, b""));
    let lost = programs.side(0, CLIENT as u8).events_lost;
    assert!(lost > 0, "the ring is larger than this test believes");
    let events = programs.events();
    assert_eq!(events.len() as u64 + lost, u64::from(total));
    assert_eq!(programs.rule(0, 0).cut, u64::from(total));
    assert_eq!((programs.ends(0), programs.buckets(0).open), (vec![("capped", u64::from(total))], 0));
    assert!(programs.flows().iter().all(|(_, flow)| flow.marks & mark::CUT != 0));
    Connection::new(&programs, 0, total + 1).packet(CLIENT, SYN, b"");
    assert_eq!(programs.events().len(), 1, "there is room again");
}

#[test]
fn a_connection_without_room_in_the_table_does_not_count() {
    let mut programs = Programs::load();
    programs.know(address_of(0), 0, 0, role::PRIMARY);
    programs.know(address_of(1), 1, 0, role::SHADOW);
    let client = |n: u32| (Ipv4Addr::from_bits(0x0b00_0000 + n / 60_000), (n % 60_000 + 1) as u16).into();
    let connection = |service, n| Connection::between(&programs, service, client(n), address_of(service));
    (0..FLOWS).for_each(|n| _ = connection(1, n).packet(CLIENT, SYN, b""));
    (0..3).for_each(|n| _ = connection(0, n).packet(CLIENT, SYN, b""));
    assert_eq!(programs.skips(), [("flow_table_full", 3)]);
    assert_eq!((programs.buckets(0).open, programs.counts.turns(0, 0).unwrap().opened), (0, 0));
    connection(1, 0).packet(CLIENT, RST, b"");
    connection(0, 0).packet(CLIENT, SYN, b"");
    assert_eq!(programs.buckets(0).open, 1);
}

/// A late acknowledgement says no more than the connection did.
#[test]
fn what_is_left_out_whole_ends_left_out() {
    let mut programs = Programs::with_services();
    programs.set_policy(0, ServicePolicy { connection_cost: HOUR << 10, burst: 0, ..WHOLE });
    for port in 1..=2 {
        let mut c = Connection::new(&programs, 0, port);
        c.handshake();
        c.fin(CLIENT);
        c.packet(CLIENT, ACK, b"");
    }
    assert_eq!(programs.ends(0), [("cloned", 5), ("capped", 5)]);
}
