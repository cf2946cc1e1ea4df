//! The same programs on packets made here, one right after the other: what they cost while everything they touch is in
//! the processor's caches.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};

use aya::programs::loaded_programs;
use libbpf_sys::{bpf_prog_test_run_opts, bpf_test_run_opts};

/// Runs of one packet.
const REPEAT: i32 = 100_000;
/// Requests of one talk.
const REQUESTS: u32 = 10_000;

const UDP: u8 = 17;
const TCP: u8 = 6;
const ACK: u8 = 16;
const SYN: u8 = 2;

const REQUEST: &[u8] = b"GET /users/7 HTTP/1.1\r\nHost: v1\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
const CLIENT: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 0, 0, 1), 40_000);

/// A loaded program.
pub struct Program(OwnedFd);

impl Program {
    /// The newest of this name.
    pub fn named(name: &str) -> Self {
        let ours = loaded_programs().flatten().filter(|program| program.name_as_str() == Some(name));
        let newest = ours.max_by_key(aya::programs::ProgramInfo::id).unwrap();
        Program(newest.fd().unwrap().as_fd().try_clone_to_owned().unwrap())
    }

    /// Runs it on one datagram to `to`, again and again.
    pub fn datagrams(&self, to: SocketAddr) {
        self.run(&frame(CLIENT, v4(to), UDP, &[&[0, 72, 0, 0][..], &[0x78; 64]].concat()), REPEAT);
    }

    /// Runs it on an acknowledgement of a connection to `to`, again and again.
    pub fn acknowledgements(&self, to: SocketAddr) {
        self.run(&segment(CLIENT, v4(to), 0, SYN, b""), 1);
        self.run(&segment(CLIENT, v4(to), 1, ACK, b""), REPEAT);
    }

    /// Runs it on one segment of a connection to `to`, again and again: the clock looks at it, and finds it old.
    pub fn segments(&self, to: SocketAddr) {
        self.run(&segment(CLIENT, v4(to), 0, SYN, b""), 1);
        self.run(&segment(CLIENT, v4(to), 1, ACK, REQUEST), REPEAT);
    }

    /// Runs it on requests and answers of a connection to `to`.
    pub fn talk(&self, to: SocketAddr) {
        let (mut asked, mut answered) = (1, 1);
        self.run(&segment(CLIENT, v4(to), 0, SYN, b""), 1);
        for _ in 0..REQUESTS {
            self.run(&segment(CLIENT, v4(to), asked, ACK, REQUEST), 1);
            self.run(&segment(v4(to), CLIENT, answered, ACK, ANSWER), 1);
            asked += REQUEST.len() as u32;
            answered += ANSWER.len() as u32;
        }
    }

    fn run(&self, frame: &[u8], repeat: i32) {
        let mut options = bpf_test_run_opts {
            sz: size_of::<bpf_test_run_opts>() as _,
            data_in: frame.as_ptr().cast(),
            data_size_in: frame.len() as _,
            repeat,
            ..bpf_test_run_opts::default()
        };
        // SAFETY: the packet and the options live through the call, and say their lengths.
        let result = unsafe { bpf_prog_test_run_opts(self.0.as_raw_fd(), &raw mut options) };
        assert_eq!(result, 0, "run a program on a packet");
    }
}

fn v4(address: SocketAddr) -> (Ipv4Addr, u16) {
    match address.ip() {
        IpAddr::V4(ip) => (ip, address.port()),
        IpAddr::V6(_) => panic!("the worlds of the benchmark are IPv4"),
    }
}

fn segment(from: (Ipv4Addr, u16), to: (Ipv4Addr, u16), sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let rest = [0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0];
    frame(from, to, TCP, &[&sequence.to_be_bytes(), &rest[..], payload].concat())
}

/// An Ethernet frame with IPv4; `rest` is what follows the ports.
fn frame(from: (Ipv4Addr, u16), to: (Ipv4Addr, u16), protocol: u8, rest: &[u8]) -> Vec<u8> {
    let total = (20 + 4 + rest.len()) as u16;
    [
        &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0][..],
        &total.to_be_bytes(),
        &[0, 0, 0x40, 0, 64, protocol, 0, 0],
        &from.0.octets(),
        &to.0.octets(),
        &from.1.to_be_bytes(),
        &to.1.to_be_bytes(),
        rest,
    ]
    .concat()
}
