//! The turn clock where it is certain: what it records, when, and in which series.

use mirror_common::turn::{Ambiguous, measure, outcome};

use crate::connection::{
    CLIENT, CONTINUE, Connection, ERROR, GET, NOT_FOUND, OK, POST, SERVER, assert_spans,
};
use crate::frame::{ACK, SYN};
use crate::programs::Programs;

const MS: u64 = 1_000_000;

#[test]
fn a_turn_is_recorded_once_the_next_answer_proves_it_whole() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 3);
    for turn in 0..5 {
        c.check(u64::saturating_sub(turn, 1), turn.min(1), &[]);
        c.send(CLIENT, GET);
        c.check(u64::saturating_sub(turn, 1), turn.min(1) + 1, &[]);
        c.send(SERVER, OK);
    }
    c.check(4, 1, &[]);
    c.fin(SERVER);
    c.check(5, 0, &[]);
    c.fin(CLIENT);
    c.check(5, 0, &[]);
}

#[test]
fn a_turn_is_timed_from_its_bytes_to_the_bytes_of_its_answer() {
    let programs = Programs::with_services();
    for (service, ms) in [0, 1, 5, 50, 500].into_iter().enumerate() {
        let mut c = Connection::open(&programs, service as u8);
        let first = c.send(CLIENT, POST);
        c.pass(3 * ms * MS);
        c.send(CLIENT, &[b'x'; 1400]);
        c.pass(2 * ms * MS);
        let last = c.send(CLIENT, &[b'x'; 1600]);
        c.pass(ms * MS);
        let answer = c.send(SERVER, OK);
        c.pass(3 * ms * MS);
        let end = c.send(SERVER, &[b'y'; 100]);
        c.pass(4 * ms * MS);
        c.fin(SERVER);
        c.check(1, 0, &[]);
        assert_spans(&c.series(measure::TTFB, outcome::OK), last, answer);
        assert_spans(&c.series(measure::TOTAL, outcome::OK), first, end);
    }
}

#[test]
fn the_wait_between_two_turns_belongs_to_neither() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    let [_, _] = c.turn(GET, OK);
    c.pass(700 * MS);
    c.turn(GET, OK);
    c.pass(900 * MS);
    c.fin(SERVER);
    c.check(2, 0, &[]);
    assert!(c.latency(measure::TOTAL).sum_ns < 600 * MS, "{}", c.latency(measure::TOTAL).sum_ns);
}

#[test]
fn the_outcome_is_the_class_of_the_status() {
    let programs = Programs::with_services();
    let answers = [(OK, outcome::OK), (NOT_FOUND, outcome::OK), (ERROR, outcome::ERROR)];
    for (service, (answer, expect)) in answers.into_iter().enumerate() {
        let mut c = Connection::open(&programs, service as u8);
        let [request, answer] = c.turn(GET, answer);
        c.fin(SERVER);
        c.check(1, 0, &[]);
        assert_spans(&c.series(measure::TTFB, expect), request, answer);
        assert_spans(&c.series(measure::TOTAL, expect), request, answer);
    }
}

#[test]
fn a_waiting_turn_keeps_its_own_outcome() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, ERROR);
    c.turn(GET, OK);
    assert_eq!(c.series(measure::TTFB, outcome::ERROR).count(), 1);
    assert_eq!(c.series(measure::TTFB, outcome::OK).count(), 0);
}

#[test]
fn every_method_is_timed() {
    let programs = Programs::with_services();
    let methods = ["GET", "HEAD", "OPTIONS", "DELETE", "TRACE", "POST", "PUT", "PATCH", "CONNECT"];
    for (service, method) in methods.into_iter().enumerate() {
        let mut c = Connection::open(&programs, service as u8);
        c.turn(format!("{method} /x HTTP/1.1\r\nHost: v1\r\n\r\n").as_bytes(), OK);
        c.turn(format!("{method} /y HTTP/1.1\r\nHost: v1\r\n\r\n").as_bytes(), OK);
        c.fin(SERVER);
        c.check(2, 0, &[]);
    }
}

