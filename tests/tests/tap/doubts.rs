//! The turn clock where it is not certain: what is counted, by which reason, and what is recorded after it.

use mirror_common::turn::Ambiguous::{
    EarlyResponse, Http2, NotHttp, Pipelined, Reordered, Retransmit, SplitHead, Upgrade,
};
use mirror_common::turn::measure;

use crate::connection::{CLIENT, Connection, GET, OK, POST, SERVER};
use crate::frame::ACK;
use crate::programs::Programs;

const HALF_OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789";

#[test]
fn two_requests_in_one_segment() {
    let programs = Programs::with_services();
    for (service, fill) in [0, 1, 37, 38, 39, 63, 64, 126, 500, 1500].into_iter().enumerate() {
        let long = format!("GET /{} HTTP/1.1\r\nHost: v1\r\n\r\n", "x".repeat(fill));
        let mut c = Connection::open(&programs, service as u8);
        c.send(CLIENT, [long.as_bytes(), GET].concat().as_slice());
        c.check(0, 0, &[(Pipelined, 2)]);
        c.send(SERVER, &[OK, OK].concat());
        c.turn(GET, OK);
        c.fin(SERVER);
        c.check(0, 0, &[(Pipelined, 3)]);
    }
}

/// Requests are as short as a person types them.
#[test]
fn two_short_requests_in_one_segment() {
    let programs = Programs::with_services();
    let requests = ["GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\n\n", "GET /a HTTP/1.1\r\nHost: v1\r\n\r\n"];
    for (service, request) in requests.into_iter().enumerate() {
        let mut c = Connection::open(&programs, service as u8);
        c.send(CLIENT, request.repeat(2).as_bytes());
        c.check(0, 0, &[(Pipelined, 2)]);
    }
}

/// Wherever the first one ends, and whatever its length is a multiple of.
#[test]
fn two_requests_in_one_segment_of_every_length() {
    let programs = Programs::with_services();
    for length in 0..200 {
        let long = format!("GET /{} HTTP/1.1\r\nHost: v1\r\n\r\nGET / HTTP/1.0\r\n\r\n", "x".repeat(length));
        let c = Connection::new(&programs, 0, 1000 + length as u16);
        c.at(CLIENT, 0, ACK, long.as_bytes());
        c.check(0, 0, &[(Pipelined, 2 * (length as u64 + 1))]);
    }
}

/// A header line that is folded (obsolete: RFC 9112, section 5.2), and bytes that are none of ASCII.
#[test]
fn what_stands_behind_a_line_feed_is_looked_at_exactly() {
    let programs = Programs::with_services();
    for byte in (0..=255u8).filter(|byte| !b"\r\n".contains(byte)) {
        let mut c = Connection::new(&programs, 0, 1000 + u16::from(byte));
        let head = [&GET[..GET.len() - 2], &[byte; 5], b"\n", &[byte; 80], b"\r\n\r\n"].concat();
        c.turn(&head, OK);
        c.fin(SERVER);
    }
    Connection::new(&programs, 0, 1).check(254, 0, &[]);
}

/// One alone never looks like two.
#[test]
fn one_request_of_every_length_is_one() {
    let programs = Programs::with_services();
    for length in 0..200 {
        let long = format!("GET /{} HTTP/1.0\r\n\r\n", "x".repeat(length));
        let mut c = Connection::new(&programs, 0, 1000 + length as u16);
        c.turn(long.as_bytes(), OK);
        c.fin(SERVER);
        c.check(length as u64 + 1, 0, &[]);
    }
}

#[test]
fn a_second_request_before_any_answer() {
    let programs = Programs::with_services();
    for (service, (first, second)) in [(GET, GET), (POST, GET), (GET, POST)].into_iter().enumerate() {
        let mut c = Connection::open(&programs, service as u8);
        c.turn(GET, OK);
        c.send(CLIENT, first);
        c.send(CLIENT, second);
        c.check(0, 0, &[(Pipelined, 3)]); // the one that waited is not certain either
        c.send(SERVER, OK);
        c.send(SERVER, OK);
        c.fin(SERVER);
        c.check(0, 0, &[(Pipelined, 3)]);
    }
}

/// The client asks again while the first answer is still on its way.
#[test]
fn a_second_request_in_the_middle_of_an_answer() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, HALF_OK);
    c.send(CLIENT, GET);
    c.send(SERVER, &[b'z'; 90]);
    c.check(0, 0, &[(Pipelined, 2)]);
    c.send(SERVER, OK);
    c.fin(SERVER);
    c.check(0, 0, &[(Pipelined, 2)]);
}

/// As above, and what is left of the answer is shorter than a status line.
#[test]
fn a_second_request_before_the_last_bytes_of_an_answer() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, HALF_OK);
    c.send(CLIENT, GET);
    c.send(SERVER, &[b'z'; 15]);
    c.send(SERVER, OK);
    c.fin(SERVER);
    c.check(0, 0, &[(SplitHead, 1), (Pipelined, 1)]);
}

