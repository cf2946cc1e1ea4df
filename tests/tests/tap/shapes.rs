//! What the parser makes of every shape of packet: matched, or passed for a reason that is counted.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use mirror_common::flow::role;

use crate::frame::{
    ACK, IPV4, IPV6, QINQ, SYN, TCP, UDP, VLAN, datagram, ethernet, ipv4, ipv6, segment, tagged, tcp, udp,
};
use crate::programs::{IN, Programs};
use crate::reuse::Loaded;

const V4: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)];
const V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1), Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2)];
const CLIENT_PORT: u16 = 40_000;
const PORT: u16 = 8080;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;

/// The wanted end of a frame: nothing means matched.
type Case = (&'static str, Vec<u8>, Option<&'static str>);

fn programs() -> Loaded {
    let mut programs = Programs::load();
    programs.know((V4[1], PORT).into(), 0, 0, role::PRIMARY);
    programs.know((V6[1], PORT).into(), 0, 0, role::PRIMARY);
    programs
}

/// Runs each case and looks at what it alone has counted.
fn check(cases: Vec<Case>) {
    let programs = programs();
    let total =
        |counts: Vec<(&str, u64)>, name| counts.iter().find(|(n, _)| *n == name).map_or(0, |(_, c)| *c);
    let matched = || programs.counts.service(0).unwrap().packets[0];
    for (name, frame, skip) in cases {
        let skipped = || programs.skips().iter().map(|(_, count)| count).sum::<u64>();
        let reason = |skip| total(programs.skips(), skip);
        let before = (matched(), skipped(), skip.map_or(0, reason));
        programs.run(&frame, IN);
        let is_match = u64::from(skip.is_none());
        let after = (matched(), skipped(), skip.map_or(0, reason));
        let expect = (before.0 + is_match, before.1 + 1 - is_match, before.2 + 1 - is_match);
        assert_eq!(after, expect, "{name}: {:?}", programs.skips());
    }
}

/// A SYN.
fn syn() -> Vec<u8> {
    tcp(CLIENT_PORT, PORT, 7, SYN, b"")
}

fn v4(options: &[u8]) -> Vec<u8> {
    ipv4(V4[0], V4[1], TCP, 0x4000, options, &syn())
}

fn v6(headers: &[(u8, Vec<u8>)]) -> Vec<u8> {
    ethernet(IPV6, &ipv6(V6[0], V6[1], TCP, headers, &syn()))
}

/// An extension header of eight-byte units.
fn extension(kind: u8, units: u8) -> (u8, Vec<u8>) {
    let mut header = vec![0; usize::from(units) * 8];
    header[1] = units - 1;
    (kind, header)
}

fn fragment(offset: u16, more: u16) -> (u8, Vec<u8>) {
    (FRAGMENT, [&[0, 0][..], &(offset << 3 | more).to_be_bytes(), &[0, 0, 0, 1]].concat())
}

/// AH counts words of four bytes, less two.
fn authentication(words: u8) -> (u8, Vec<u8>) {
    let mut header = vec![0; usize::from(words) * 4];
    header[1] = words - 2;
    (AUTHENTICATION, header)
}

#[test]
fn ipv4_packets() {
    let part = |fragment| ethernet(IPV4, &ipv4(V4[0], V4[1], TCP, fragment, &[], &syn()));
    let protocol = |protocol| ethernet(IPV4, &ipv4(V4[0], V4[1], protocol, 0, &[], &syn()));
    let mut cases: Vec<Case> = vec![
        ("plain", ethernet(IPV4, &v4(&[])), None),
        ("first fragment", part(0x2000), None),
        ("second fragment", part(0x2000 | 185), Some("later_fragment")),
        ("last fragment", part(370), Some("later_fragment")),
        ("offset of one unit", part(1), Some("later_fragment")),
        ("ICMP", protocol(1), Some("other_protocol")),
        ("SCTP", protocol(132), Some("other_protocol")),
        ("UDP", datagram((V4[0], CLIENT_PORT).into(), (V4[1], PORT).into(), b"hello"), None),
        ("UDP without data", datagram((V4[0], CLIENT_PORT).into(), (V4[1], PORT).into(), b""), None),
        ("ARP", ethernet(0x0806, &[0; 28]), Some("not_ip")),
        ("an IPv6 packet that says IPv4", ethernet(IPV4, &v6(&[])[14..]), Some("malformed")),
    ];
    cases.extend((1..=10).map(|words| ("options", ethernet(IPV4, &v4(&vec![1; words * 4])), None)));
    check(cases);
}

#[test]
fn ipv4_headers_that_cannot_be() {
    let with = |at: usize, byte: u8| {
        let mut packet = v4(&[]);
        packet[at] = byte;
        ethernet(IPV4, &packet)
    };
    let total = |total: u8| with(3, total);
    let mut cases: Vec<Case> = vec![
        ("header shorter than itself", with(0, 0x44), Some("malformed")),
        ("header longer than its packet", with(0, 0x4f), Some("malformed")),
        ("version 6", with(0, 0x65), Some("malformed")),
        ("total of its header", total(20), Some("malformed")),
        ("total inside the TCP header", total(39), Some("malformed")),
        ("total of 0, as segmentation offload leaves it", total(0), None),
        ("total past the end", with(2, 9), None),
        ("TCP header shorter than itself", with(32, 0x40), Some("malformed")),
        ("TCP header longer than its packet", with(32, 0x60), Some("malformed")),
    ];
    cases.extend((1..20).map(|len| ("total inside its header", total(len), Some("malformed"))));
    check(cases);
}

