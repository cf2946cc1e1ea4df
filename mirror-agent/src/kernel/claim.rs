//! One agent for each interface: a name that only a living process can hold, and that the kernel frees when it ends.
//!
//! The name is an abstract Unix address, which is of a network namespace as the interface is. A filter that nobody has a
//! claim on is a leftover.

use std::fmt;
use std::io::{Error, ErrorKind, Result};
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, socket, sockopt::PeerCredentials,
};

/// A claim on an interface; given back when dropped.
#[derive(Debug)]
pub struct Claim {
    _name: Option<UnixListener>,
}

/// Who has the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its process id and name, where this process can see it.
    process: Option<(i32, String)>,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.process {
            Some((id, name)) => write!(f, "{name} (process {id})"),
            None => write!(f, "an agent that cannot be seen from here (another process namespace)"),
        }
    }
}

/// What came of asking for a claim.
#[derive(Debug)]
pub enum Asked {
    /// It is ours.
    Ours(Claim),
    /// A living agent has it.
    Taken(Owner),
}

/// Claims the interface with this index for the calling process.
///
/// # Errors
///
/// When the kernel refuses for another reason than that the claim is taken.
pub fn ask(index: u32) -> Result<Asked> {
    let name = format!("mirror-agent/tap/{index}");
    for _ in 0..2 {
        match UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?) {
            Ok(listener) => return Ok(Asked::Ours(Claim { _name: Some(listener) })),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
        match holder(&name)? {
            Holder::Agent(owner) => return Ok(Asked::Taken(owner)),
            Holder::Stranger(user) => {
                // Anybody may hold an abstract name; only the mighty can have a tap.
                tracing::warn!(index, user, "the name of our claim is held by an unprivileged user; ignored");
                return Ok(Asked::Ours(Claim { _name: None }));
            }
            Holder::Gone => {} // between our two looks
        }
    }
    Err(ErrorKind::AddrInUse.into())
}

enum Holder {
    Agent(Owner),
    Stranger(u32),
    Gone,
}

fn holder(name: &str) -> Result<Holder> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    match connect(socket.as_raw_fd(), &UnixAddr::new_abstract(name.as_bytes())?) {
        Ok(()) => {}
        Err(nix::Error::ECONNREFUSED) => return Ok(Holder::Gone),
        Err(nix::Error::EAGAIN) => return Ok(Holder::Agent(Owner { process: None })), // asked too often
        Err(error) => return Err(Error::from(error)),
    }
    let peer = getsockopt(&socket, PeerCredentials)?;
    if peer.uid() != 0 && peer.uid() != nix::unistd::geteuid().as_raw() {
        return Ok(Holder::Stranger(peer.uid()));
    }
    Ok(Holder::Agent(Owner { process: (peer.pid() > 0).then(|| (peer.pid(), process_name(peer.pid()))) }))
}

fn process_name(id: i32) -> String {
    std::fs::read_to_string(format!("/proc/{id}/comm"))
        .map_or_else(|_| "another agent".into(), |name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An index that no interface has.
    fn free_index(n: u32) -> u32 {
        0x7fff_0000 + n * 0x10000 / 4 + std::process::id() % 0x4000
    }

    #[test]
    fn the_second_is_told_of_the_first_until_it_ends() {
        let index = free_index(0);
        let Asked::Ours(first) = ask(index).unwrap() else { panic!("nobody has it") };
        let Asked::Taken(owner) = ask(index).unwrap() else { panic!("it is taken") };
        let ours = process_name(std::process::id().cast_signed());
        assert_eq!(owner.to_string(), format!("{ours} (process {})", std::process::id()));
        let Asked::Ours(_other) = ask(free_index(1)).unwrap() else { panic!("another interface is free") };
        drop(first);
        assert!(matches!(ask(index).unwrap(), Asked::Ours(_)));
    }
}