#[test]
fn two_answers_to_one_request() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, OK);
    c.send(SERVER, OK);
    c.check(0, 0, &[(Pipelined, 1)]);
}

#[test]
fn http2_and_other_protocols_count_once() {
    let programs = Programs::with_services();
    let hello = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[7; 500]].concat();
    let openings: [(&[u8], _); 4] = [
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", Http2),
        (&hello, NotHttp),
        (b"*1\r\n$4\r\nPING\r\n", NotHttp),
        (b"GETTING STARTED WITH SOMETHING ELSE", NotHttp),
    ];
    for (service, (opening, why)) in openings.into_iter().enumerate() {
        let mut c = Connection::open(&programs, service as u8);
        for _ in 0..3 {
            c.turn(opening, &[9; 100]);
        }
        c.check(0, 0, &[(why, 1)]);
        c.fin(SERVER);
        c.fin(CLIENT);
        c.check(0, 0, &[(why, 1)]);
    }
}

#[test]
fn an_upgrade_ends_the_clock() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, OK);
    c.turn(GET, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
    c.turn(b"\x81\x85some frames of a socket", b"\x81\x05some frames of a socket");
    c.fin(SERVER);
    c.check(1, 0, &[(Upgrade, 1)]); // its status line proves the turn before it
}

/// Every one of these spoils its own turn and no other.
#[test]
fn bytes_sent_again_or_out_of_order() {
    let programs = Programs::with_services();
    type Spoil = fn(&mut Connection);
    let spoils: [(Spoil, _); 8] = [
        (
            |c| _ = (c.send(CLIENT, GET), c.at(CLIENT, -20, ACK, &GET[GET.len() - 20..]), c.send(SERVER, OK)),
            Retransmit,
        ),
        (|c| _ = (c.turn(GET, OK), c.at(SERVER, -(OK.len() as i32), ACK, OK)), Retransmit),
        (|c| _ = (c.turn(GET, OK), c.at(CLIENT, -(GET.len() as i32), ACK, GET)), Retransmit),
        (|c| _ = (c.turn(GET, OK), c.at(SERVER, -2, ACK, b"hitherto"), c.skip(SERVER, 6)), Retransmit),
        (|c| _ = (c.turn(POST, OK), c.skip(SERVER, 50), c.send(SERVER, &[b'y'; 50])), Reordered),
        (|c| _ = (c.send(CLIENT, GET), c.skip(SERVER, 50), c.send(SERVER, OK)), Reordered),
        (
            |c| {
                _ = (
                    c.send(CLIENT, POST),
                    c.skip(CLIENT, 50),
                    c.send(CLIENT, &[b'x'; 50]),
                    c.send(SERVER, OK),
                )
            },
            Reordered,
        ),
        (|c| _ = (c.skip(CLIENT, 50), c.turn(GET, OK)), Reordered),
    ];
    for (service, (spoil, why)) in spoils.into_iter().enumerate() {
        let mut c = Connection::open(&programs, service as u8);
        spoil(&mut c);
        c.turn(GET, OK);
        c.fin(SERVER);
        c.check(1, 0, &[(why, 1)]);
    }
}

#[test]
fn a_gap_before_a_request_spoils_what_may_be_its_neighbour_and_itself() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, OK);
    c.skip(CLIENT, 50);
    c.turn(GET, OK);
    c.turn(GET, OK);
    c.fin(SERVER);
    c.check(1, 0, &[(Reordered, 2)]);
}

#[test]
fn the_two_halves_of_a_head_swapped() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    let (one, two) = GET.split_at(30);
    c.at(CLIENT, 30, ACK, two);
    c.at(CLIENT, 0, ACK, one);
    c.skip(CLIENT, GET.len() as u32);
    c.send(SERVER, OK);
    c.check(0, 0, &[(Reordered, 1)]);
    c.turn(GET, OK);
    c.fin(SERVER);
    c.check(1, 0, &[(Reordered, 1)]);
}

#[test]
fn a_status_line_in_two_segments() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    let (one, two) = OK.split_at(15);
    c.turn(GET, one);
    c.send(SERVER, two);
    c.turn(GET, OK);
    c.fin(SERVER);
    c.check(1, 0, &[(SplitHead, 1)]);
}

#[test]
fn an_answer_before_the_request_has_ended() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.turn(POST, OK);
    c.send(CLIENT, &[b'x'; 3000]);
    c.turn(GET, OK);
    c.fin(SERVER);
    c.check(1, 0, &[(EarlyResponse, 1)]);
}

#[test]
fn a_doubtful_turn_adds_nothing_to_a_histogram() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, &OK[..15]);
    c.pass(3_000_000_000);
    c.fin(SERVER);
    c.check(0, 0, &[(SplitHead, 1)]);
    assert_eq!(c.latency(measure::TOTAL).sum_ns, 0);
}
