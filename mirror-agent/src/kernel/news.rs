//! What the kernel says by itself: an interface came, went or changed, or somebody changed a filter.

use std::io::{Error, IoSliceMut, Result};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, SockFlag, recvmsg, setsockopt, sockopt};

use super::netlink::{Messages, route_socket};

/// Room of the socket for what has not been read yet, in bytes. When it is full the kernel drops and says so.
pub const ROOM: usize = 1 << 20;
/// Datagrams that are read at one go; what is left wakes us again.
const AT_ONCE: usize = 4096;

/// A socket that hears of interfaces and filters in the namespace where it was opened.
pub struct News {
    socket: OwnedFd,
}

/// What was heard since the last time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// An interface came, went or changed.
    pub links: bool,
    /// Somebody changed a filter or a queueing discipline.
    pub filters: bool,
    /// The kernel had more to say than there was room for: all of the above may be.
    pub overrun: bool,
}

impl News {
    /// Listens from now on, with so much room.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn open(room: usize) -> Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = route_socket(flags, (libc::RTMGRP_LINK | libc::RTMGRP_TC).cast_unsigned())?;
        setsockopt(&socket, sockopt::RcvBuf, &room)?;
        Ok(News { socket })
    }

    /// Waits for news, for `at_most`; `None` when the other end of `stop` is closed.
    ///
    /// # Errors
    ///
    /// When the socket fails.
    pub fn wait(&self, stop: BorrowedFd<'_>, at_most: Duration) -> Result<Option<Heard>> {
        let mut both =
            [PollFd::new(stop, PollFlags::POLLIN), PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        await_any(&mut both, at_most)?;
        let [stop, socket] = both;
        match (has_happened(&stop), has_happened(&socket)) {
            (true, _) => Ok(None),
            (false, true) => self.drain().map(Some),
            (false, false) => Ok(Some(Heard::default())),
        }
    }

    fn drain(&self) -> Result<Heard> {
        let mut heard = Heard::default();
        let mut buffer = [0; 32 * 1024];
        for _ in 0..AT_ONCE {
            let mut room = [IoSliceMut::new(&mut buffer)];
            let length = match recvmsg::<()>(self.socket.as_raw_fd(), &mut room, None, MsgFlags::empty()) {
                Ok(received) => received.bytes,
                Err(Errno::EAGAIN) => break,
                Err(Errno::EINTR) => continue,
                Err(Errno::ENOBUFS) => {
                    heard = Heard { links: true, filters: true, overrun: true };
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            // Of a message that was cut the type still stands, and no more is asked.
            for (kind, _) in Messages(buffer.get(..length).unwrap_or_default()) {
                match kind {
                    libc::RTM_NEWLINK | libc::RTM_DELLINK => heard.links = true,
                    _ => heard.filters = true,
                }
            }
        }
        Ok(heard)
    }
}

/// Waits until the other end of `stop` is closed, for `at_most`; says whether it is.
///
/// # Errors
///
/// When the kernel refuses to wait.
pub fn is_over(stop: BorrowedFd<'_>, at_most: Duration) -> Result<bool> {
    let mut one = [PollFd::new(stop, PollFlags::POLLIN)];
    await_any(&mut one, at_most)?;
    Ok(has_happened(&one[0]))
}

fn await_any(of: &mut [PollFd<'_>], at_most: Duration) -> Result<()> {
    let timeout = PollTimeout::try_from(at_most.as_millis().min(60_000) as i32).unwrap_or(PollTimeout::ZERO);
    match poll(of, timeout) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(Error::from(error)),
    }
}

fn has_happened(one: &PollFd<'_>) -> bool {
    one.revents().is_some_and(|events| !events.is_empty())
}
