//! The only place that reads a packet.
//!
//! Headers are copied out with `bpf_skb_load_bytes`: unlike direct access it also reads the non-linear part that
//! segmentation offload leaves behind, and a load past the end is an error instead of a program that does not load.

use aya_ebpf::programs::TcContext;
use mirror_common::count::Skip;
use mirror_common::flow::{Address, TCP, UDP, mapped};

use crate::maps::PARSED;
use crate::opaque;

const ETHERNET: u32 = 14;
const VLAN_TAGS: usize = 2;
const EXTENSION_HEADERS: usize = 6;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;
const QINQ: u16 = 0x88a8;

/// IPv6 extension headers that are walked over.
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;

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
    pub sequence: u32,
    /// Offset of the payload from the link header.
    pub payload_at: u32,
    /// Length of the payload, trimmed to what the IP header claims.
    pub payload: u32,
}

/// TCP flags (RFC 9293, section 3.1).
pub mod tcp {
    pub const FIN: u8 = 1;
    pub const SYN: u8 = 2;
    pub const RST: u8 = 4;
}

/// Where the transport header starts, where the packet ends, and what it carries.
struct Network {
    source: Address,
    target: Address,
    protocol: u8,
    transport_at: u32,
    end: u32,
}

/// Copies a `T` out of the packet, as it stands there.
#[inline(always)]
pub fn load<T>(ctx: &TcContext, at: u32) -> Result<T, Skip> {
    ctx.load::<T>(at as usize).map_err(|_| Skip::Malformed)
}

/// Copies words of four bytes out of the packet, as numbers.
#[inline(always)]
fn words<const N: usize>(ctx: &TcContext, at: u32) -> Result<[u32; N], Skip> {
    Ok(load::<[u32; N]>(ctx, at)?.map(u32::from_be))
}

/// Parses from the link header to the payload.
///
/// The result lies in a map, where the verifier forgets which of many shapes of headers it came from: so it follows the
/// rest of the program once, and not once for each shape. On the stack it took Linux 6.1 968 000 instructions, of the
/// million at which it gives up; so it takes 27 000. It is good until the next packet of this processor, which a clone
/// may be, if the shadow interface is tapped.
#[inline(always)]
pub fn parse(ctx: &TcContext) -> Result<&'static Packet, Skip> {
    let packet = parse_headers(ctx)?;
    let entry = PARSED.get_ptr_mut(0).ok_or(Skip::Malformed)?;
    // SAFETY: a live entry of this processor's own array.
    unsafe {
        entry.write(packet);
        Ok(&*opaque::pointer(entry))
    }
}

#[inline(always)]
fn parse_headers(ctx: &TcContext) -> Result<Packet, Skip> {
    let (ethertype, at) = link(ctx)?;
    let network = match ethertype {
        IPV4 => ipv4(ctx, at)?,
        IPV6 => ipv6(ctx, at)?,
        _ => return Err(Skip::NotIp),
    };
    match network.protocol {
        TCP => parse_tcp(ctx, network),
        UDP => parse_udp(ctx, network),
        _ => Err(Skip::OtherProtocol),
    }
}

/// Walks over up to two VLAN tags that stand in the packet (one in the metadata is already out of the way).
#[inline(always)]
fn link(ctx: &TcContext) -> Result<(u16, u32), Skip> {
    let mut ethertype = u16::from_be(load(ctx, ETHERNET - 2)?);
    let mut at = ETHERNET;
    for _ in 0..VLAN_TAGS {
        if ethertype != VLAN && ethertype != QINQ {
            return Ok((ethertype, at));
        }
        ethertype = u16::from_be(load(ctx, at + 2)?);
        at += 4;
    }
    if ethertype == VLAN || ethertype == QINQ {
        return Err(Skip::TooDeep);
    }
    Ok((ethertype, at))
}

