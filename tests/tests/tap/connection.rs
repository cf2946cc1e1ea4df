//! A TCP connection to a service, spoken packet by packet, and what the programs made of it.

use std::net::{Ipv4Addr, SocketAddr};

use mirror_agent::kernel::flows::to_address;
use mirror_agent::latency::Latency;
use mirror_common::count::side;
use mirror_common::flow::{Flow, FlowKey, TCP};
use mirror_common::histogram::slot;
use mirror_common::turn::{Ambiguous, measure};

use crate::frame::{ACK, FIN, RST, SYN, segment};
use crate::programs::{IN, Meta, Moment, OUT, Programs, address_of, open_turns};

pub const CLIENT: usize = side::CLIENT as usize;
pub const SERVER: usize = side::SERVER as usize;

pub const GET: &[u8] = b"GET /users/7 HTTP/1.1\r\nHost: v1\r\nUser-Agent: a client with a long name\r\n\r\n";
pub const POST: &[u8] = b"POST /echo HTTP/1.1\r\nHost: v1\r\nContent-Length: 3000\r\n\r\n";
pub const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
pub const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
pub const ERROR: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The kernel's clock for programs and the one for processes may differ by the drift of one tick.
const SLACK: u64 = 1000;

/// One connection. The client's packets come in and the server's go out.
pub struct Connection<'a> {
    programs: &'a Programs,
    pub service: u8,
    ends: [SocketAddr; 2],
    /// The next sequence number of each end.
    pub next: [u32; 2],
    pub meta: [Meta; 2],
    moved: u64,
}

impl<'a> Connection<'a> {
    /// Between a client's port and a service's primary. Nothing is sent yet.
    pub fn new(programs: &'a Programs, service: u8, port: u16) -> Self {
        let client = (Ipv4Addr::new(10, 0, 0, 1), port).into();
        Self::between(programs, service, client, address_of(service))
    }

    /// Between any two ends. The client's sequence numbers wrap soon.
    pub fn between(programs: &'a Programs, service: u8, client: SocketAddr, server: SocketAddr) -> Self {
        let ends = [client, server];
        Connection { programs, service, ends, next: [u32::MAX - 40, 1000], meta: [IN, OUT], moved: 0 }
    }

    /// After its handshake.
    pub fn open(programs: &'a Programs, service: u8) -> Self {
        let mut connection = Self::new(programs, service, 40_000);
        connection.handshake();
        connection
    }

    /// SYN, SYN-ACK, ACK.
    pub fn handshake(&mut self) {
        self.packet(CLIENT, SYN, b"");
        self.packet(SERVER, SYN | ACK, b"");
        self.packet(CLIENT, ACK, b"");
    }

    /// A segment in its order.
    pub fn send(&mut self, from: usize, payload: &[u8]) -> Moment {
        self.packet(from, ACK, payload)
    }

    /// A request in one segment and its whole answer in another: when they were.
    pub fn turn(&mut self, request: &[u8], response: &[u8]) -> [Moment; 2] {
        [self.send(CLIENT, request), self.send(SERVER, response)]
    }

    /// The end of one direction.
    pub fn fin(&mut self, from: usize) {
        self.packet(from, FIN | ACK, b"");
    }

    /// The end of both.
    pub fn reset(&mut self, from: usize) {
        self.packet(from, RST, b"");
    }

    /// A packet in its order.
    pub fn packet(&mut self, from: usize, flags: u8, payload: &[u8]) -> Moment {
        let moment = self.at(from, 0, flags, payload);
        let taken = payload.len() as u32 + u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0);
        self.next[from] = self.next[from].wrapping_add(taken);
        moment
    }

    /// A packet this far from its order, which stays as it is.
    pub fn at(&self, from: usize, offset: i32, flags: u8, payload: &[u8]) -> Moment {
        let sequence = self.next[from].wrapping_add_signed(offset);
        let frame = segment(self.ends[from], self.ends[1 - from], sequence, flags, payload);
        let Moment(before, after) = self.programs.run(&frame, self.meta[from]);
        Moment(before + self.moved, after + self.moved)
    }

    /// Lets time pass for this connection: what has happened on it is that much longer ago. The machine must be older.
    pub fn pass(&mut self, ns: u64) {
        let mut flow = self.flow().unwrap();
        let times = [
            &mut flow.request_first,
            &mut flow.request_last,
            &mut flow.response_first,
            &mut flow.response_last,
        ];
        times.into_iter().filter(|time| **time != 0).for_each(|time| *time -= ns);
        self.programs.set_flow(&self.key(), flow);
        self.moved += ns;
    }

    /// Bytes that were sent and never seen.
    pub fn skip(&mut self, from: usize, bytes: u32) {
        self.next[from] = self.next[from].wrapping_add(bytes);
    }

    pub fn key(&self) -> FlowKey {
        let [client, server] = self.ends.map(|end| (to_address(end.ip()), end.port().to_be()));
        FlowKey::new(&client.0, client.1, &server.0, server.1, TCP)
    }

    /// Its entry in the flow table.
    pub fn flow(&self) -> Option<Flow> {
        self.programs.flow(&self.key())
    }

    /// Its service has exactly these turns, and this connection the open ones.
    #[track_caller]
    pub fn check(&self, recorded: u64, open: u64, ambiguous: &[(Ambiguous, u64)]) {
        let count = self.programs.counts.turns(self.service, 0).unwrap();
        let mut expect = [0; 16];
        ambiguous.iter().for_each(|(why, turns)| expect[*why as usize] = *turns);
        let found = (count.recorded, self.flow().map_or(0, |flow| open_turns(&flow)), count.ambiguous);
        assert_eq!(found, (recorded, open, expect));
        assert_eq!(count.started, recorded + open + expect.iter().sum::<u64>());
        assert_eq!(self.latency(measure::TTFB).count(), recorded);
        assert_eq!(self.latency(measure::TOTAL).count(), recorded);
    }

    /// A measure of its service, of every outcome.
    pub fn latency(&self, measure: u8) -> Latency {
        let mut all = Latency::default();
        (0..3).for_each(|outcome| all.merge(&self.series(measure, outcome)));
        all
    }

    /// One series of its service.
    pub fn series(&self, measure: u8, outcome: u8) -> Latency {
        self.programs.histograms.read(self.service, 0, measure, outcome)
    }
}

/// The series holds one value, in its own slot, and it is the time from one moment to the other.
#[track_caller]
pub fn assert_spans(series: &Latency, from: Moment, to: Moment) {
    let bounds = to.0.saturating_sub(from.1).saturating_sub(SLACK)..=to.1 - from.0 + SLACK;
    assert!(bounds.contains(&series.sum_ns), "{} is not in {bounds:?}", series.sum_ns);
    let mut expect = Latency { sum_ns: series.sum_ns, ..Latency::default() };
    expect.slots[slot(series.sum_ns) as usize] = 1;
    assert_eq!(*series, expect);
}
