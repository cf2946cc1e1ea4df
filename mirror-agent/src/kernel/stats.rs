//! Switches the kernel's statistics of programs on and off. Only `CAP_SYS_ADMIN` may, which the agent gives away before it
//! reads a byte from the wire: so a child keeps that one right, and can do this one thing.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use aya::sys::{Stats, enable_stats};
use caps::{CapSet, Capability, CapsHashSet};
use nix::cmsg_space;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recv, recvmsg, send,
    sendmsg, setsockopt, socketpair, sockopt,
};
use nix::sys::time::TimeVal;
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, getpid, getppid};

/// How long the child may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// The child that may. It ends when this is dropped, or its parent dies.
pub struct Switch {
    socket: Option<OwnedFd>,
    child: Pid,
}

impl Switch {
    /// Starts the child. Call it while the process has one thread and holds nothing of the kernel's that must go when it
    /// dies: the child has a copy of every descriptor.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a process.
    pub fn start() -> Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let (ours, its) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)
            .context("make a pair of sockets")?;
        setsockopt(&ours, sockopt::ReceiveTimeout, &TimeVal::new(PATIENCE.as_secs().cast_signed(), 0))
            .context("set a limit of time")?;
        let parent = getpid();
        // SAFETY: the caller's process has one thread, so no lock is held by another.
        match unsafe { fork() }.context("start the process that switches statistics on")? {
            ForkResult::Parent { child } => Ok(Switch { socket: Some(ours), child }),
            ForkResult::Child => {
                drop(ours);
                let orphan = prctl::set_pdeathsig(Signal::SIGKILL).is_err() || getppid() != parent;
                if !orphan && keep_one_right().is_ok() {
                    serve(&its);
                }
                // SAFETY: ends the child at once; what the parent registered to be done at its exit is not the child's.
                unsafe { libc::_exit(0) }
            }
        }
    }

    /// Has every program of this kernel measured while the descriptor is held.
    ///
    /// # Errors
    ///
    /// Without the right, before Linux 5.8, or when the child is gone.
    pub fn on(&self) -> Result<OwnedFd> {
        let socket = self.socket.as_ref().context("the process that may is gone")?.as_raw_fd();
        send(socket, &[1], MsgFlags::MSG_NOSIGNAL).context("ask for it")?;
        let (mut error, mut space) = ([0; 4], cmsg_space!(RawFd));
        let mut parts = [IoSliceMut::new(&mut error)];
        let message = recvmsg::<()>(socket, &mut parts, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)
            .context("wait for the answer")?;
        let sent = message.cmsgs().context("read the answer")?.find_map(|control| match control {
            ControlMessageOwned::ScmRights(fds) => fds.first().copied(),
            _ => None,
        });
        match (sent, message.bytes) {
            // SAFETY: a descriptor that the kernel has just made for us.
            (Some(fd), _) => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
            (None, 0) => bail!("the process that may is gone"),
            (None, _) => {
                Err(io::Error::from_raw_os_error(i32::from_ne_bytes(error))).context("BPF_ENABLE_STATS")
            }
        }
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.socket = None; // which ends the child
        let _ = waitpid(self.child, None);
    }
}

fn keep_one_right() -> Result<(), caps::errors::CapsError> {
    let permitted = caps::read(None, CapSet::Permitted)?;
    let kept: CapsHashSet = permitted.into_iter().filter(|one| *one == Capability::CAP_SYS_ADMIN).collect();
    caps::set(None, CapSet::Effective, &kept)?;
    caps::set(None, CapSet::Permitted, &kept)?;
    caps::set(None, CapSet::Inheritable, &CapsHashSet::new())
}

/// Answers each message with a descriptor, or an error's number.
fn serve(socket: &OwnedFd) {
    let mut asked = [0; 1];
    while matches!(recv(socket.as_raw_fd(), &mut asked, MsgFlags::empty()), Ok(1)) {
        let (error, fd) = match enable_stats(Stats::RunTime) {
            Ok(fd) => (0, Some(fd)),
            Err(error) => (error.io_error.raw_os_error().unwrap_or(libc::EINVAL), None),
        };
        let raw: Vec<RawFd> = fd.iter().map(AsRawFd::as_raw_fd).collect();
        let control = [ControlMessage::ScmRights(&raw)];
        let control = if raw.is_empty() { &[][..] } else { &control[..] };
        let answer = i32::to_ne_bytes(error);
        if sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(&answer)], control, MsgFlags::MSG_NOSIGNAL, None)
            .is_err()
        {
            break;
        }
    }
}
