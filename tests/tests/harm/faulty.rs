//! A v2 that accepts connections and then misbehaves.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use mirror_tests::service::PORT;
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};

/// How it misbehaves.
#[derive(Clone, Copy)]
pub enum Fault {
    /// Never answers.
    Silent,
    /// Resets the connection when a request comes.
    Resets,
    /// Answers in another language.
    Nonsense,
}

/// It runs until dropped.
pub struct Faulty {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Faulty {
    /// Listens where v2 should.
    pub fn start(world: &World, fault: Fault) -> Faulty {
        let listener =
            world.enter(Host::V2, || TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT))).unwrap().unwrap();
        listener.set_nonblocking(true).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || serve(&listener, fault, &seen));
        Faulty { stop, thread: Some(thread) }
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: &TcpListener, fault: Fault, stop: &AtomicBool) {
    let mut held = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let accept = || Ok(listener.accept().ok());
        if let Ok((stream, _)) = until("a connection", Duration::from_millis(50), accept) {
            held.extend(misbehave(stream, fault));
        }
    }
}

/// Returns the connection if it is to stay open.
fn misbehave(mut stream: TcpStream, fault: Fault) -> Option<TcpStream> {
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    let mut request = [0; 4096];
    match fault {
        Fault::Silent => Some(stream),
        // To close a connection with bytes that nobody read is to reset it.
        Fault::Resets => stream.peek(&mut request).ok().and(None),
        Fault::Nonsense => {
            let _ = stream.read(&mut request).ok()?;
            stream.write_all(b"220 mail.example ESMTP ready\r\n").ok()?;
            Some(stream)
        }
    }
}
