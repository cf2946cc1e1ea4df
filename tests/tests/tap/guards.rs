//! What stops a clone, and that a stopped clone costs the packet nothing.

use mirror_agent::kernel::clock::monotonic;
use mirror_common::count::side;
use mirror_common::flow::role;
use mirror_common::policy::{Control, PROBE_BIT, ServicePolicy};

use crate::connection::{CLIENT, Connection, GET, OK, SERVER};
use crate::frame::{ACK, SYN};
use crate::programs::{Meta, Programs, WHOLE, ip};

const MARK: u32 = 0x6d69;

/// What ends a handshake when the control words are as changed.
fn ends_with(change: impl FnOnce(&mut Control)) -> Vec<(&'static str, u64)> {
    let mut programs = Programs::with_services();
    programs.steer(change);
    Connection::open(&programs, 0);
    programs.ends(0)
}

#[test]
fn the_lease() {
    let later = monotonic() + 60_000_000_000;
    assert_eq!(ends_with(|control| control.lease_until = 0), [("lease_expired", 3)]);
    assert_eq!(ends_with(|control| control.lease_until = monotonic()), [("lease_expired", 3)]);
    assert_eq!(ends_with(|control| control.lease_until = later), [("cloned", 3)]);
}

#[test]
fn killed_goes_before_the_lease() {
    assert_eq!(ends_with(|control| (control.killed, control.lease_until) = (1, 0)), [("paused", 3)]);
    assert_eq!(ends_with(|control| control.killed = u32::MAX), [("paused", 3)]);
}

#[test]
fn a_service_is_paused_alone() {
    let mut programs = Programs::with_services();
    programs.set_policy(0, ServicePolicy { paused: 1, ..WHOLE });
    Connection::open(&programs, 0);
    Connection::open(&programs, 1);
    assert_eq!(programs.ends(0), [("paused", 3)]);
    assert_eq!(programs.ends(1), [("cloned", 3)]);
    programs.set_policy(0, WHOLE);
    Connection::new(&programs, 0, 40_000).turn(GET, OK);
    assert_eq!(programs.ends(0), [("cloned", 2), ("paused", 3)]);
}

#[test]
fn the_clock_goes_on_whatever_stops_the_clones() {
    let mut programs = Programs::with_services();
    programs.steer(|control| control.killed = 1);
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, OK);
    c.fin(SERVER);
    c.check(1, 0, &[]);
}

/// Packets that came out at the far end of the shadow interface of this thread's namespace.
fn received() -> u64 {
    let table = std::fs::read_to_string("/proc/thread-self/net/dev").unwrap();
    let row = table.lines().find_map(|line| line.trim().strip_prefix("far:")).unwrap();
    row.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_clone_is_on_the_shadow_interface_and_its_time_is_known() {
    let programs = Programs::with_services();
    let before = monotonic();
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, OK);
    let after = monotonic();
    assert_eq!((programs.ends(0), received()), (vec![("cloned", 5)], 5));
    let last = programs.counts.service(0).unwrap().last_clone;
    assert!((before..=after + 1000).contains(&last), "{last} is not in {before}..{after}");
}

#[test]
fn a_shadow_interface_that_is_missing_down_or_deleted() {
    assert_eq!(ends_with(|control| control.shadow_interface = 0), [("clone_failed", 3)]);
    assert_eq!(ends_with(|control| control.shadow_interface = 4711), [("clone_failed", 3)]);
    for stop in [&["link", "set", "shadow", "down"][..], &["link", "del", "shadow"]] {
        let programs = Programs::with_services();
        ip(stop);
        Connection::open(&programs, 0);
        assert_eq!(programs.ends(0), [("clone_failed", 3)], "{stop:?}");
    }
}

#[test]
fn our_own_traffic_is_left_alone_in_both_directions() {
    let mut programs = Programs::with_services();
    programs.steer(|control| control.own_mark = MARK);
    let mut c = Connection::new(&programs, 0, 40_000);
    c.meta[CLIENT] = Meta { mark: MARK, ..c.meta[CLIENT] };
    c.handshake();
    c.turn(GET, OK); // the answers carry no mark
    assert_eq!(programs.skips(), [("own", 5)]);
    assert_eq!(programs.ends(0), []);
    c.check(0, 0, &[]);
}

