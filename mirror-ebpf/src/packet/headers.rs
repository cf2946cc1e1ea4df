//! Any shape of headers, copied out piece by piece.

use aya_ebpf::programs::TcContext;
use mirror_common::count::Skip;
use mirror_common::flow::{Address, TCP, UDP, mapped};
use mirror_common::policy::Control;

use super::{ETHERNET, IPV4, IPV6, Packet, QINQ, RAW, VLAN, WITH_STAMPS, end_of, load, refuse_unknown};

const VLAN_TAGS: usize = 2;
const EXTENSION_HEADERS: usize = 6;

/// IPv6 extension headers that are walked over.
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;

/// Where the transport header starts, where the packet ends, and what it carries.
struct Network {
    source: Address,
    target: Address,
    protocol: u8,
    transport_at: u32,
    end: u32,
}

/// Parses what is not plain.
#[inline(always)]
pub fn parse<const LINK: u32>(ctx: &TcContext, control: &Control, packet: &mut Packet) -> Result<(), Skip> {
    let (ethertype, at) = link::<LINK>(ctx)?;
    let network = match ethertype {
        IPV4 => ipv4(ctx, at)?,
        IPV6 => ipv6(ctx, at)?,
        _ => return Err(Skip::NotIp),
    };
    packet.source = network.source;
    packet.target = network.target;
    packet.protocol = network.protocol;
    match network.protocol {
        TCP => parse_tcp(ctx, &network, packet)?,
        UDP => parse_udp(ctx, &network, packet)?,
        _ => return Err(Skip::OtherProtocol),
    }
    refuse_unknown(control, packet.source_port, packet.target_port)
}

/// Copies words of four bytes out of the packet, as numbers.
#[inline(always)]
fn words<const N: usize>(ctx: &TcContext, at: u32) -> Result<[u32; N], Skip> {
    Ok(load::<[u32; N]>(ctx, at)?.map(u32::from_be))
}

/// Walks over up to two VLAN tags that stand in the packet (one in the metadata is already out of the way).
#[inline(always)]
fn link<const LINK: u32>(ctx: &TcContext) -> Result<(u16, u32), Skip> {
    if LINK == RAW {
        let first: u8 = load(ctx, 0)?;
        return match first >> 4 {
            4 => Ok((IPV4, 0)),
            6 => Ok((IPV6, 0)),
            _ => Err(Skip::NotIp),
        };
    }
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
fn parse_tcp(ctx: &TcContext, network: &Network, packet: &mut Packet) -> Result<(), Skip> {
    let header = words::<5>(ctx, network.transport_at)?;
    let header_len = (header[3] >> 28) * 4;
    let payload_at = network.transport_at + header_len;
    if header_len < 20 || payload_at > network.end {
        return Err(Skip::Malformed);
    }
    packet.source_port = ((header[0] >> 16) as u16).to_be();
    packet.target_port = (header[0] as u16).to_be();
    let [_, second, third, fourth, _] = header;
    packet.segment.set_segment([second, third, fourth], payload_at, network.end - payload_at);
    if header_len >= WITH_STAMPS
        && let Ok(stamps) = words::<3>(ctx, network.transport_at + 20)
    {
        packet.segment.set_stamps(stamps);
    }
    Ok(())
}

#[inline(always)]
fn parse_udp(ctx: &TcContext, network: &Network, packet: &mut Packet) -> Result<(), Skip> {
    let [ports, _] = words::<2>(ctx, network.transport_at)?;
    let payload_at = network.transport_at + 8;
    if payload_at > network.end {
        return Err(Skip::Malformed);
    }
    packet.source_port = ((ports >> 16) as u16).to_be();
    packet.target_port = (ports as u16).to_be();
    packet.segment.set_datagram(payload_at, network.end - payload_at);
    Ok(())
}
