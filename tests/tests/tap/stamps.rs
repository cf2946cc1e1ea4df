//! Round trips of TCP: which pairs of segments are one, and which only look like it.

use std::net::{Ipv4Addr, SocketAddr};

use mirror_common::flow::{TCP, role};
use mirror_common::turn::round_trip::{HANDSHAKE, STAMP};

use crate::connection::{CLIENT, SERVER};
use crate::frame::{ACK, FIN, SYN, between, stamped};
use crate::programs::{IN, Moment, Programs, address_of};

/// A connection whose segments carry time stamps, each sent by hand.
struct Talk<'a> {
    programs: &'a Programs,
    service: u8,
    ends: [SocketAddr; 2],
    next: [u32; 2],
}

impl<'a> Talk<'a> {
    fn new(programs: &'a Programs, service: u8) -> Self {
        let client = (Ipv4Addr::new(10, 0, 0, 1), 40_000).into();
        Talk { programs, service, ends: [client, address_of(service)], next: [7, 1000] }
    }

    /// With a handshake, whose last segment carries the client's stamp `since`.
    fn open(programs: &'a Programs, service: u8, since: u32) -> Self {
        let mut talk = Self::new(programs, service);
        talk.send(CLIENT, SYN, [since, 0], b"");
        talk.send(SERVER, SYN | ACK, [500, since], b"");
        talk.send(CLIENT, ACK, [since, 500], b"");
        talk
    }

    fn send(&mut self, from: usize, flags: u8, stamps: [u32; 2], payload: &[u8]) -> Moment {
        let numbers = [self.next[from], if flags & ACK == 0 { 0 } else { self.next[1 - from] }];
        let taken = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.next[from] += taken;
        let [from, to] = [self.ends[from], self.ends[1 - from]];
        let transport = stamped([from.port(), to.port()], numbers, flags, stamps, payload);
        self.programs.run(&between(from, to, TCP, &transport), IN)
    }

    /// How many round trips there are: of the handshake to client and server, of stamps to client and server.
    fn count(&self) -> [u64; 4] {
        [(HANDSHAKE, CLIENT), (HANDSHAKE, SERVER), (STAMP, CLIENT), (STAMP, SERVER)]
            .map(|(kind, side)| self.programs.round_trips(self.service, 0, kind, side).slots.iter().sum())
    }
}

#[test]
fn each_half_of_a_handshake_is_one() {
    let programs = Programs::with_services();
    let talk = Talk::open(&programs, 0, 100);
    assert_eq!(talk.count(), [1, 1, 0, 0]);
    let mut talk = Talk::new(&programs, 1);
    let syn = talk.send(CLIENT, SYN, [100, 0], b"");
    let answer = talk.send(SERVER, SYN | ACK, [500, 100], b"");
    let last = talk.send(CLIENT, ACK, [101, 500], b"");
    for (side, from, to) in [(SERVER, syn, answer), (CLIENT, answer, last)] {
        let trip = programs.round_trips(1, 0, HANDSHAKE, side);
        let bounds = to.0.saturating_sub(from.1).saturating_sub(1000)..=to.1 - from.0 + 1000;
        assert!(bounds.contains(&trip.sum), "{} is not in {bounds:?}", trip.sum);
    }
}

/// Karn's algorithm: nobody knows which one was answered.
#[test]
fn a_handshake_with_a_segment_sent_twice_is_none() {
    let programs = Programs::with_services();
    let mut talk = Talk::new(&programs, 0);
    talk.send(CLIENT, SYN, [100, 0], b"");
    talk.next[CLIENT] -= 1;
    talk.send(CLIENT, SYN, [101, 0], b"");
    talk.send(SERVER, SYN | ACK, [500, 101], b"");
    talk.send(CLIENT, ACK, [102, 500], b"");
    assert_eq!(talk.count(), [1, 0, 0, 0], "the answer to it is one all the same");

    let mut talk = Talk::new(&programs, 1);
    talk.send(CLIENT, SYN, [100, 0], b"");
    talk.send(SERVER, SYN | ACK, [500, 100], b"");
    talk.next[SERVER] -= 1;
    talk.send(SERVER, SYN | ACK, [501, 100], b"");
    talk.send(CLIENT, ACK, [102, 501], b"");
    assert_eq!(talk.count(), [0, 1, 0, 0]);
}

/// A client that waits for its application to speak, or that ends at once.
#[test]
fn what_is_not_a_bare_acknowledgement_ends_no_handshake() {
    let programs = Programs::with_services();
    let ends: [(u8, &[u8]); 3] = [(ACK, b"GET / HTTP/1.0\r\n\r\n"), (FIN | ACK, b""), (0, b"")];
    for (service, (flags, payload)) in ends.into_iter().enumerate() {
        let mut talk = Talk::new(&programs, service as u8);
        talk.send(CLIENT, SYN, [100, 0], b"");
        talk.send(SERVER, SYN | ACK, [500, 100], b"");
        talk.send(CLIENT, flags, [101, 500], payload);
        talk.send(CLIENT, ACK, [102, 500], b"");
        assert_eq!(talk.count(), [0, 1, 0, 0]);
    }
}