/// RFC 791, section 3.1.
#[inline(always)]
fn ipv4(ctx: &TcContext, at: u32) -> Result<Network, Skip> {
    let raw: [u32; 5] = load(ctx, at)?;
    let first = u32::from_be(raw[0]);
    let header_len = (first >> 24 & 0x0f) * 4;
    let total = first & 0xffff;
    if first >> 28 != 4 || header_len < 20 || (total != 0 && total < header_len) {
        return Err(Skip::Malformed);
    }
    if u32::from_be(raw[1]) & 0x1fff != 0 {
        return Err(Skip::LaterFragment);
    }
    Ok(Network {
        source: mapped(raw[3]),
        target: mapped(raw[4]),
        protocol: (u32::from_be(raw[2]) >> 16) as u8,
        transport_at: at + header_len,
        end: end_of(ctx, at, total),
    })
}

/// RFC 8200, section 3.
#[inline(always)]
fn ipv6(ctx: &TcContext, at: u32) -> Result<Network, Skip> {
    let raw: [u32; 10] = load(ctx, at)?;
    if u32::from_be(raw[0]) >> 28 != 6 {
        return Err(Skip::Malformed);
    }
    let second = u32::from_be(raw[1]);
    let claimed = second >> 16;
    let (protocol, transport_at) = extensions(ctx, (second >> 8) as u8, at + 40)?;
    let total = if claimed == 0 { 0 } else { claimed + 40 };
    Ok(Network {
        source: [raw[2], raw[3], raw[4], raw[5]],
        target: [raw[6], raw[7], raw[8], raw[9]],
        protocol,
        transport_at,
        end: end_of(ctx, at, total),
    })
}

/// A total of 0 is a packet of over 64 KiB that offload will cut: then the packet's own end counts.
#[inline(always)]
fn end_of(ctx: &TcContext, at: u32, total: u32) -> u32 {
    let len = ctx.len();
    if total == 0 || at + total > len { len } else { at + total }
}

/// A bounded walk over the extension headers (RFC 8200, section 4; AH: RFC 4302).
#[inline(always)]
fn extensions(ctx: &TcContext, first: u8, first_at: u32) -> Result<(u8, u32), Skip> {
    let (mut kind, mut at) = (first, first_at);
    for _ in 0..EXTENSION_HEADERS {
        if !is_extension(kind) {
            return Ok((kind, at));
        }
        let [header] = words::<1>(ctx, at)?;
        let claimed = header >> 16 & 0xff;
        if kind == FRAGMENT && header & 0xfff8 != 0 {
            return Err(Skip::LaterFragment);
        }
        at += match kind {
            FRAGMENT => 8,
            AUTHENTICATION => (claimed + 2) * 4,
            _ => (claimed + 1) * 8,
        };
        kind = (header >> 24) as u8;
    }
    if is_extension(kind) { Err(Skip::TooDeep) } else { Ok((kind, at)) }
}

#[inline(always)]
fn is_extension(kind: u8) -> bool {
    matches!(kind, HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION)
}

/// RFC 9293, section 3.1.
#[inline(always)]
fn parse_tcp(ctx: &TcContext, network: Network) -> Result<Packet, Skip> {
    let header = words::<5>(ctx, network.transport_at)?;
    let header_len = (header[3] >> 28) * 4;
    let payload_at = network.transport_at + header_len;
    if header_len < 20 || payload_at > network.end {
        return Err(Skip::Malformed);
    }
    Ok(Packet {
        source: network.source,
        target: network.target,
        source_port: ((header[0] >> 16) as u16).to_be(),
        target_port: (header[0] as u16).to_be(),
        protocol: TCP,
        segment: Segment {
            tcp_flags: (header[3] >> 16) as u8,
            sequence: header[1],
            payload_at,
            payload: network.end - payload_at,
        },
    })
}

#[inline(always)]
fn parse_udp(ctx: &TcContext, network: Network) -> Result<Packet, Skip> {
    let [ports, _] = words::<2>(ctx, network.transport_at)?;
    let payload_at = network.transport_at + 8;
    if payload_at > network.end {
        return Err(Skip::Malformed);
    }
    Ok(Packet {
        source: network.source,
        target: network.target,
        source_port: ((ports >> 16) as u16).to_be(),
        target_port: (ports as u16).to_be(),
        protocol: UDP,
        segment: Segment { tcp_flags: 0, sequence: 0, payload_at, payload: network.end - payload_at },
    })
}
