//! What proves a turn whole, what does not, and what is counted beside the turns.

use mirror_common::flow::{Flow, known};
use mirror_common::policy::ServicePolicy;
use mirror_common::turn::Ambiguous::Reordered;
use mirror_common::turn::{measure, outcome};

use crate::connection::{CLIENT, Connection, GET, OK, POST, SERVER};
use crate::frame::{ACK, FIN, RST, SYN};
use crate::programs::{Programs, WHOLE};

const HALF_OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789";

/// The bytes that were not seen may be the rest of the first answer: its end is not known.
#[test]
fn a_status_line_behind_a_gap_proves_nothing() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, HALF_OK);
    c.send(CLIENT, GET);
    c.skip(SERVER, 90);
    c.send(SERVER, OK);
    c.fin(SERVER);
    c.check(0, 0, &[(Reordered, 2)]);
}

#[test]
fn a_fin_behind_a_gap_does_not_prove_the_turn_that_waits() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, HALF_OK);
    c.send(CLIENT, GET);
    c.skip(SERVER, 90);
    c.fin(SERVER);
    c.check(0, 0, &[(Reordered, 2)]);
}

/// A client that does not wait may cut its bytes anywhere.
#[test]
fn two_requests_cut_anywhere_are_never_one() {
    let programs = Programs::with_services();
    let both = [GET, GET].concat();
    for cut in 16..both.len() - 16 {
        let mut c = Connection::new(&programs, 0, 1000 + cut as u16);
        c.handshake();
        let (one, two) = both.split_at(cut);
        c.send(CLIENT, one);
        c.send(CLIENT, two);
        c.send(SERVER, &[OK, OK].concat());
        c.turn(GET, OK);
        c.fin(SERVER);
        let recorded = programs.counts.turns(0, 0).unwrap().recorded;
        assert_eq!(recorded, 0, "cut at {cut} of {}", GET.len());
    }
}

#[test]
fn what_is_sent_again_is_counted_by_its_sender() {
    let programs = Programs::with_services();
    let mut c = Connection::new(&programs, 0, 40_000);
    c.at(CLIENT, 0, SYN, b"");
    c.packet(CLIENT, SYN, b"");
    c.at(SERVER, 0, SYN | ACK, b"");
    c.packet(SERVER, SYN | ACK, b"");
    c.packet(CLIENT, ACK, b"");
    let again = || programs.counts.turns(0, 0).unwrap().retransmits;
    assert_eq!(again(), [1, 1]);
    c.send(CLIENT, POST);
    c.send(CLIENT, &[b'x'; 100]);
    c.at(CLIENT, -100, ACK, &[b'x'; 100]);
    c.at(CLIENT, -50, ACK, &[b'x'; 100]); // half of it is new
    c.skip(CLIENT, 50);
    assert_eq!(again(), [3, 1]);
    c.send(SERVER, OK);
    c.at(SERVER, -(OK.len() as i32), ACK, OK);
    c.at(SERVER, -(OK.len() as i32), ACK, &[OK, OK].concat());
    c.skip(SERVER, OK.len() as u32);
    assert_eq!(again(), [3, 3]);
    for from in [CLIENT, SERVER] {
        c.at(from, -1, ACK, b""); // keep-alive probes, without their byte and with it
        c.at(from, -1, ACK, b"x");
        c.at(from, 0, ACK, b"");
    }
    assert_eq!((again(), programs.counts.turns(0, 0).unwrap().resets), ([3, 3], [0, 0]));
}

#[test]
fn a_reset_is_counted_by_its_sender() {
    let programs = Programs::with_services();
    for (service, from) in [(0, CLIENT), (1, SERVER)] {
        let c = Connection::open(&programs, service);
        c.at(from, 0, RST | ACK, b"");
        c.at(from, 0, RST, b""); // the connection is gone
        let count = programs.counts.turns(service, 0).unwrap();
        assert_eq!((count.resets[from], count.resets[1 - from]), (1, 0));
        assert_eq!((count.opened, count.closed), (1, 1));
    }
}

/// TCP Fast Open, where the first SYN was lost behind us: it comes again without its data (RFC 7413, section 4.2.2).
#[test]
fn a_syn_that_comes_again_without_its_data_is_the_same_connection() {
    let programs = Programs::with_services();
    let mut c = Connection::new(&programs, 0, 40_000);
    c.at(CLIENT, 0, SYN, GET);
    c.handshake();
    let count = programs.counts.turns(0, 0).unwrap();
    assert_eq!((count.opened, count.closed, count.retransmits), (1, 0, [1, 0]));
}

/// A copy of the SYN that the network has kept for a while.
#[test]
fn a_syn_that_comes_again_late_is_the_same_connection() {
    let programs = Programs::with_services();
    let mut c = Connection::new(&programs, 0, 40_000);
    let isn = c.next[CLIENT];
    c.handshake();
    c.turn(GET, OK);
    let back = isn.wrapping_sub(c.next[CLIENT]).cast_signed();
    c.at(CLIENT, back, SYN, b"");
    c.fin(SERVER);
    c.check(1, 0, &[]);
    assert_eq!(programs.counts.turns(0, 0).unwrap().opened, 1);
}

/// Values that are set by hand, so that they are exact.
#[test]
fn a_threshold_counts_what_is_at_most_its_bound() {
    let mut programs = Programs::with_services();
    let bounds = [1, 1000, 250_000_000, 0, u64::MAX, 7, 0, 1001];
    programs.set_policy(0, ServicePolicy { thresholds: bounds, ..WHOLE });
    let values = [0, 1, 2, 6, 7, 8, 999, 1000, 1001, 1002, 250_000_000, 250_000_001, u64::MAX - 1, u64::MAX];
    for value in values {
        let mut c = Connection::open(&programs, 0);
        c.turn(GET, OK);
        c.send(CLIENT, GET);
        let flow = c.flow().unwrap();
        assert_eq!(flow.known & known::PENDING, known::PENDING);
        programs.set_flow(&c.key(), Flow { pending_ttfb: value, pending_total: value, ..flow });
        c.send(SERVER, OK);
        c.packet(CLIENT, RST, b"");
    }
    let expect =
        bounds.map(|bound| values.iter().filter(|value| bound != 0 && **value <= bound).count() as u64);
    for measure in [measure::TTFB, measure::TOTAL] {
        let series = programs.turn_series(0, 0, measure, outcome::OK);
        assert_eq!((series.under, series.slots.iter().sum()), (expect, values.len() as u64));
        assert_eq!(series.sum, values.iter().fold(0u64, |sum, value| sum.wrapping_add(*value)));
    }
}

/// Of a half-open connection, the FIN that comes again changes nothing.
#[test]
fn a_fin_that_comes_again_changes_nothing() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, OK);
    c.fin(SERVER);
    c.at(SERVER, -1, FIN | ACK, b"");
    c.check(1, 0, &[]);
    assert!(c.flow().is_some());
}
