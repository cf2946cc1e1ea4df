//! The only place that reads a packet.
//!
//! Most packets have no tags, no IP options and their headers in one piece: they are read in place ([`plain`]). For all
//! others the headers are copied out piece by piece ([`headers`]): that also reads the non-linear part which segmentation
//! offload leaves behind, and a load past the end is an error instead of a program that does not load.

mod headers;
mod plain;

use aya_ebpf::programs::TcContext;
use mirror_common::count::Skip;
use mirror_common::flow::Address;
use mirror_common::policy::Control;

use crate::maps::PARSED;
use crate::opaque;

/// Length of the link header, for interfaces that have one, and those that carry IP as it is.
pub const ETHERNET: u32 = 14;
/// See [`ETHERNET`].
pub const RAW: u32 = 0;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;
const QINQ: u16 = 0x88a8;

/// The options that TCP sends in every segment, as RFC 7323 (appendix A) lays them out: NOP, NOP, time stamps.
const STAMPS: u32 = 0x0101_080a;
/// The length of a TCP header with them and nothing else.
const WITH_STAMPS: u32 = 32;

/// What the tap needs to know of a packet.
pub struct Packet {
    pub source: Address,
    pub target: Address,
    /// Ports in network order, as everywhere in the kernel.
    pub source_port: u16,
    pub target_port: u16,
    pub protocol: u8,
    pub segment: Segment,
}

/// What the turn clock needs to know of it.
#[derive(Clone, Copy)]
pub struct Segment {
    pub tcp_flags: u8,
    /// It carries time stamps where every segment does.
    pub has_stamps: bool,
    pub sequence: u32,
    pub acknowledged: u32,
    /// The sender's time stamp value, and the other end's that it echoes (RFC 7323, section 3.2).
    pub stamp: u32,
    pub echo: u32,
    /// Offset of the payload from the start of the packet.
    pub payload_at: u32,
    /// Length of the payload, trimmed to what the IP header claims.
    pub payload: u32,
}

impl Segment {
    /// Of a protocol that is not TCP. What only TCP has stays as it was: the compiler would clear it by a call.
    #[inline(always)]
    fn set_datagram(&mut self, payload_at: u32, payload: u32) {
        self.tcp_flags = 0;
        self.has_stamps = false;
        self.payload_at = payload_at;
        self.payload = payload;
    }

    /// Of TCP, without time stamps, from the second, third and fourth word of its header.
    #[inline(always)]
    fn set_segment(&mut self, [sequence, acknowledged, fourth]: [u32; 3], payload_at: u32, payload: u32) {
        self.set_datagram(payload_at, payload);
        self.tcp_flags = (fourth >> 16) as u8;
        self.sequence = sequence;
        self.acknowledged = acknowledged;
    }

    #[inline(always)]
    fn set_stamps(&mut self, [kind, stamp, echo]: [u32; 3]) {
        self.has_stamps = kind == STAMPS;
        self.stamp = stamp;
        self.echo = echo;
    }
}

/// TCP flags (RFC 9293, section 3.1).
pub mod tcp {
    pub const FIN: u8 = 1;
    pub const SYN: u8 = 2;
    pub const RST: u8 = 4;
    pub const ACK: u8 = 16;
}

/// Copies a `T` out of the packet, as it stands there.
#[inline(always)]
pub fn load<T>(ctx: &TcContext, at: u32) -> Result<T, Skip> {
    ctx.load::<T>(at as usize).map_err(|_| Skip::Malformed)
}

/// Parses from the link header (`LINK` bytes) to the payload, unless neither port can be an endpoint's.
///
/// The result lies in a map, where the verifier forgets which of many shapes of headers it came from: so it follows the
/// rest of the program once, and not once for each shape. It is good until the next packet of this processor, which a
/// clone may be, if the shadow interface is tapped.
#[inline(always)]
pub fn parse<const LINK: u32>(ctx: &TcContext, control: &Control) -> Result<&'static Packet, Skip> {
    let entry = PARSED.get_ptr_mut(0).ok_or(Skip::Malformed)?;
    // SAFETY: a live entry of this processor's own array.
    let packet = unsafe { &mut *entry };
    if !plain::parse::<LINK>(ctx, control, packet)? {
        headers::parse::<LINK>(ctx, control, packet)?;
    }
    // SAFETY: as above.
    Ok(unsafe { &*opaque::pointer(entry) })
}

/// Neither port is worth looking up.
#[inline(always)]
fn refuse_unknown(control: &Control, source_port: u16, target_port: u16) -> Result<(), Skip> {
    if control.has_port(target_port) || control.has_port(source_port) { Ok(()) } else { Err(Skip::Unmatched) }
}

/// Where a packet ends that claims this length from `at` on. A claim of 0 is a packet of over 64 KiB that offload will
/// cut: then the packet's own end counts.
#[inline(always)]
fn end_of(ctx: &TcContext, at: u32, claimed: u32) -> u32 {
    let len = ctx.len();
    if claimed == 0 || at + claimed > len { len } else { at + claimed }
}
