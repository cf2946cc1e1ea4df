//! Hand-made frames, every prefix of them, and noise.

use proptest::prelude::*;

use super::sample::{Tcp, ethernet, frame, ipv4, ipv6};
use super::*;

/// An 8-byte extension header that names what follows it.
fn extension(next: u8) -> Vec<u8> {
    vec![next, 0, 0, 0, 0, 0, 0, 0]
}

fn chain(kinds: &[u8], tcp: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for next in kinds.iter().skip(1).copied().chain([6]) {
        body.extend(extension(next));
    }
    body.extend(tcp);
    ipv6(kinds.first().copied().unwrap_or(6), &body)
}

/// An authentication header of 24 bytes: (24 / 4) - 2 = 4.
fn authenticated(tcp: &[u8]) -> Vec<u8> {
    let mut body = vec![6, 4];
    body.extend([0xaa; 22]);
    body.extend(tcp);
    ipv6(51, &body)
}

/// Everything that must parse, with payload "hello" and the ends of `sample`.
fn good() -> Vec<(&'static str, Link, Vec<u8>)> {
    let tcp = Tcp::with(b"hello").bytes();
    let v4 = ipv4(6, &[], &tcp);
    let v6 = ipv6(6, &tcp);
    let optioned = Tcp { options: vec![1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2], ..Tcp::with(b"hello") };
    let mut padded = ethernet(&[0x0800], &v4);
    padded.extend([0x55; 9]);
    let mut padded6 = ethernet(&[0x86dd], &v6);
    padded6.extend([0x55; 9]);
    let mut offloaded = v4.clone();
    offloaded[2..4].fill(0);
    let mut first_fragment = v4.clone();
    first_fragment[6] = 0x20;
    let mut jumbo = chain(&[0], &tcp);
    jumbo[4..6].fill(0);
    let mut atomic = chain(&[44], &tcp);
    atomic[43] = 1; // more fragments follow
    vec![
        ("ipv4", Link::Ethernet, ethernet(&[0x0800], &v4)),
        ("ipv6", Link::Ethernet, ethernet(&[0x86dd], &v6)),
        ("one tag", Link::Ethernet, ethernet(&[0x8100, 0x0800], &v4)),
        ("two tags", Link::Ethernet, ethernet(&[0x88a8, 0x8100, 0x86dd], &v6)),
        ("raw ipv4", Link::RawIp, v4.clone()),
        ("raw ipv6", Link::RawIp, v6),
        ("ipv4 options", Link::RawIp, ipv4(6, &[0x94, 4, 0, 0, 1, 1, 1, 0], &tcp)),
        ("tcp options", Link::RawIp, ipv4(6, &[], &optioned.bytes())),
        ("padding", Link::Ethernet, padded),
        ("padding behind ipv6", Link::Ethernet, padded6),
        ("length zero", Link::RawIp, offloaded),
        ("first fragment", Link::RawIp, first_fragment),
        ("ipv6 length zero", Link::RawIp, jumbo),
        ("ipv6 first fragment", Link::RawIp, atomic),
        ("hop by hop, routing, destination", Link::RawIp, chain(&[0, 43, 60], &tcp)),
        ("authentication", Link::RawIp, authenticated(&tcp)),
        ("as many extensions as are walked", Link::RawIp, chain(&[60; 8], &tcp)),
    ]
}

#[test]
fn every_header_kind_leads_to_the_same_segment() {
    for (name, link, data) in good() {
        let segment = parse(&frame(link, &data)).unwrap_or_else(|skip| panic!("{name}: {skip:?}"));
        let ends = [segment.from.to_string(), segment.to.to_string()];
        let v6 = segment.from.is_ipv6();
        let expected =
            if v6 { ["[fd00::1]:40000", "[fd00::2]:80"] } else { ["10.0.0.1:40000", "10.0.0.2:80"] };
        assert_eq!(ends, expected, "{name}");
        assert_eq!((segment.seq, segment.ack, segment.flags), (7, 9, Flags(0x10)), "{name}");
        assert_eq!((segment.payload, segment.missing), (&b"hello"[..], 0), "{name}");
    }
}

