//! Frames of every kind, whole, cut at every byte, and mangled; the balance of the counts.

mod checksums;
mod fragments;

use proptest::prelude::*;

use super::*;
use crate::packet::sample::wrap::{cooked, cooked2, erspan2, erspan3, geneve, gre, udp, vxlan};
use crate::packet::sample::{Tcp, ethernet, frame, ipv4, ipv6};
use crate::packet::{Flags, Link, parse};
use crate::time::Nanos;

const LINKS: [Link; 6] =
    [Link::Ethernet, Link::RawIp, Link::LinuxCooked, Link::LinuxCooked2, Link::Null, Link::Loop];

/// A raw packet around `body` to this UDP port.
fn over_udp(port: u16, body: &[u8]) -> Vec<u8> {
    ipv4(17, &[], &udp(port, body))
}

fn padded(mut frame: Vec<u8>) -> Vec<u8> {
    frame.extend([0x55; 9]);
    frame
}

/// A packet whose length field was left empty.
fn without_len(mut packet: Vec<u8>) -> Vec<u8> {
    packet[2..4].fill(0);
    packet
}

/// What the tests have inside: "hello" in IPv4, in IPv6, and each in Ethernet.
fn inside() -> [Vec<u8>; 4] {
    let tcp = Tcp::with(b"hello").bytes();
    let (v4, v6) = (ipv4(6, &[], &tcp), ipv6(6, &tcp));
    let (eth4, eth6) = (ethernet(&[0x0800], &v4), ethernet(&[0x86dd], &v6));
    [v4, v6, eth4, eth6]
}

fn links() -> Vec<(&'static str, Link, Vec<u8>)> {
    let [v4, v6, ..] = inside();
    let null = |family: [u8; 4], packet: &[u8]| [&family[..], packet].concat();
    vec![
        ("old service tag", Link::Ethernet, ethernet(&[0x9100, 0x8100, 0x0800], &v4)),
        ("cooked", Link::LinuxCooked, cooked(0x0800, &v4)),
        ("cooked ipv6", Link::LinuxCooked, cooked(0x86dd, &v6)),
        ("cooked tag", Link::LinuxCooked, cooked(0x8100, &[&[0, 5, 0x86, 0xdd], &v6[..]].concat())),
        ("cooked2", Link::LinuxCooked2, cooked2(0x0800, &v4)),
        ("cooked2 tags", Link::LinuxCooked2, {
            cooked2(0x88a8, &[&[0, 5, 0x81, 0, 0, 6, 0x08, 0], &v4[..]].concat())
        }),
        ("null, little", Link::Null, null([2, 0, 0, 0], &v4)),
        ("null, big", Link::Null, null([0, 0, 0, 2], &v4)),
        ("null, netbsd", Link::Null, null([24, 0, 0, 0], &v6)),
        ("null, freebsd", Link::Null, null([0, 0, 0, 28], &v6)),
        ("null, darwin", Link::Null, null([30, 0, 0, 0], &v6)),
        ("null, linux", Link::Null, null([10, 0, 0, 0], &v6)),
        ("loop", Link::Loop, null([0, 0, 0, 2], &v4)),
        ("loop ipv6", Link::Loop, null([0, 0, 0, 24], &v6)),
    ]
}