/// Stamps start anywhere, and wrap. The handshake leaves nothing behind that would stand in the way.
#[test]
fn the_first_bare_echo_of_a_stamp_is_one() {
    let programs = Programs::with_services();
    let starts = [100, 0x7fff_ffff, 0x8000_0000, 0x9000_0000, u32::MAX - 2, u32::MAX];
    for (service, since) in starts.into_iter().enumerate() {
        let mut talk = Talk::open(&programs, service as u8, since);
        let stamp = since.wrapping_add(2);
        talk.send(CLIENT, ACK, [stamp, 500], b"some data of the client");
        talk.send(SERVER, ACK, [502, stamp], b"");
        assert_eq!(talk.count(), [1, 1, 0, 1], "stamps from {since:#x} on");
        talk.send(SERVER, ACK, [503, stamp], b"");
        assert_eq!(talk.count(), [1, 1, 0, 1], "the second echo is none");
        talk.send(SERVER, ACK, [504, stamp], b"some data of the server");
        talk.send(CLIENT, ACK, [stamp.wrapping_add(1), 504], b"");
        assert_eq!(talk.count(), [1, 1, 1, 1]);
    }
}

/// The application's time would be in it.
#[test]
fn an_echo_with_data_is_none() {
    let programs = Programs::with_services();
    let mut talk = Talk::open(&programs, 0, 100);
    talk.send(CLIENT, ACK, [200, 500], b"one");
    talk.send(SERVER, ACK, [600, 200], b"");
    let before = talk.count();
    talk.send(CLIENT, ACK, [300, 600], b"two");
    talk.send(SERVER, ACK, [700, 300], b"an answer");
    talk.send(SERVER, ACK, [701, 300], b"");
    assert_eq!(talk.count(), before);
}

/// What was sent before, or echoed before, says nothing of now.
#[test]
fn late_and_repeated_echoes_never_shorten_a_round_trip() {
    let programs = Programs::with_services();
    let mut talk = Talk::open(&programs, 0, 100);
    talk.send(CLIENT, ACK, [200, 500], b"one");
    talk.send(SERVER, ACK, [600, 200], b"");
    let before = talk.count();
    talk.send(CLIENT, ACK, [300, 600], b"two");
    talk.send(SERVER, ACK, [599, 200], b""); // an old one, out of order
    assert_eq!(talk.count(), before);
    talk.send(SERVER, ACK, [601, 300], b"");
    assert_eq!(talk.count()[3], before[3] + 1);
    // The same stamp again, and an older one: their echoes may be of the first.
    talk.send(CLIENT, ACK, [300, 601], b"three");
    talk.send(SERVER, ACK, [602, 300], b"");
    talk.send(CLIENT, ACK, [299, 601], b"four");
    talk.send(SERVER, ACK, [603, 299], b"");
    assert_eq!(talk.count()[3], before[3] + 1);
    // A stamp that a bare acknowledgement has carried already.
    talk.send(CLIENT, ACK, [400, 603], b"");
    talk.send(CLIENT, ACK, [400, 603], b"five");
    talk.send(SERVER, ACK, [604, 400], b"");
    assert_eq!(talk.count()[3], before[3] + 1);
    // An echo that has passed the awaited one by.
    talk.send(CLIENT, ACK, [500, 604], b"six");
    talk.send(CLIENT, ACK, [501, 604], b"seven");
    talk.send(SERVER, ACK, [605, 501], b"");
    assert_eq!(talk.count()[3], before[3] + 1);
}

#[test]
fn what_is_only_timed_has_round_trips_too() {
    let mut programs = Programs::load();
    programs.know(address_of(0), 0, 2, role::OBSERVED);
    Talk::open(&programs, 0, 100);
    assert_eq!(programs.round_trips(0, 2, HANDSHAKE, SERVER).slots.iter().sum::<u64>(), 1);
}

/// After a SYN-ACK that came twice, what the server sends before it is answered starts no handshake.
#[test]
fn data_before_the_handshake_has_ended_is_no_part_of_it() {
    let programs = Programs::with_services();
    let mut talk = Talk::new(&programs, 0);
    talk.send(CLIENT, SYN, [100, 0], b"");
    talk.send(SERVER, SYN | ACK, [500, 100], b"");
    talk.next[SERVER] -= 1;
    talk.send(SERVER, SYN | ACK, [501, 100], b"");
    talk.send(SERVER, ACK, [502, 100], b"220 ready");
    talk.send(SERVER, ACK, [503, 100], b"to serve");
    talk.send(CLIENT, ACK, [103, 503], b"");
    assert_eq!(talk.count(), [0, 1, 0, 0]);
}