#[test]
fn what_is_no_segment_is_named() {
    let tcp = Tcp::with(b"hello").bytes();
    let v4 = ipv4(6, &[], &tcp);
    let changed = |at: usize, to: u8| {
        let mut data = v4.clone();
        data[at] = to;
        data
    };
    let flagged = |flags| ipv4(6, &[], &Tcp { flags, ..Tcp::with(b"") }.bytes());
    let mut later6 = chain(&[44], &tcp);
    later6[43] = 8; // offset of one unit
    let cases: Vec<(Skip, Link, Vec<u8>)> = vec![
        (Skip::NotIp, Link::Ethernet, ethernet(&[0x0806], &[0; 28])),
        (Skip::NotIp, Link::Ethernet, ethernet(&[0x0026], &[0; 38])),
        (Skip::NotIp, Link::RawIp, vec![0x50; 40]),
        (Skip::TooManyTags, Link::Ethernet, ethernet(&[0x8100, 0x8100, 0x8100, 0x0800], &v4)),
        (Skip::BadIp, Link::Ethernet, ethernet(&[0x86dd], &v4)),
        (Skip::BadIp, Link::Ethernet, ethernet(&[0x0800], &ipv6(6, &tcp))),
        (Skip::BadIp, Link::RawIp, changed(0, 0x44)),
        (Skip::BadIp, Link::RawIp, changed(3, 19)),
        (Skip::LaterFragment, Link::RawIp, changed(7, 1)),
        (Skip::LaterFragment, Link::RawIp, later6),
        (Skip::Udp, Link::RawIp, ipv4(17, &[], &[0; 8])),
        (Skip::Udp, Link::RawIp, ipv6(17, &[0; 8])),
        (Skip::OtherProtocol, Link::RawIp, ipv4(1, &[], &[0; 8])),
        (Skip::OtherProtocol, Link::RawIp, ipv6(59, &[])),
        (Skip::OtherProtocol, Link::RawIp, ipv6(50, &[0; 24])),
        (Skip::TooManyExtensions, Link::RawIp, chain(&[60; 9], &tcp)),
        (Skip::BadIp, Link::RawIp, ipv6(0, &[6, 0, 0, 0])),
        (Skip::BadIp, Link::RawIp, ipv6(0, &[6, 1, 0, 0, 0, 0, 0, 0])),
        (Skip::BadTcp, Link::RawIp, changed(3, 39)),
        (Skip::BadTcp, Link::RawIp, changed(32, 0x40)),
        (Skip::BadTcp, Link::RawIp, changed(32, 0xf0)),
        (Skip::BadTcp, Link::RawIp, flagged(0x03)),
        (Skip::BadTcp, Link::RawIp, flagged(0x06)),
    ];
    for (index, (skip, link, data)) in cases.into_iter().enumerate() {
        assert_eq!(parse(&frame(link, &data)).map(|_| ()), Err(skip), "case {index}");
    }
}

/// A capture that cut the frame at `len`: the bytes that are there are right and the rest is counted, or the
/// headers are too short.
#[test]
fn every_prefix_is_counted_or_named() {
    for (name, link, data) in good() {
        for len in 0..data.len() {
            let cut = Frame { data: &data[..len], ..frame(link, &data) };
            match parse(&cut) {
                Ok(segment) => {
                    assert!(b"hello".starts_with(segment.payload), "{name} at {len}");
                    assert_eq!(segment.payload.len() as u32 + segment.missing, 5, "{name} at {len}");
                }
                Err(Skip::ShortLink | Skip::ShortIp | Skip::ShortTcp) => {}
                Err(skip) => panic!("{name} at {len}: {skip:?}"),
            }
        }
    }
}

#[test]
fn an_offloaded_packet_may_be_longer_than_its_length_field() {
    let mut data = ipv4(6, &[], &Tcp::with(&[7; 100_000]).bytes());
    data[2..4].fill(0);
    let segment = parse(&frame(Link::RawIp, &data)).unwrap();
    assert_eq!((segment.payload.len(), segment.missing), (100_000, 0));
    let cut = Frame { data: &data[..140], ..frame(Link::RawIp, &data) };
    let segment = parse(&cut).unwrap();
    assert_eq!((segment.payload.len(), segment.missing), (100, 99_900));
}

/// Valid headers with some bytes overwritten reach further into the parser than pure noise.
fn mangled() -> impl Strategy<Value = (usize, Vec<(usize, u8)>)> {
    (0..good().len(), proptest::collection::vec((0_usize..80, any::<u8>()), 0..6))
}

proptest! {
    #[test]
    fn noise_never_panics(data in proptest::collection::vec(any::<u8>(), 0..200), wire_len: u32) {
        for link in [Link::Ethernet, Link::RawIp] {
            let _ = parse(&Frame { at: Nanos(0), link, data: &data, wire_len });
        }
    }

    #[test]
    fn mangled_frames_never_panic_and_never_invent_bytes((which, edits) in mangled(), wire_len in 0_u32..300) {
        let (_, link, mut data) = good().swap_remove(which);
        for (at, byte) in edits {
            if let Some(slot) = data.get_mut(at) {
                *slot = byte;
            }
        }
        if let Ok(segment) = parse(&Frame { at: Nanos(0), link, data: &data, wire_len }) {
            prop_assert!(segment.payload.len() + 40 <= data.len());
        }
    }
}