/// Name, the tunnels met, and a raw packet.
fn tunnels() -> Vec<(&'static str, Vec<Tunnel>, Vec<u8>)> {
    use Tunnel::{Erspan, Geneve, Gre, IpInIp, Vxlan};
    let [v4, v6, eth4, eth6] = inside();
    let tagged = ethernet(&[0x8100, 0x0800], &v4);
    let trailing = over_udp(4789, &vxlan(&padded(eth4.clone())));
    let empty_len = {
        let mut packet = over_udp(4789, &vxlan(&eth4));
        packet[24..26].fill(0);
        without_len(packet)
    };
    let four = ipv4(4, &[], &ipv4(4, &[], &ipv4(4, &[], &ipv4(4, &[], &v4))));
    vec![
        ("vxlan", vec![Vxlan], over_udp(4789, &vxlan(&eth4))),
        ("vxlan, linux, ipv6 in ipv6", vec![Vxlan], ipv6(17, &udp(8472, &vxlan(&eth6)))),
        ("vxlan, tag inside", vec![Vxlan], over_udp(4789, &vxlan(&tagged))),
        ("vxlan, padding inside", vec![Vxlan], trailing),
        ("vxlan, no length outside", vec![Vxlan], empty_len),
        (
            "vxlan, no length inside",
            vec![Vxlan],
            over_udp(4789, &vxlan(&ethernet(&[0x0800], &without_len(v4.clone())))),
        ),
        ("geneve", vec![Geneve], over_udp(6081, &geneve(0, 0x6558, &eth4))),
        ("geneve options", vec![Geneve], over_udp(6081, &geneve(3, 0x6558, &eth6))),
        ("geneve ipv4", vec![Geneve], over_udp(6081, &geneve(63, 0x0800, &v4))),
        ("geneve ipv6", vec![Geneve], over_udp(6081, &geneve(1, 0x86dd, &v6))),
        ("gre", vec![Gre], ipv4(47, &[], &gre(0, 0x0800, &v4))),
        ("gre ethernet", vec![Gre], ipv4(47, &[], &gre(0x20, 0x6558, &eth6))),
        ("gre all fields", vec![Gre], ipv6(47, &gre(0xb0, 0x86dd, &v6))),
        ("gre checksum", vec![Gre], ipv4(47, &[], &gre(0x80, 0x0800, &v4))),
        ("erspan i", vec![Erspan], ipv4(47, &[], &gre(0, 0x88be, &eth4))),
        ("erspan ii", vec![Erspan], ipv4(47, &[], &gre(0x10, 0x88be, &erspan2(&eth4)))),
        ("erspan iii", vec![Erspan], ipv4(47, &[], &gre(0x10, 0x22eb, &erspan3(0, false, &eth4)))),
        ("erspan iii, platform", vec![Erspan], ipv4(47, &[], &gre(0x10, 0x22eb, &erspan3(0, true, &eth6)))),
        ("erspan iii, ip", vec![Erspan], ipv4(47, &[], &gre(0, 0x22eb, &erspan3(2, false, &v6)))),
        ("ip in ip", vec![IpInIp], ipv4(4, &[], &v4)),
        ("ipv6 in ipv4", vec![IpInIp], ipv4(41, &[], &v6)),
        ("ipv4 in ipv6", vec![IpInIp], ipv6(4, &v4)),
        ("as deep as is opened", vec![IpInIp; 4], four),
        ("gre in vxlan", vec![Vxlan, Gre], {
            over_udp(4789, &vxlan(&ethernet(&[0x0800], &ipv4(47, &[], &gre(0, 0x86dd, &v6)))))
        }),
    ]
}

fn all() -> Vec<(&'static str, Link, Vec<u8>)> {
    let tunnels = tunnels().into_iter().map(|(name, _, packet)| (name, Link::RawIp, packet));
    links().into_iter().chain(tunnels).collect()
}

fn decoder() -> Decoder {
    Decoder::new(Options::default())
}

#[test]
fn every_link_and_tunnel_leads_to_the_same_segment() {
    for (name, link, data) in all() {
        let mut decoder = decoder();
        let segment = decoder.decode(&frame(link, &data)).unwrap_or_else(|skip| panic!("{name}: {skip:?}"));
        let ends = [segment.from.to_string(), segment.to.to_string()];
        let v6 = segment.from.is_ipv6();
        let expected =
            if v6 { ["[fd00::1]:40000", "[fd00::2]:80"] } else { ["10.0.0.1:40000", "10.0.0.2:80"] };
        assert_eq!(ends, expected, "{name}");
        assert_eq!((segment.seq, segment.ack, segment.flags), (7, 9, Flags(0x10)), "{name}");
        assert!(segment.payload.starts_with(b"hello") && segment.missing == 0, "{name}");
        assert_eq!(segment.payload.len(), 5, "{name}");
    }
}

#[test]
fn tunnels_are_counted_by_kind_and_left_alone_by_parse() {
    for (name, kinds, data) in tunnels() {
        let mut decoder = decoder();
        assert!(decoder.decode(&frame(Link::RawIp, &data)).is_ok());
        for tunnel in Tunnel::ALL {
            let met = kinds.iter().filter(|kind| **kind == tunnel).count() as u64;
            assert_eq!(decoder.stats().opened(tunnel), met, "{name}: {tunnel:?}");
        }
        let skip = parse(&frame(Link::RawIp, &data)).map(drop).unwrap_err();
        assert!(matches!(skip, Skip::Udp | Skip::OtherProtocol), "{name}: {skip:?}");
    }
}

