//! A user whose connection the test holds in its hand: one request at a time, or several at once.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use mirror_tests::world::{Host, World};

const PATIENCE: Duration = Duration::from_secs(10);

/// A kept-alive connection from the client.
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Connects to a service.
    pub fn open(world: &World, to: SocketAddr) -> Connection {
        let stream =
            world.enter(Host::Client, || TcpStream::connect_timeout(&to, PATIENCE)).unwrap().unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Connection { stream, received: Vec::new() }
    }

    /// Connects from one of the client's addresses.
    pub fn open_from(world: &World, from: IpAddr, to: SocketAddr) -> Connection {
        let connect = || -> std::io::Result<TcpStream> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
            let stream = runtime.block_on(async {
                let socket = tokio::net::TcpSocket::new_v4()?;
                socket.bind((from, 0).into())?;
                socket.connect(to).await
            })?;
            let stream = stream.into_std()?;
            stream.set_nonblocking(false)?;
            Ok(stream)
        };
        let stream = world.enter(Host::Client, connect).unwrap().unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Connection { stream, received: Vec::new() }
    }

    /// The client's end.
    pub fn end(&self) -> SocketAddr {
        self.stream.local_addr().unwrap()
    }

    /// GETs one target and waits for the answer; gives its status.
    pub fn get(&mut self, target: &str) -> u16 {
        self.send(&[target]);
        self.receive()
    }

    /// Sends a GET for each target, all at once.
    pub fn send(&mut self, targets: &[&str]) {
        let requests: String =
            targets.iter().map(|target| format!("GET {target} HTTP/1.1\r\nhost: v1\r\n\r\n")).collect();
        self.stream.write_all(requests.as_bytes()).unwrap();
    }

    /// Reads one answer, which has a content-length, and gives its status.
    pub fn receive(&mut self) -> u16 {
        loop {
            if let Some((status, end)) = whole(&self.received) {
                self.received.drain(..end);
                return status;
            }
            let mut buffer = [0; 8192];
            let read = self.stream.read(&mut buffer).unwrap();
            assert!(read > 0, "the connection ended inside an answer");
            self.received.extend_from_slice(&buffer[..read]);
        }
    }
}

/// The status and the length of the first answer, once all of it is there.
fn whole(received: &[u8]) -> Option<(u16, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(received).unwrap() else { return None };
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length: usize = std::str::from_utf8(length.unwrap().value).unwrap().parse().unwrap();
    (received.len() >= head + length).then_some((response.code.unwrap(), head + length))
}
