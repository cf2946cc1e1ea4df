//! A version that answers as it is told, in this process, and notes what it was asked and when.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use crate::script::ok;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The number of its connection, in the order of accepting.
    pub connection: usize,
    pub method: String,
    pub target: String,
    pub is_marked: bool,
    /// Whether bytes of the next request had come with it.
    pub is_crowded: bool,
    pub at: Instant,
}

/// A running version. Its threads end with the process.
pub struct Version {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Version {
    /// One that answers every request with 200 and its target.
    pub fn honest() -> Version {
        Version::start(ok)
    }

    /// One that answers what `answer` makes of the target.
    pub fn start(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Version {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<Asked>>>::default());
        let (answer, log) = (Arc::new(answer), asked.clone());
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let (answer, log) = (answer.clone(), log.clone());
                thread::spawn(move || serve(connection, stream.unwrap(), &*answer, &log));
            }
        });
        Version { address, asked }
    }

    /// What it was asked so far, in the order of coming.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The targets on each connection, in their order; connections sorted by these.
    pub fn conversations(&self) -> Vec<Vec<String>> {
        let asked = self.asked();
        let connections = asked.iter().map(|asked| asked.connection + 1).max().unwrap_or(0);
        let of = |connection| asked.iter().filter(move |asked| asked.connection == connection);
        let mut all: Vec<Vec<String>> =
            (0..connections).map(|n| of(n).map(|asked| asked.target.clone()).collect()).collect();
        all.sort();
        all
    }
}

fn serve(connection: usize, mut stream: TcpStream, answer: &dyn Fn(&str) -> String, log: &Mutex<Vec<Asked>>) {
    stream.set_nodelay(true).unwrap();
    let mut received = Vec::new();
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        let at = Instant::now();
        received.extend_from_slice(&buffer[..read]);
        while let Some((asked, end)) = parse(connection, at, &received) {
            received.drain(..end);
            let text = answer(&asked.target);
            log.lock().unwrap().push(Asked { is_crowded: !received.is_empty(), ..asked });
            if stream.write_all(text.as_bytes()).is_err() {
                return;
            }
        }
    }
}

fn parse(connection: usize, at: Instant, received: &[u8]) -> Option<(Asked, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(received).unwrap() else { return None };
    let find = |name: &str| request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    let body = find("content-length").map_or(0, |len| str::from_utf8(len.value).unwrap().parse().unwrap());
    let asked = Asked {
        connection,
        method: request.method.unwrap().into(),
        target: request.path.unwrap().into(),
        is_marked: find("x-mirror-shadow").is_some_and(|marker| marker.value == b"1"),
        is_crowded: false,
        at,
    };
    (received.len() >= head + body).then_some((asked, head + body))
}