#[test]
fn what_is_no_tunnel_is_named() {
    let [v4, v6, eth4, _] = inside();
    let vxlan4 = vxlan(&eth4);
    let with = |body: &[u8], at: usize, byte: u8| {
        let mut body = body.to_vec();
        body[at] = byte;
        body
    };
    let arp = vxlan(&ethernet(&[0x0806], &[0; 28]));
    let erspan = |body: &[u8]| ipv4(47, &[], &gre(0x10, 0x88be, body));
    let five = ipv4(4, &[], &ipv4(4, &[], &ipv4(4, &[], &ipv4(4, &[], &ipv4(4, &[], &v4)))));
    for (index, (skip, data)) in [
        (Skip::Udp, over_udp(4790, &vxlan4)),
        (Skip::Udp, over_udp(4789, &with(&vxlan4, 0, 0))),
        (Skip::Udp, over_udp(4789, &with(&vxlan4, 0, 0x0c))),
        (Skip::Udp, over_udp(4789, &[8, 0, 0, 0])),
        (Skip::Udp, with(&over_udp(4789, &vxlan4), 24, 0xff)),
        (Skip::Udp, with(&over_udp(4789, &vxlan4), 25, 7)),
        (Skip::Udp, over_udp(6081, &with(&geneve(0, 0x0800, &v4), 0, 0x40))),
        (Skip::Udp, over_udp(6081, &with(&geneve(0, 0x0800, &v4), 1, 0x80))),
        (Skip::Udp, over_udp(6081, &[63, 0, 8, 0, 0, 0, 0, 0])),
        (Skip::NotIp, over_udp(6081, &geneve(0, 0x8847, &v4))),
        (Skip::NotIp, over_udp(4789, &arp)),
        (Skip::ShortLink, over_udp(4789, &vxlan(&[0; 5]))),
        (Skip::OtherProtocol, ipv4(47, &[], &with(&gre(0, 0x0800, &v4), 1, 1))),
        (Skip::OtherProtocol, ipv4(47, &[], &with(&gre(0, 0x0800, &v4), 0, 0x40))),
        (Skip::NotIp, ipv4(47, &[], &gre(0, 0x8847, &v4))),
        (Skip::ShortTunnel, ipv4(47, &[], &[0, 0, 8])),
        (Skip::ShortTunnel, ipv4(47, &[], &[0xb0, 0, 8, 0, 0, 0, 0, 0])),
        (Skip::ShortTunnel, erspan(&[0x10, 0, 0])),
        (Skip::OtherProtocol, erspan(&with(&erspan2(&eth4), 0, 0x20))),
        (Skip::OtherProtocol, ipv4(47, &[], &gre(0, 0x22eb, &with(&erspan3(0, false, &eth4), 0, 0x10)))),
        (Skip::NotIp, ipv4(47, &[], &gre(0, 0x22eb, &erspan3(1, false, &eth4)))),
        (Skip::BadIp, ipv4(4, &[], &v6)),
        (Skip::BadIp, ipv4(41, &[], &v4)),
        (Skip::TooDeep, five),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(decoder().decode(&frame(Link::RawIp, &data)).map(drop), Err(skip), "case {index}");
    }
    for (link, data) in [
        (Link::LinuxCooked, cooked(0x0004, &v4)),
        (Link::LinuxCooked2, cooked2(0x0806, &v4)),
        (Link::Null, [&[7, 0, 0, 0], &v4[..]].concat()),
        (Link::Loop, [&[2, 0, 0, 0], &v4[..]].concat()),
    ] {
        assert_eq!(decoder().decode(&frame(link, &data)).map(drop), Err(Skip::NotIp), "{link:?}");
    }
}

#[test]
fn numbers_of_capture_files() {
    let known: Vec<(u32, Link)> =
        (0..400).filter_map(|number| Link::from_linktype(number).map(|link| (number, link))).collect();
    let expected = [
        (0, Link::Null),
        (1, Link::Ethernet),
        (12, Link::RawIp),
        (14, Link::RawIp),
        (101, Link::RawIp),
        (108, Link::Loop),
        (113, Link::LinuxCooked),
        (228, Link::RawIp),
        (229, Link::RawIp),
        (276, Link::LinuxCooked2),
    ];
    assert_eq!(known, expected);
}

