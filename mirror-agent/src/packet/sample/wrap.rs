//! What can stand around a packet or in its middle: tunnels, cooked headers, fragments, and checksums that are right.

use super::{ipv4, ipv6};

/// UDP from port 50000.
pub(crate) fn udp(to: u16, body: &[u8]) -> Vec<u8> {
    let len = (8 + body.len()) as u16;
    [50_000_u16, to, len, 0].into_iter().flat_map(u16::to_be_bytes).chain(body.iter().copied()).collect()
}

/// VXLAN network 5.
pub(crate) fn vxlan(body: &[u8]) -> Vec<u8> {
    [&[0x08, 0, 0, 0, 0, 0, 5, 0], body].concat()
}

/// GENEVE network 5, with so many words of options.
pub(crate) fn geneve(words: u8, kind: u16, body: &[u8]) -> Vec<u8> {
    let kind = kind.to_be_bytes();
    let options = vec![0xee; usize::from(words) * 4];
    [&[words, 0, kind[0], kind[1], 0, 0, 5, 0], &options[..], body].concat()
}

/// GRE with these flags (0x80 checksum, 0x20 key, 0x10 sequence) and their fields.
pub(crate) fn gre(flags: u8, kind: u16, body: &[u8]) -> Vec<u8> {
    let mut out = vec![flags, 0];
    out.extend(kind.to_be_bytes());
    for flag in [0x80, 0x20, 0x10] {
        if flags & flag != 0 {
            out.extend([0xee; 4]);
        }
    }
    out.extend(body);
    out
}

/// ERSPAN type II: version 1, VLAN 5, session 7.
pub(crate) fn erspan2(body: &[u8]) -> Vec<u8> {
    [&[0x10, 5, 0, 7, 0, 0, 0, 1], body].concat()
}

/// ERSPAN type III: version 2, with the frame type and perhaps the platform's header.
pub(crate) fn erspan3(frame_type: u8, platform: bool, body: &[u8]) -> Vec<u8> {
    let fixed = [0x20, 5, 0, 7, 1, 2, 3, 4, 0, 0, 0x80 | frame_type << 2, 0x0e | u8::from(platform)];
    let more: &[u8] = if platform { &[0xee; 8] } else { &[] };
    [&fixed, more, body].concat()
}

/// Linux cooked: unicast to us, of Ethernet, with a 6-byte address.
pub(crate) fn cooked(kind: u16, body: &[u8]) -> Vec<u8> {
    [&[0, 0, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0], &kind.to_be_bytes()[..], body].concat()
}

/// Linux cooked, version 2, of interface 3.
pub(crate) fn cooked2(kind: u16, body: &[u8]) -> Vec<u8> {
    let rest = [0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0];
    [&kind.to_be_bytes()[..], &rest, body].concat()
}

/// One fragment in IPv4; `at` in bytes.
pub(crate) fn fragment4(id: u16, at: usize, more: bool, body: &[u8]) -> Vec<u8> {
    let mut out = ipv4(6, &[], body);
    out[4..6].copy_from_slice(&id.to_be_bytes());
    out[6..8].copy_from_slice(&((at / 8) as u16 | if more { 0x2000 } else { 0 }).to_be_bytes());
    out
}

/// One fragment in IPv6 of something that begins with the header `next`; `at` in bytes.
pub(crate) fn fragment6(next: u8, id: u16, at: usize, more: bool, body: &[u8]) -> Vec<u8> {
    let place = (at as u16 | u16::from(more)).to_be_bytes();
    let id = id.to_be_bytes();
    ipv6(44, &[&[next, 0, place[0], place[1], 0, 0, id[0], id[1]], body].concat())
}

/// Fills in the checksum of the IPv4 header at the start of `packet`.
pub(crate) fn sign_ipv4(packet: &mut [u8]) {
    let header = usize::from(packet[0] & 15) * 4;
    let sum = !add(&packet[..header]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
}

/// What the TCP checksum is to be, between the ends of `ipv4` or `ipv6`: whole, and of the pseudo-header alone.
pub(crate) fn tcp_sums(v6: bool, tcp: &[u8]) -> (u16, u16) {
    let len = tcp.len() as u16;
    // The ends and the length as they stand in a packet around it; the other words of the pseudo-header are 0 and 6.
    let packet = if v6 { ipv6(6, tcp) } else { ipv4(6, &[], tcp) };
    let ends = if v6 { &packet[8..40] } else { &packet[12..20] };
    let pseudo = [ends, &len.to_be_bytes(), &[0, 6]].concat();
    let mut blank = tcp.to_vec();
    blank[16..18].fill(0);
    (!add(&[&pseudo[..], &blank].concat()), add(&pseudo))
}

/// Sum of 16-bit words, each carry added at once.
fn add(data: &[u8]) -> u16 {
    data.chunks(2).fold(0_u16, |sum, pair| {
        let (sum, carry) =
            sum.overflowing_add(u16::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u16::from(*low)));
        sum + u16::from(carry)
    })
}
