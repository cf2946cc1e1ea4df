//! A version that is asked: where it is, and whether it was ever reached.

use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{OWN_MARK, PROBE_MARK};

/// A version. Shared by all lanes that ask it.
#[derive(Debug)]
pub struct Server {
    /// Its name in messages.
    pub name: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether a socket that cannot be marked must not be used, because a tap would take it for a user's.
    pub must_mark: bool,
    /// The mark of the sockets.
    pub mark: u32,
    was_reached: AtomicBool,
    /// Why the first connection failed.
    fault: OnceLock<String>,
}

impl Server {
    /// A version that nobody has connected to.
    pub fn new(name: &'static str, address: SocketAddr, must_mark: bool) -> Server {
        Server {
            name,
            address,
            must_mark,
            mark: OWN_MARK,
            was_reached: AtomicBool::new(false),
            fault: OnceLock::new(),
        }
    }

    /// A version that is probed: no tap times what is sent to it.
    pub fn probed(name: &'static str, address: SocketAddr) -> Server {
        Server { mark: PROBE_MARK, ..Server::new(name, address, true) }
    }

    /// It accepted a connection.
    pub fn reached(&self) {
        self.was_reached.store(true, Ordering::Relaxed);
    }

    /// A connection failed.
    pub fn not_reached(&self, why: impl Display) {
        self.fault.get_or_init(|| why.to_string());
    }

    /// Why no connection was ever made, in one line; `None` if one was, or none was tried.
    pub fn unreached(&self) -> Option<String> {
        let fault = self.fault.get().filter(|_| !self.was_reached.load(Ordering::Relaxed))?;
        Some(format!("cannot connect to {} at {}: {fault}", self.name, self.address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_unreached_until_one_connection_was_made() {
        let server = Server::new("v2", "10.0.0.5:80".parse().unwrap(), true);
        assert_eq!(server.unreached(), None);
        server.not_reached("refused");
        server.not_reached("later");
        assert_eq!(server.unreached().as_deref(), Some("cannot connect to v2 at 10.0.0.5:80: refused"));
        server.reached();
        assert_eq!(server.unreached(), None);
    }
}
