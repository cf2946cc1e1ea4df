//! How a connection ends, and what becomes of its turns and its entry.

use mirror_common::turn::Ambiguous::{EarlyResponse, LongRequest, Reordered, Reset};

use crate::connection::{CLIENT, Connection, GET, OK, POST, SERVER};
use crate::frame::{ACK, FIN, RST, SYN};
use crate::programs::Programs;

#[test]
fn fin_both_ways_takes_the_entry_out() {
    let programs = Programs::with_services();
    for (service, [first, second]) in [[CLIENT, SERVER], [SERVER, CLIENT]].into_iter().enumerate() {
        let mut c = Connection::open(&programs, service as u8);
        c.turn(GET, OK);
        c.fin(first);
        assert!(c.flow().is_some());
        c.fin(second);
        assert!(c.flow().is_none());
        c.packet(first, ACK, b"");
        c.at(second, -1, FIN | ACK, b"");
        c.at(second, 0, RST, b"");
        assert!(c.flow().is_none(), "what comes late is not worth an entry");
        c.check(1, 0, &[]);
    }
}

#[test]
fn an_answer_may_end_with_its_fin() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, b"HTTP/1.1 200 OK\r\n\r\nuntil the end");
    c.packet(SERVER, FIN | ACK, &[b'y'; 1000]);
    c.check(1, 0, &[]);
}

#[test]
fn a_client_may_finish_first_and_still_be_answered() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.packet(CLIENT, FIN | ACK, GET);
    c.check(0, 1, &[]);
    c.packet(SERVER, FIN | ACK, OK);
    c.check(1, 0, &[]);
    assert!(c.flow().is_none());
}

#[test]
fn a_fin_behind_bytes_that_were_never_seen_proves_nothing() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, OK);
    c.skip(SERVER, 100);
    c.fin(SERVER);
    c.check(0, 0, &[(Reordered, 1)]);
}

#[test]
fn a_reset_ends_every_turn_and_the_entry() {
    let programs = Programs::with_services();
    type Talk = fn(&mut Connection);
    let talks: [(Talk, u64, u64); 5] = [
        (|_| (), 0, 0),
        (|c| _ = c.send(CLIENT, GET), 0, 1),
        (|c| _ = c.turn(GET, OK), 0, 1),
        (|c| _ = (c.turn(GET, OK), c.send(CLIENT, GET)), 0, 2),
        (|c| _ = (c.turn(GET, OK), c.turn(GET, OK)), 1, 1),
    ];
    let cases = talks.into_iter().flat_map(|talk| [(talk, CLIENT), (talk, SERVER)]);
    for (service, ((talk, recorded, reset), from)) in cases.enumerate() {
        let mut c = Connection::open(&programs, service as u8);
        talk(&mut c);
        c.reset(from);
        assert!(c.flow().is_none());
        c.check(recorded, 0, &[(Reset, reset)]);
    }
}

#[test]
fn a_server_that_closes_without_an_answer() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, OK);
    c.send(CLIENT, GET);
    c.fin(SERVER);
    c.fin(CLIENT);
    c.check(1, 0, &[(Reset, 1)]);
}

/// The race of every keep-alive: the server closes while the next request is on its way.
#[test]
fn a_request_after_the_server_has_closed() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.turn(GET, OK);
    c.fin(SERVER);
    c.send(CLIENT, GET);
    c.check(1, 0, &[(Reset, 1)]);
    c.fin(CLIENT);
    assert!(c.flow().is_none());
    c.check(1, 0, &[(Reset, 1)]);
}

#[test]
fn a_body_that_goes_on_after_the_server_has_closed_is_no_new_turn() {
    let programs = Programs::with_services();
    let mut c = Connection::open(&programs, 0);
    c.send(CLIENT, POST);
    c.send(SERVER, b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n\r\n");
    c.send(CLIENT, &[b'x'; 1000]);
    c.fin(SERVER);
    c.send(CLIENT, &[b'x'; 1000]);
    c.fin(CLIENT);
    c.check(0, 0, &[(EarlyResponse, 1)]);
}

#[test]
fn a_syn_of_another_connection_replaces_the_entry() {
    let programs = Programs::with_services();
    for (service, talk) in [0, 1, 2].into_iter().enumerate() {
        let mut c = Connection::open(&programs, service as u8);
        (0..talk).for_each(|_| _ = c.turn(GET, OK));
        c.send(CLIENT, GET);
        let lost = 1 + u64::from(talk != 0);
        c.next = [77_000_000, 99];
        c.handshake();
        c.check(u64::from(talk == 2), 0, &[(Reset, lost)]);
        c.turn(GET, OK);
        c.fin(SERVER);
        c.check(u64::from(talk == 2) + 1, 0, &[(Reset, lost)]);
    }
}

#[test]
fn a_syn_sent_again_changes_nothing() {
    let programs = Programs::with_services();
    let mut c = Connection::new(&programs, 0, 40_000);
    c.at(CLIENT, 0, SYN, b"");
    c.handshake();
    let before = c.flow();
    c.at(CLIENT, -1, SYN, b"");
    let times = |flow: Option<mirror_common::flow::Flow>| {
        flow.map(|flow| mirror_common::flow::Flow { last_seen: 0, ..flow })
    };
    assert_eq!(times(c.flow()), times(before));
    c.turn(GET, OK);
    c.fin(SERVER);
    c.check(1, 0, &[]);
}

/// Longer than one page, which is what a test run takes: so over a real socket.
#[test]
fn a_request_too_long_to_be_searched() {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    let mut programs = Programs::load();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    programs.know(address, 0, 0, mirror_common::flow::role::PRIMARY);
    let _taps = programs.tap("lo");
    let mut client = TcpStream::connect(address).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let mut exchange = |length: usize| {
        let request = format!("GET /{} HTTP/1.0\r\n\r\n", "x".repeat(length));
        client.write_all(request.as_bytes()).unwrap();
        server.read_exact(&mut vec![0; request.len()]).unwrap();
        server.write_all(OK).unwrap();
        client.read_exact(&mut vec![0; OK.len()]).unwrap();
    };
    [4000, 5000, 4000].into_iter().for_each(&mut exchange);
    let c = Connection::between(&programs, 0, client.local_addr().unwrap(), address);
    c.check(1, 1, &[(LongRequest, 1)]);
}
