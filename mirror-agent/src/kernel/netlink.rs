//! Lists of network objects, asked of the kernel over route netlink (RFC 3549) in the calling thread's namespace.

use std::io::{Error, ErrorKind, IoSliceMut, Result};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recvmsg, send, socket,
};

/// Length of a message's header, `struct nlmsghdr`.
const HEADER: usize = 16;
/// Length of an attribute's header, `struct rtattr`.
const ATTRIBUTE: usize = 4;
/// The kernel fills a datagram of a list with at most 32 KiB.
const ROOM: usize = 64 * 1024;

/// A socket for questions.
pub struct Netlink {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl Netlink {
    /// Opens a socket.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn open() -> Result<Self> {
        Ok(Netlink { socket: route_socket(SockFlag::SOCK_CLOEXEC, 0)?, buffer: vec![0; ROOM] })
    }

    /// Asks for a list by message type and body (`struct ifinfomsg`, `struct tcmsg`), and calls `each` with the body of
    /// every answer.
    ///
    /// # Errors
    ///
    /// What the kernel answers instead of a list.
    pub fn list(&mut self, kind: u16, body: &[u8], mut each: impl FnMut(&[u8])) -> Result<()> {
        send(self.socket.as_raw_fd(), &question(kind, body), MsgFlags::empty())?;
        loop {
            let length = self.receive()?;
            for (kind, body) in Messages(self.buffer.get(..length).unwrap_or_default()) {
                match i32::from(kind) {
                    libc::NLMSG_DONE => return Ok(()),
                    libc::NLMSG_ERROR => return Err(refusal(body)),
                    _ => each(body),
                }
            }
        }
    }

    fn receive(&mut self) -> Result<usize> {
        let mut room = [IoSliceMut::new(&mut self.buffer)];
        let received = recvmsg::<()>(self.socket.as_raw_fd(), &mut room, None, MsgFlags::empty())?;
        if received.flags.contains(MsgFlags::MSG_TRUNC) || received.bytes == 0 {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(received.bytes)
    }
}

/// A route netlink socket that hears these groups (`RTMGRP_*`).
pub(super) fn route_socket(flags: SockFlag, groups: u32) -> Result<OwnedFd> {
    let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
    Ok(socket)
}

fn question(kind: u16, body: &[u8]) -> Vec<u8> {
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
    let mut message = Vec::with_capacity(HEADER + body.len());
    message.extend(((HEADER + body.len()) as u32).to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([0; 8]); // sequence and port: one question at a time
    message.extend(body);
    message
}

fn refusal(body: &[u8]) -> Error {
    let code = number(body, 0).unwrap_or(0).cast_signed();
    Error::from_raw_os_error(-code)
}

/// The messages of a datagram, as type and body; what is cut ends it.
pub(super) struct Messages<'a>(pub &'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = number(self.0, 0)? as usize;
        let kind = u16::from_ne_bytes(*self.0.get(4..)?.first_chunk()?);
        let body = self.0.get(HEADER..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, body))
    }
}

/// The attributes of a message, as type and value; what is cut ends it.
pub(super) struct Attributes<'a>(pub &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        const NESTED: u16 = 1 << 15;
        let length = usize::from(u16::from_ne_bytes(*self.0.first_chunk()?));
        let kind = u16::from_ne_bytes(*self.0.get(2..)?.first_chunk()?);
        let value = self.0.get(ATTRIBUTE..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind & !NESTED, value))
    }
}

/// The 32-bit number at an offset, in this machine's order.
pub(super) fn number(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?))
}

/// A text that ends at its zero byte.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_of_a_message_is_read_without_a_panic() {
        let mut body = vec![9, 0, 3, 0];
        body.extend(b"eth0\0");
        body.extend([0; 3]);
        body.extend([8, 0, 5, 128, 7, 0, 0, 0]);
        let message = question(16, &body);
        for cut in 0..=message.len() {
            let read: Vec<_> = Messages(&message[..cut]).collect();
            assert_eq!(read.len(), usize::from(cut == message.len()));
        }
        for cut in 0..=body.len() {
            let whole = usize::from(cut >= 9) + usize::from(cut >= 20);
            assert_eq!(Attributes(&body[..cut]).count(), whole, "{cut}");
        }
        let read: Vec<_> = Attributes(&body).collect();
        assert_eq!((read[0].0, text(read[0].1)), (3, "eth0".into()));
        assert_eq!((read[1].0, number(read[1].1, 0)), (5, Some(7)));
    }

    #[test]
    fn lengths_that_lie_end_the_list() {
        for lie in [0u16, 3, 4, 5, u16::MAX] {
            let mut bytes = lie.to_ne_bytes().to_vec();
            bytes.extend([0; 6]);
            assert!(Attributes(&bytes).count() <= 2, "{lie}");
            assert_eq!(Messages(&bytes).count(), 0);
        }
    }
}
