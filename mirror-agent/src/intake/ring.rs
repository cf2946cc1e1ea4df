//! A memory-mapped packet ring (TPACKET_V3, kernel documentation "packet_mmap"): the kernel fills blocks of frames, we
//! read them in place and hand each block back.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::time::Nanos;

/// A block holds several frames and must hold the largest: 64 KiB of payload and its headers.
const BLOCK: usize = 256 << 10;
/// Blocks of a ring: 16 MiB, over a tenth of a second of a full 1 Gbit/s. Of little traffic it holds half a second, a
/// block for every [`RETIRE_MS`], however empty: so many small blocks outlast a stalled reader where few large ones
/// would not.
pub(super) const BLOCKS: usize = 64;
/// A block that is not full is handed over after this many milliseconds.
const RETIRE_MS: u32 = 8;

/// A frame in the ring, borrowed until its block goes back.
#[derive(Clone, Copy, Debug)]
pub struct RingFrame<'a> {
    /// When it passed, Unix time.
    pub at: Nanos,
    /// From the link header on.
    pub data: &'a [u8],
    /// Its length on the wire.
    pub wire_len: u32,
    /// A VLAN tag that the kernel took out of the frame: protocol and control information.
    pub vlan: Option<(u16, u16)>,
    outgoing: bool,
}

/// One packet socket and its ring.
pub struct Ring {
    socket: OwnedFd,
    memory: NonNull<u8>,
    next: usize,
    outgoing: bool,
}

// SAFETY: the mapping belongs to this value alone; nothing in it is tied to a thread.
unsafe impl Send for Ring {}

impl Ring {
    /// Opens a ring on an interface of the calling thread's namespace. With `outgoing` it reads what leaves by the
    /// interface, else what arrives. Rings that share a `fanout` group share the traffic by connection, both directions
    /// of one together.
    ///
    /// # Errors
    ///
    /// Without `CAP_NET_RAW`, or when the kernel refuses the memory.
    pub fn open(interface: &str, outgoing: bool, fanout: Option<u16>) -> Result<Ring> {
        let socket = packet_socket().context("open a packet socket (CAP_NET_RAW)")?;
        set(&socket, libc::PACKET_VERSION, &libc::tpacket_versions::TPACKET_V3)
            .context("ask for TPACKET_V3")?;
        set(&socket, libc::PACKET_RX_RING, &request()).context("make a packet ring of 16 MiB")?;
        let memory = map(&socket).context("map the packet ring")?;
        let ring = Ring { socket, memory, next: 0, outgoing };
        ring.bind(interface).with_context(|| format!("bind a packet socket to {interface}"))?;
        if let Some(group) = fanout {
            let value = u32::from(group) | (libc::PACKET_FANOUT_HASH << 16);
            set(&ring.socket, libc::PACKET_FANOUT, &value).context("share the packets among rings")?;
        }
        Ok(ring)
    }

    /// Until here the socket had no protocol, and so received nothing.
    fn bind(&self, interface: &str) -> Result<()> {
        let index = nix::net::if_::if_nametoindex(interface)?;
        let address = libc::sockaddr_ll {
            sll_family: libc::AF_PACKET as u16,
            sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
            sll_ifindex: i32::try_from(index)?,
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        // SAFETY: a live socket, and an address of the length given.
        let bound = unsafe { libc::bind(self.socket.as_raw_fd(), (&raw const address).cast(), length) };
        if bound != 0 { Err(io::Error::last_os_error().into()) } else { Ok(()) }
    }

    /// Waits until a block is ready, or for `at_most`.
    ///
    /// An interface that goes down or away ends nothing: what is lost there is counted, and v1's latencies are
    /// measured on.
    ///
    /// # Errors
    ///
    /// When the kernel will not wait.
    pub fn wait(&self, at_most: Duration) -> Result<()> {
        let timeout =
            PollTimeout::try_from(at_most.as_millis().min(60_000) as i32).unwrap_or(PollTimeout::NONE);
        let mut polled = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        match poll(&mut polled, timeout) {
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(error) => bail!("wait for packets: {error}"),
        }
        if polled[0].revents().is_some_and(|events| events.contains(PollFlags::POLLERR)) {
            self.take_error();
        }
        Ok(())
    }

    /// Until the error is taken, every wait would end at once.
    fn take_error(&self) {
        match nix::sys::socket::getsockopt(&self.socket, nix::sys::socket::sockopt::SocketError) {
            Ok(libc::ENETDOWN) => {
                tracing::error!("the shadow interface is down or gone: nothing is mirrored")
            }
            Ok(error) => tracing::warn!("the packet ring: {}", io::Error::from_raw_os_error(error)),
            Err(error) => tracing::warn!("the packet ring: {error}"),
        }
    }

    /// Reads the next block, if one is ready: every frame of it goes to `each`. Returns how many there were, or `None`
    /// when nothing is ready.
    pub fn read_block(&mut self, mut each: impl FnMut(&RingFrame<'_>)) -> Option<u64> {
        let block = self.block(self.next);
        let (header, status) = described(block);
        if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        let mut read = 0;
        let mut at = header.offset_to_first_pkt as usize;
        for _ in 0..header.num_pkts {
            let Some((frame, next)) = frame(block, at) else { break };
            if !self.outgoing || frame.outgoing {
                each(&frame);
                read += 1;
            }
            at += next;
        }
        status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.next = (self.next + 1) % BLOCKS;
        Some(read)
    }

    /// How many blocks are ready to be read.
    pub fn waiting(&self) -> usize {
        let is_ready = |ahead: &usize| {
            let (_, status) = described(self.block(self.next + ahead));
            status.load(Ordering::Relaxed) & libc::TP_STATUS_USER != 0
        };
        (0..BLOCKS).take_while(is_ready).count()
    }

    fn block(&self, number: usize) -> *const u8 {
        // SAFETY: the remainder is below BLOCKS, so this is inside the mapping.
        unsafe { self.memory.as_ptr().add(number % BLOCKS * BLOCK) }
    }

    /// Frames that the full ring refused since the last call.
    pub fn take_dropped(&self) -> u64 {
        let mut stats = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
        let mut length = size_of::<libc::tpacket_stats_v3>() as libc::socklen_t;
        // SAFETY: a live socket, and room of the length given.
        let got = unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut stats).cast(),
                &raw mut length,
            )
        };
        if got == 0 { u64::from(stats.tp_drops) } else { 0 }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: unmaps exactly what `map` mapped.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), BLOCK * BLOCKS) };
    }
}

