//! The packets: a flood of datagrams, and requests over one connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Instant;

use mirror_tests::world::{Host, World};

/// Datagrams of one flood.
const DATAGRAMS: usize = 100_000;
/// Requests of one talk.
const REQUESTS: usize = 8_000;

const REQUEST: &[u8] = b"GET /users/7 HTTP/1.1\r\nHost: v1\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";

/// A socket of the client towards one of the node's, which takes what comes and never reads it.
pub struct Flood {
    sender: UdpSocket,
    receiver: UdpSocket,
}

impl Flood {
    pub fn new(world: &World) -> Self {
        let receiver = UdpSocket::bind((Host::Node.ipv4(), 0)).unwrap();
        let target = receiver.local_addr().unwrap();
        let sender = world.enter(Host::Client, || {
            let sender = UdpSocket::bind((Host::Client.ipv4(), 0)).unwrap();
            sender.connect(target).unwrap();
            sender
        });
        Flood { sender: sender.unwrap(), receiver }
    }

    /// Where the datagrams go.
    pub fn target(&self) -> SocketAddr {
        self.receiver.local_addr().unwrap()
    }

    /// Sends a flood; returns packets a second. What is sent has been received when `send` returns: both ends are on
    /// this processor.
    pub fn run(&self) -> f64 {
        let start = Instant::now();
        for _ in 0..DATAGRAMS {
            let _ = self.sender.send(&[0x78; 64]);
        }
        DATAGRAMS as f64 / start.elapsed().as_secs_f64()
    }
}

/// A server on the node and a client that asks it, one request after the other.
pub struct Talk {
    client: TcpStream,
    server: TcpStream,
    address: SocketAddr,
}

impl Talk {
    pub fn new(world: &World) -> Self {
        let listener = TcpListener::bind((Host::Node.ipv4(), 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let client = world.enter(Host::Client, || TcpStream::connect(address).unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        Talk { client, server, address }
    }

    /// The server.
    pub fn target(&self) -> SocketAddr {
        self.address
    }

    pub fn run(&mut self) {
        for _ in 0..REQUESTS {
            self.client.write_all(REQUEST).unwrap();
            self.server.read_exact(&mut [0; REQUEST.len()]).unwrap();
            self.server.write_all(ANSWER).unwrap();
            self.client.read_exact(&mut [0; ANSWER.len()]).unwrap();
        }
    }
}