/// A capture that cut the frame at `len`: the bytes that are there are right and the rest is counted, or the headers
/// are too short. The same bytes without a word about the cut give no byte that is not there either.
#[test]
fn every_prefix_is_counted_or_named() {
    use Skip::{ShortIp, ShortLink, ShortTcp, ShortTunnel, Udp};
    for (name, link, data) in all() {
        for len in 0..data.len() {
            let cut = Frame { data: &data[..len], ..frame(link, &data) };
            match decoder().decode(&cut) {
                Ok(segment) => {
                    assert!(b"hello".starts_with(segment.payload), "{name} at {len}");
                    // Padding that was cut cannot be told from payload if no length is given; else all is exact.
                    assert_eq!(segment.payload.len() as u32 + segment.missing, 5, "{name} at {len}");
                }
                Err(ShortLink | ShortIp | ShortTcp | ShortTunnel | Udp) => {}
                Err(skip) => panic!("{name} at {len}: {skip:?}"),
            }
            if let Ok(segment) = decoder().decode(&frame(link, &data[..len])) {
                assert!(b"hello".starts_with(segment.payload), "{name} at {len}");
            }
        }
    }
}

#[test]
fn a_card_may_leave_both_lengths_empty() {
    let large = without_len(ipv4(6, &[], &Tcp::with(&[7; 70_000]).bytes()));
    let mut data = over_udp(4789, &vxlan(&ethernet(&[0x0800], &large)));
    data[24..26].fill(0);
    let data = without_len(data);
    let cut = Frame { data: &data[..data.len() - 60_000], ..frame(Link::RawIp, &data) };
    let mut decoder = decoder();
    let segment = decoder.decode(&cut).unwrap();
    assert_eq!((segment.payload.len(), segment.missing), (10_000, 60_000));
}

#[test]
fn every_frame_is_counted_once() {
    let mut decoder = decoder();
    let mut expected = Stats::default();
    for (_, link, data) in all() {
        for len in 0..=data.len() {
            match decoder.decode(&frame(link, &data[..len])) {
                Ok(_) => expected.segments += 1,
                Err(skip) => expected.skips[skip.index()] += 1,
            }
        }
    }
    let stats = decoder.stats();
    assert_eq!((stats.segments, stats.skips), (expected.segments, expected.skips));
    assert_eq!(stats.frames(), all().iter().map(|(_, _, data)| data.len() as u64 + 1).sum::<u64>());
    assert_eq!(stats.skipped(Skip::ShortTcp), expected.skips[Skip::ShortTcp.index()]);
}

/// Valid frames with some bytes overwritten reach further than noise.
fn mangled() -> impl Strategy<Value = (usize, Vec<(usize, u8)>)> {
    (0..all().len(), proptest::collection::vec((0_usize..140, any::<u8>()), 0..6))
}

proptest! {
    #[test]
    fn noise_never_panics(data in proptest::collection::vec(any::<u8>(), 0..300), wire_len: u32) {
        let mut decoder = Decoder::new(Options { verify_checksums: true, ..Options::default() });
        for link in LINKS {
            let _ = decoder.decode(&Frame { at: Nanos(0), link, data: &data, wire_len });
        }
        prop_assert_eq!(decoder.stats().frames(), 6);
    }

    #[test]
    fn mangled_frames_never_panic_and_never_invent_bytes((which, edits) in mangled(), wire_len in 0_u32..300) {
        let (_, link, mut data) = all().swap_remove(which);
        for (at, byte) in edits {
            if let Some(slot) = data.get_mut(at) {
                *slot = byte;
            }
        }
        let mut decoder = decoder();
        if let Ok(segment) = decoder.decode(&Frame { at: Nanos(0), link, data: &data, wire_len }) {
            prop_assert!(segment.payload.len() + 40 <= data.len());
        }
    }

    /// Where there is neither tunnel nor fragment, the two ways to read a frame agree.
    #[test]
    fn the_decoder_agrees_with_parse(which in 0_usize..14, edits in proptest::collection::vec((0_usize..80, any::<u8>()), 0..3)) {
        let (_, link, mut data) = links().swap_remove(which);
        for (at, byte) in edits {
            if let Some(slot) = data.get_mut(at) {
                *slot = byte;
            }
        }
        let plain = parse(&frame(link, &data)).map(|segment| format!("{segment:?}"));
        prop_assume!(!matches!(plain, Err(Skip::Udp | Skip::OtherProtocol | Skip::LaterFragment)));
        let mut decoder = decoder();
        let result = decoder.decode(&frame(link, &data)).map(|segment| format!("{segment:?}"));
        // A first fragment, which is looked at more closely.
        let fragment = matches!(result, Err(Skip::FragmentHeld | Skip::CutFragment | Skip::BadIp));
        prop_assert!(fragment || result == plain, "{:?} and {:?}", result, plain);
    }
}