/// What the kernel says of a block, and the word that says whose it is.
fn described<'a>(block: *const u8) -> (&'a libc::tpacket_hdr_v1, &'a AtomicU32) {
    // SAFETY: a block starts with its description; the kernel hands it over by its status word.
    let header = unsafe { &*block.cast::<libc::tpacket_block_desc>() };
    // SAFETY: the kernel writes version 1 of the header only.
    let header = unsafe { &header.hdr.bh1 };
    let status = (&raw const header.block_status).cast_mut();
    // SAFETY: aligned and alive; the kernel reads and writes it as one word too.
    (header, unsafe { AtomicU32::from_ptr(status) })
}

/// The frame at an offset of a block, and the distance to the next; `None` when it would leave the block.
fn frame<'a>(block: *const u8, at: usize) -> Option<(RingFrame<'a>, usize)> {
    let header_len = size_of::<libc::tpacket3_hdr>().next_multiple_of(16);
    if at + header_len + size_of::<libc::sockaddr_ll>() > BLOCK {
        return None;
    }
    // SAFETY: inside the block by the check above; the kernel aligns frames to 16 bytes.
    let header = unsafe { &*block.add(at).cast::<libc::tpacket3_hdr>() };
    // SAFETY: the address follows the header at the next multiple of 16.
    let address = unsafe { &*block.add(at + header_len).cast::<libc::sockaddr_ll>() };
    let (start, len) = (at + usize::from(header.tp_mac), header.tp_snaplen as usize);
    if start + len > BLOCK {
        return None;
    }
    // SAFETY: inside the block; the block is ours until its status goes back to the kernel, and the caller's borrow
    // ends before that.
    let data = unsafe { std::slice::from_raw_parts(block.add(start), len) };
    let tag = header.hv1;
    let tagged = header.tp_status & libc::TP_STATUS_VLAN_VALID != 0;
    let protocol =
        if header.tp_status & libc::TP_STATUS_VLAN_TPID_VALID != 0 { tag.tp_vlan_tpid } else { 0x8100 };
    let frame = RingFrame {
        at: Nanos(u64::from(header.tp_sec) * 1_000_000_000 + u64::from(header.tp_nsec)),
        data,
        wire_len: header.tp_len,
        vlan: tagged.then_some((protocol, tag.tp_vlan_tci as u16)),
        outgoing: address.sll_pkttype == libc::PACKET_OUTGOING,
    };
    Some((frame, header.tp_next_offset as usize))
}

fn packet_socket() -> io::Result<OwnedFd> {
    // SAFETY: no pointers; protocol 0 receives nothing until the socket is bound.
    let socket = unsafe {
        libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0)
    };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor that nobody else holds.
    Ok(unsafe { OwnedFd::from_raw_fd(socket) })
}

fn request() -> libc::tpacket_req3 {
    libc::tpacket_req3 {
        tp_block_size: BLOCK as u32,
        tp_block_nr: BLOCKS as u32,
        tp_frame_size: 2048,
        tp_frame_nr: (BLOCK / 2048 * BLOCKS) as u32,
        tp_retire_blk_tov: RETIRE_MS,
        tp_sizeof_priv: 0,
        tp_feature_req_word: 0,
    }
}

fn set<T>(socket: &OwnedFd, option: i32, value: &T) -> io::Result<()> {
    let length = size_of::<T>() as libc::socklen_t;
    // SAFETY: a live socket, and a value of the length given.
    let done = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_PACKET, option, (&raw const *value).cast(), length)
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn map(socket: &OwnedFd) -> Result<NonNull<u8>> {
    // SAFETY: a new shared mapping of the ring that was just made, of its exact length.
    let memory = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            BLOCK * BLOCKS,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED,
            socket.as_raw_fd(),
            0,
        )
    };
    if memory == libc::MAP_FAILED {
        return Err(io::Error::last_os_error().into());
    }
    NonNull::new(memory.cast()).context("the ring was mapped at address zero")
}