#[test]
fn ipv6_extension_headers() {
    let six = || vec![extension(HOP_BY_HOP, 1); 6];
    let udp = udp(CLIENT_PORT, PORT, b"hello");
    check(vec![
        ("plain", v6(&[]), None),
        ("hop-by-hop", v6(&[extension(HOP_BY_HOP, 1)]), None),
        ("a long one", v6(&[extension(HOP_BY_HOP, 9)]), None),
        ("routing", v6(&[extension(ROUTING, 3)]), None),
        ("destination", v6(&[extension(DESTINATION, 2)]), None),
        ("the only fragment", v6(&[fragment(0, 0)]), None),
        ("the first fragment", v6(&[fragment(0, 1)]), None),
        ("a later fragment", v6(&[fragment(1, 1)]), Some("later_fragment")),
        ("the last fragment", v6(&[fragment(0x1fff, 0)]), Some("later_fragment")),
        ("authentication", v6(&[authentication(6)]), None),
        ("authentication of an odd length", v6(&[authentication(3), extension(DESTINATION, 1)]), None),
        (
            "all of them",
            v6(&[
                extension(HOP_BY_HOP, 2),
                extension(DESTINATION, 1),
                extension(ROUTING, 3),
                fragment(0, 1),
                authentication(4),
                extension(DESTINATION, 1),
            ]),
            None,
        ),
        ("six", v6(&six()), None),
        ("seven", v6(&[six(), vec![extension(DESTINATION, 1)]].concat()), Some("too_deep")),
        ("UDP behind one", ethernet(IPV6, &ipv6(V6[0], V6[1], UDP, &[extension(ROUTING, 1)], &udp)), None),
        ("ICMPv6", ethernet(IPV6, &ipv6(V6[0], V6[1], 58, &[], &syn())), Some("other_protocol")),
        ("no next header", ethernet(IPV6, &ipv6(V6[0], V6[1], 59, &[], b"")), Some("other_protocol")),
        ("an IPv4 packet that says IPv6", ethernet(IPV6, &v4(&[0; 20])), Some("malformed")),
    ]);
}

#[test]
fn ipv6_headers_that_point_outside() {
    let mut past_the_end = v6(&[extension(HOP_BY_HOP, 1)]);
    past_the_end[14 + 41] = 255;
    let claims = |len: u8| {
        let mut frame = v6(&[]);
        frame[14 + 5] = len;
        frame
    };
    check(vec![
        ("an extension header past the end", past_the_end, Some("malformed")),
        ("a length inside the TCP header", claims(19), Some("malformed")),
        ("a length of 0, as offload leaves it", claims(0), None),
        ("a length past the end", claims(200), None),
    ]);
}

#[test]
fn vlan_tags() {
    let six = ipv6(V6[0], V6[1], TCP, &[], &syn());
    check(vec![
        ("one tag", tagged(&[VLAN], IPV4, &v4(&[])), None),
        ("one outer tag", tagged(&[QINQ], IPV4, &v4(&[])), None),
        ("two tags", tagged(&[QINQ, VLAN], IPV4, &v4(&[])), None),
        ("two inner tags", tagged(&[VLAN, VLAN], IPV6, &six), None),
        ("three tags", tagged(&[QINQ, VLAN, VLAN], IPV4, &v4(&[])), Some("too_deep")),
        ("a tag and no IP", tagged(&[VLAN], 0x0806, &[0; 28]), Some("not_ip")),
        ("a tag and nothing", ethernet(VLAN, &[0, 1]), Some("malformed")),
    ]);
}

/// What pads a frame to 60 bytes is neither ports nor a payload.
#[test]
fn padding_is_not_part_of_the_packet() {
    let padded = |mut frame: Vec<u8>| {
        frame.extend_from_slice(&tcp(CLIENT_PORT, PORT, 7, SYN, b"GET / HTTP/1.1\r\n\r\n"));
        frame
    };
    check(vec![
        ("a TCP packet", padded(ethernet(IPV4, &v4(&[]))), None),
        ("no TCP header", padded(ethernet(IPV4, &ipv4(V4[0], V4[1], TCP, 0, &[], b""))), Some("malformed")),
        ("no UDP header", padded(ethernet(IPV4, &ipv4(V4[0], V4[1], UDP, 0, &[], b""))), Some("malformed")),
        (
            "no TCP header in IPv6",
            padded(ethernet(IPV6, &ipv6(V6[0], V6[1], TCP, &[extension(DESTINATION, 1)], b""))),
            Some("malformed"),
        ),
    ]);
    let programs = programs();
    let ends: [SocketAddr; 2] = [(V4[0], CLIENT_PORT).into(), (V4[1], PORT).into()];
    let padded_ack = padded(segment(ends[0], ends[1], 7, ACK, b""));
    programs.run(&padded_ack, IN);
    assert!(programs.flows().is_empty(), "an ACK with padding has no payload");
}
