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
