//! Builds frames byte by byte. It shares nothing with the parser under test.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

pub const IPV4: u16 = 0x0800;
pub const IPV6: u16 = 0x86dd;
pub const VLAN: u16 = 0x8100;
pub const QINQ: u16 = 0x88a8;

pub const TCP: u8 = 6;
pub const UDP: u8 = 17;

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

/// An Ethernet frame.
pub fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], &ethertype.to_be_bytes(), payload])
}

/// An Ethernet frame with tags, the outermost first.
pub fn tagged(tags: &[u16], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let kinds = tags.iter().copied().chain([ethertype]);
    let mut inner: Vec<u8> = kinds.skip(1).flat_map(|kind| [[0, 42], kind.to_be_bytes()].concat()).collect();
    inner.extend_from_slice(payload);
    ethernet(tags.first().copied().unwrap_or(ethertype), &inner)
}

/// An IPv4 packet. `fragment` is the word of flags and offset; `options` is a multiple of four bytes.
pub fn ipv4(
    from: Ipv4Addr,
    to: Ipv4Addr,
    protocol: u8,
    fragment: u16,
    options: &[u8],
    payload: &[u8],
) -> Vec<u8> {
    let header_len = 20 + options.len();
    let total = u16::try_from(header_len + payload.len()).unwrap();
    join(&[
        &[0x40 | u8::try_from(header_len / 4).unwrap(), 0],
        &total.to_be_bytes(),
        &[0, 7],
        &fragment.to_be_bytes(),
        &[64, protocol, 0, 0],
        &from.octets(),
        &to.octets(),
        options,
        payload,
    ])
}

/// An IPv6 packet; `headers` are extension headers by kind and whole bytes, whose first byte is filled in here.
pub fn ipv6(
    from: Ipv6Addr,
    to: Ipv6Addr,
    protocol: u8,
    headers: &[(u8, Vec<u8>)],
    payload: &[u8],
) -> Vec<u8> {
    let mut kinds: Vec<u8> = headers.iter().map(|(kind, _)| *kind).collect();
    kinds.push(protocol);
    let mut rest = Vec::new();
    for ((_, header), next) in headers.iter().zip(&kinds[1..]) {
        rest.push(*next);
        rest.extend_from_slice(&header[1..]);
    }
    rest.extend_from_slice(payload);
    let len = u16::try_from(rest.len()).unwrap();
    join(&[&[0x60, 0, 0, 0], &len.to_be_bytes(), &[kinds[0], 64], &from.octets(), &to.octets(), &rest])
}

/// A TCP segment without options.
pub fn tcp(from: u16, to: u16, sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    join(&[
        &from.to_be_bytes(),
        &to.to_be_bytes(),
        &sequence.to_be_bytes(),
        &[0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0],
        payload,
    ])
}

/// A UDP datagram.
pub fn udp(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(8 + payload.len()).unwrap();
    join(&[&from.to_be_bytes(), &to.to_be_bytes(), &len.to_be_bytes(), &[0, 0], payload])
}

/// A whole frame between two ends of one family.
pub fn between(from: SocketAddr, to: SocketAddr, protocol: u8, transport: &[u8]) -> Vec<u8> {
    match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            ethernet(IPV4, &ipv4(from, to, protocol, 0x4000, &[], transport))
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => ethernet(IPV6, &ipv6(from, to, protocol, &[], transport)),
        _ => panic!("two families in one packet"),
    }
}

/// A whole TCP frame between two ends of one family.
pub fn segment(from: SocketAddr, to: SocketAddr, sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    between(from, to, TCP, &tcp(from.port(), to.port(), sequence, flags, payload))
}

/// A whole UDP frame between two ends of one family.
pub fn datagram(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    between(from, to, UDP, &udp(from.port(), to.port(), payload))
}

/// A TCP segment with time stamps as every stack lays them out: NOP, NOP, stamps.
pub fn stamped(
    [from, to]: [u16; 2],
    [sequence, acknowledged]: [u32; 2],
    flags: u8,
    [stamp, echo]: [u32; 2],
    payload: &[u8],
) -> Vec<u8> {
    join(&[
        &from.to_be_bytes(),
        &to.to_be_bytes(),
        &sequence.to_be_bytes(),
        &acknowledged.to_be_bytes(),
        &[0x80, flags, 0xff, 0xff, 0, 0, 0, 0, 1, 1, 8, 10],
        &stamp.to_be_bytes(),
        &echo.to_be_bytes(),
        payload,
    ])
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}