#[test]
fn another_mark_is_not_ours_and_no_mark_is_not_zero() {
    let mut programs = Programs::with_services();
    let marked = |programs: &Programs, service| {
        let mut c = Connection::new(programs, service, 40_000);
        c.meta[CLIENT] = Meta { mark: MARK, ..c.meta[CLIENT] };
        c.packet(CLIENT, SYN, b"");
    };
    marked(&programs, 0);
    programs.steer(|control| control.own_mark = MARK + 1);
    marked(&programs, 1);
    assert_eq!((programs.ends(0), programs.ends(1)), (vec![("cloned", 1)], vec![("cloned", 1)]));
}

#[test]
fn our_own_traffic_to_v2_is_timed() {
    let mut programs = Programs::load();
    let v2 = crate::programs::address_of(0);
    programs.know(v2, 0, 0, role::SHADOW);
    programs.steer(|control| control.own_mark = MARK);
    let mut c = Connection::new(&programs, 0, 40_000);
    c.meta[CLIENT] = Meta { mark: MARK, ..c.meta[CLIENT] };
    c.at(CLIENT, 0, ACK, b""); // a packet without an entry
    c.handshake();
    c.turn(GET, OK);
    c.fin(SERVER);
    c.check(1, 0, &[]);
    assert_eq!(programs.skips(), []);
    assert_eq!(programs.side(0, side::CLIENT).packets, [0; 8]);
}

/// They would be among the users of either version.
#[test]
fn our_probes_are_neither_cloned_nor_timed_whichever_version_they_ask() {
    for role in [role::PRIMARY, role::SHADOW, role::OBSERVED] {
        let mut programs = Programs::load();
        programs.know(crate::programs::address_of(0), 0, 0, role);
        programs.steer(|control| control.own_mark = MARK);
        let mut c = Connection::new(&programs, 0, 40_000);
        c.meta[CLIENT] = Meta { mark: MARK ^ PROBE_BIT, ..c.meta[CLIENT] };
        c.handshake();
        c.turn(GET, OK); // the answers carry no mark
        c.fin(SERVER);
        c.check(0, 0, &[]);
        assert_eq!(programs.skips(), [("own", 6)], "{role}");
        assert_eq!(programs.ends(0), []);
    }
}

/// Else a sweep takes its entry out, and what the other end says next, without a mark, is mirrored.
#[test]
fn our_own_traffic_keeps_its_entry_as_long_as_it_lives() {
    let mut programs = Programs::with_services();
    programs.steer(|control| control.own_mark = MARK);
    let mut c = Connection::new(&programs, 0, 40_000);
    c.meta[CLIENT] = Meta { mark: MARK, ..c.meta[CLIENT] };
    c.handshake();
    let before = c.flow().unwrap().last_seen;
    c.turn(GET, OK);
    assert!(c.flow().unwrap().last_seen > before);
}

/// A connection of ours whose first packet was not seen: what carries the mark is never cloned.
#[test]
fn a_marked_packet_is_never_cloned() {
    let mut programs = Programs::with_services();
    programs.steer(|control| control.own_mark = MARK);
    let mut c = Connection::new(&programs, 0, 40_000);
    c.meta[CLIENT] = Meta { mark: MARK, ..c.meta[CLIENT] };
    c.send(SERVER, OK);
    c.send(CLIENT, GET);
    assert_eq!((programs.skips(), programs.ends(0)), (vec![("own", 1)], vec![("cloned", 1)]));
}

/// The order of the reasons holds for bare acknowledgements too, for which the clock is not always read.
#[test]
fn a_lease_that_is_over_goes_before_a_cap() {
    let mut programs = Programs::with_services();
    programs.set_policy(0, ServicePolicy { connection_cost: 1 << 40, burst: 0, ..WHOLE });
    Connection::open(&programs, 0);
    let mut c = Connection::new(&programs, 0, 9);
    c.handshake();
    programs.steer(|control| control.lease_until = 1);
    let capped = programs.ends(0);
    Connection::new(&programs, 0, 9).packet(CLIENT, ACK, b"");
    assert_eq!(programs.ends(0), [capped[0], capped[1], ("lease_expired", 1)]);
}
