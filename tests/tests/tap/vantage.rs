//! One vantage per flow: the same packet seen again elsewhere is counted, and neither cloned nor timed twice.

use mirror_agent::kernel::object::EGRESS;
use mirror_common::turn::Ambiguous::Pipelined;

use crate::connection::{CLIENT, Connection, GET, OK, SERVER};
use crate::frame::{ACK, FIN, SYN};
use crate::programs::{IN, Meta, Programs};

/// The same packet at a second vantage.
fn twice(c: &mut Connection, second: Meta, from: usize, flags: u8, payload: &[u8]) {
    let first = c.meta[from];
    c.meta[from] = second;
    let copy = (c.next, c.meta);
    (c.meta[from], c.next) = (first, copy.0);
    c.packet(from, flags, payload);
    let after = c.next;
    (c.next, c.meta) = copy;
    c.packet(from, flags, payload);
    (c.meta[from], c.next) = (first, after);
}

#[test]
fn a_second_hook_or_interface_sees_only_duplicates() {
    let programs = Programs::with_services();
    let other_interface = Meta { interface: programs.shadow, ..IN };
    for (service, second) in [Meta { program: EGRESS, ..IN }, other_interface].into_iter().enumerate() {
        let mut c = Connection::new(&programs, service as u8, 40_000);
        c.meta = [IN, IN];
        let talk: [(_, _, &[u8]); 5] = [
            (CLIENT, SYN, b""),
            (SERVER, SYN | ACK, b""),
            (CLIENT, ACK, b""),
            (CLIENT, ACK, GET),
            (SERVER, ACK, OK),
        ];
        talk.iter().for_each(|(from, flags, payload)| twice(&mut c, second, *from, *flags, payload));
        assert_eq!(programs.ends(service as u8), [("cloned", 5), ("duplicate_vantage", 5)]);
        twice(&mut c, second, CLIENT, ACK, GET);
        twice(&mut c, second, SERVER, ACK, OK);
        c.check(1, 1, &[]);
        c.fin(SERVER);
        c.check(2, 0, &[]);
    }
}

#[test]
fn each_direction_has_its_own_vantage() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0); // in by one hook, out by the other
    let flow = c.flow().unwrap();
    assert_eq!((flow.interface, flow.hook), ([1, 1], [1, 2]));
    c.turn(GET, OK);
    c.turn(GET, OK);
    c.check(1, 1, &[]);
    assert_eq!(programs.ends(0), [("cloned", 7)]);
}

#[test]
fn a_request_that_is_seen_twice_at_one_vantage_is_no_duplicate() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.send(CLIENT, GET);
    c.send(CLIENT, GET);
    c.check(0, 0, &[(Pipelined, 2)]);
    assert_eq!(programs.ends(0), [("cloned", 5)]);
}

/// The first vantage has taken the entry out by the time the second sees the last packet.
#[test]
fn the_last_packet_of_a_connection_makes_no_new_entry() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, OK);
    c.fin(CLIENT);
    let second = Meta { interface: programs.shadow, ..c.meta[SERVER] };
    twice(&mut c, second, SERVER, FIN | ACK, b"the end");
    assert!(programs.flows().is_empty());
    c.check(1, 0, &[]);
}

/// Where several interfaces are tapped, what closes a connection is seen at each of them, and cloned once.
#[test]
fn the_packets_that_close_a_connection_are_cloned_once() {
    let mut programs = Programs::with_services();
    programs.steer(|control| control.several_interfaces = 1);
    let second = Meta { interface: programs.shadow, ..IN };
    let ends: [&[(usize, u8)]; 2] = [
        &[(CLIENT, FIN | ACK), (SERVER, FIN | ACK), (CLIENT, ACK)],
        &[(CLIENT, FIN | ACK), (SERVER, crate::frame::RST), (CLIENT, ACK)],
    ];
    for (service, end) in ends.into_iter().enumerate() {
        let mut c = Connection::new(&programs, service as u8, 40_000);
        c.meta = [IN, IN];
        for round in 1..=2 {
            // The same ends again: what is remembered of the first connection must not be held against the second.
            c.next = [1000 * round, 5000 * round];
            let open = [(CLIENT, SYN), (SERVER, SYN | ACK), (CLIENT, ACK)];
            open.iter().chain(end).for_each(|(from, flags)| twice(&mut c, second, *from, *flags, b""));
            let count = u64::from(round) * 6;
            assert_eq!(programs.ends(service as u8), [("cloned", count), ("duplicate_vantage", count)]);
        }
        let count = programs.counts.turns(service as u8, 0).unwrap();
        assert_eq!((count.opened, count.closed), (2, 2));
    }
    assert!(programs.flows().is_empty());
}

/// The direction that nobody had seen yet is still free to be owned.
#[test]
fn a_late_packet_of_a_direction_that_was_never_seen_is_no_duplicate() {
    let mut programs = Programs::with_services();
    programs.steer(|control| control.several_interfaces = 1);
    let mut c = Connection::new(&programs, 0, 40_000);
    c.meta = [IN, IN];
    c.send(CLIENT, GET);
    c.reset(CLIENT);
    let second = Meta { interface: programs.shadow, ..IN };
    twice(&mut c, second, SERVER, ACK, b"");
    assert_eq!(programs.ends(0), [("cloned", 3), ("duplicate_vantage", 1)]);
}