#[test]
fn a_head_may_come_in_pieces() {
    let programs = Programs::with_services();
    let heads = (16..GET.len()).map(|at| GET.split_at(at));
    for (service, (one, two)) in (0..64).zip(heads) {
        let mut c = Connection::open(&programs, service);
        let first = c.send(CLIENT, one);
        c.pass(50 * MS);
        let last = c.send(CLIENT, two);
        let answer = c.send(SERVER, OK);
        c.fin(SERVER);
        c.check(1, 0, &[]);
        assert_spans(&c.latency(measure::TTFB), last, answer);
        assert_spans(&c.latency(measure::TOTAL), first, answer);
    }
}

#[test]
fn an_interim_answer_is_not_the_answer() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.send(CLIENT, POST);
    c.send(SERVER, CONTINUE);
    c.pass(30 * MS);
    let last = c.send(CLIENT, &[b'x'; 3000]);
    c.send(SERVER, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    c.pass(80 * MS);
    let answer = c.send(SERVER, OK);
    c.fin(SERVER);
    c.check(1, 0, &[]);
    assert_spans(&c.latency(measure::TTFB), last, answer);
}

#[test]
fn packets_without_data_do_not_move_the_clock() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    let request = c.send(CLIENT, GET);
    c.pass(MS);
    c.at(CLIENT, 0, ACK, b"");
    c.at(CLIENT, -1, ACK, b""); // a keep-alive probe, without its byte
    c.at(CLIENT, -1, ACK, b"\n"); // and with it
    let answer = c.send(SERVER, OK);
    c.pass(MS);
    c.at(SERVER, 0, ACK, b"");
    c.at(SERVER, -1, ACK, b"i");
    c.fin(SERVER);
    c.check(1, 0, &[]);
    assert_spans(&c.latency(measure::TOTAL), request, answer);
}

#[test]
fn a_syn_may_carry_the_request() {
    let programs = Programs::with_services();
    let mut c = Connection::new(&programs, 0, 40_000);
    let request = c.packet(CLIENT, SYN, GET);
    c.packet(SERVER, SYN | ACK, b"");
    let answer = c.send(SERVER, OK);
    c.turn(GET, OK);
    c.check(1, 1, &[]);
    assert_spans(&c.latency(measure::TTFB), request, answer);
}

#[test]
fn a_repeated_syn_with_data_is_a_repeated_request() {
    let programs = Programs::with_services();
    let mut c = Connection::new(&programs, 0, 40_000);
    c.at(CLIENT, 0, SYN, GET);
    c.packet(CLIENT, SYN, GET);
    c.packet(SERVER, SYN | ACK, b"");
    c.send(SERVER, OK);
    c.turn(GET, OK);
    c.check(0, 1, &[(Ambiguous::Retransmit, 1)]);
}

#[test]
fn a_connection_joined_late_is_picked_up_at_its_next_request() {
    let programs = Programs::with_services();
    let mut c = Connection::new(&programs, 0, 40_000);
    c.send(SERVER, b"the rest of an answer that began before us");
    c.send(CLIENT, b"the rest of a body that began before us");
    c.send(SERVER, OK);
    c.check(0, 0, &[]);
    let [request, answer] = c.turn(GET, OK);
    c.fin(SERVER);
    c.check(1, 0, &[]);
    assert_spans(&c.latency(measure::TOTAL), request, answer);
}

#[test]
fn sequence_numbers_wrap_in_the_middle_of_a_body() {
    let programs = Programs::with_services();
    let mut c = Connection::new(&programs, 0, 40_000);
    c.next = [u32::MAX - 1000, u32::MAX - 10];
    c.handshake();
    c.send(CLIENT, POST);
    c.send(CLIENT, &[b'x'; 3000]);
    c.send(SERVER, OK);
    c.turn(GET, OK);
    c.fin(SERVER);
    c.check(2, 0, &[]);
}
