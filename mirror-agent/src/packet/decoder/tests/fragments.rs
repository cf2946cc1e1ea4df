//! Datagrams cut to fragments: in any order, with copies, in tunnels, and with some missing.

use std::collections::BTreeSet;

use super::*;
use crate::packet::sample::wrap::{fragment4, fragment6};

/// How a datagram travels.
#[derive(Clone, Copy, Debug)]
enum Way {
    V4,
    V6,
    /// Behind an options header that is in the part that was cut.
    V6Options,
    /// The fragments each in a tunnel.
    Inside,
    /// The tunnel's packet in fragments.
    Outside,
}

const WAYS: [Way; 5] = [Way::V4, Way::V6, Way::V6Options, Way::Inside, Way::Outside];

/// The raw packets that a TCP segment becomes when it is cut at these places (in units of 8 bytes).
fn cut(way: Way, tcp: &[u8], places: &BTreeSet<usize>) -> Vec<Vec<u8>> {
    let whole = match way {
        Way::V4 | Way::V6 | Way::Inside => tcp.to_vec(),
        Way::V6Options => [&[6, 0, 1, 4, 0, 0, 0, 0], tcp].concat(),
        Way::Outside => gre(0, 0x0800, &ipv4(6, &[], tcp)),
    };
    let mut ends: Vec<usize> = places.iter().map(|place| place * 8).filter(|at| *at < whole.len()).collect();
    ends.push(whole.len());
    let mut packets = Vec::new();
    let mut start = 0;
    for end in ends {
        let (more, part) = (end < whole.len(), &whole[start..end]);
        packets.push(match way {
            Way::V4 => fragment4(1, start, more, part),
            Way::V6 => fragment6(6, 1, start, more, part),
            Way::V6Options => fragment6(60, 1, start, more, part),
            Way::Inside => over_udp(4789, &vxlan(&ethernet(&[0x0800], &fragment4(1, start, more, part)))),
            Way::Outside => {
                let mut packet = fragment4(1, start, more, part);
                packet[9] = 47;
                packet
            }
        });
        start = end;
    }
    packets
}

fn balanced(decoder: &Decoder) -> bool {
    let stats = decoder.stats();
    stats.skipped(Skip::FragmentHeld) == stats.fragments.fragments.sum() + stats.fragments.waiting
}

#[test]
fn a_first_fragment_is_not_taken_for_the_whole() {
    let tcp = Tcp { flags: 0x11, ..Tcp::with(&[7; 100]) }.bytes();
    for way in [Way::V4, Way::V6] {
        let packets = cut(way, &tcp, &[8].into());
        let segment = parse(&frame(Link::RawIp, &packets[0])).unwrap();
        assert_eq!((segment.payload, segment.flags), (&[7; 44][..], Flags(0x10)), "{way:?}");
        assert_eq!(parse(&frame(Link::RawIp, &packets[1])).map(drop), Err(Skip::LaterFragment));
        let mut decoder = decoder();
        assert_eq!(decoder.decode(&frame(Link::RawIp, &packets[0])).map(drop), Err(Skip::FragmentHeld));
        let segment = decoder.decode(&frame(Link::RawIp, &packets[1])).unwrap();
        assert_eq!((segment.payload, segment.flags), (&[7; 100][..], Flags(0x11)), "{way:?}");
    }
}

#[test]
fn fragments_that_cannot_be_used_are_named() {
    let part = [7; 24];
    let mut unsaid = fragment4(1, 0, true, &part);
    unsaid[2..4].fill(0);
    for (index, (skip, data)) in [
        (Skip::BadIp, fragment4(1, 0, true, &part[..23])),
        (Skip::BadIp, fragment4(1, 8, false, &[])),
        (Skip::BadIp, fragment4(1, 65_528, false, &part)),
        (Skip::BadIp, unsaid),
        (Skip::FragmentHeld, fragment4(1, 65_528, false, &part[..7])),
        (Skip::FragmentHeld, fragment4(1, 8, false, &part[..1])),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(decoder().decode(&frame(Link::RawIp, &data)).map(drop), Err(skip), "case {index}");
    }
    let data = fragment4(1, 0, true, &part);
    let cut = Frame { data: &data[..40], ..frame(Link::RawIp, &data) };
    assert_eq!(decoder().decode(&cut).map(drop), Err(Skip::CutFragment));
}

/// The last fragment of a datagram that is the last fragment of a datagram, and so on: each completes the next.
#[test]
fn fragments_of_fragments_are_bounded() {
    let tcp = Tcp::with(b"hello").bytes();
    for layers in 1..8_u16 {
        let mut decoder = decoder();
        let (mut next, mut at, mut whole) = (6, 16, tcp.clone());
        for id in 0..layers {
            let first = fragment6(next, id, 0, true, &whole[..at]);
            assert_eq!(decoder.decode(&frame(Link::RawIp, &first)).map(drop), Err(Skip::FragmentHeld));
            // Behind the 40 bytes of IPv6 stands what is inside the next.
            whole = fragment6(next, id, at, false, &whole[at..]).split_off(40);
            (next, at) = (44, 8);
        }
        let last = ipv6(44, &whole);
        let expected = if usize::from(layers) <= MAX_TUNNELS + 1 { Ok(()) } else { Err(Skip::TooDeep) };
        assert_eq!(decoder.decode(&frame(Link::RawIp, &last)).map(drop), expected, "{layers}");
        assert!(balanced(&decoder));
    }
}

proptest! {
    /// The oracle is the set of fragments that came: when all are there, the segment is what was cut.
    #[test]
    fn any_order_with_copies_gives_the_bytes(
        way in 0_usize..5,
        payload in proptest::collection::vec(any::<u8>(), 1..2000),
        places in proptest::collection::btree_set(1_usize..250, 1..9),
        order in proptest::collection::vec(any::<proptest::sample::Index>(), 1..40),
    ) {
        let tcp = Tcp::with(&payload).bytes();
        let packets = cut(WAYS[way], &tcp, &places);
        prop_assume!(packets.len() > 1);
        let mut decoder = decoder();
        let mut there = BTreeSet::new();
        for index in order {
            let index = index.index(packets.len());
            let result = decoder.decode(&frame(Link::RawIp, &packets[index]));
            if !there.insert(index) {
                prop_assert_eq!(result.map(drop), Err(Skip::FragmentCopy));
            } else if there.len() < packets.len() {
                prop_assert_eq!(result.map(drop), Err(Skip::FragmentHeld));
            } else {
                let segment = result.unwrap();
                prop_assert_eq!((segment.payload, segment.missing), (&payload[..], 0));
                there.clear();
            }
            prop_assert!(balanced(&decoder));
            prop_assert_eq!(decoder.stats().fragments.waiting, there.len() as u64);
        }
    }

    #[test]
    fn with_one_missing_there_is_never_a_segment(
        way in 0_usize..5,
        places in proptest::collection::btree_set(1_usize..60, 1..9),
        missing: proptest::sample::Index,
        order in proptest::collection::vec(any::<proptest::sample::Index>(), 1..60),
    ) {
        let mut packets = cut(WAYS[way], &Tcp::with(&[7; 500]).bytes(), &places);
        packets.remove(missing.index(packets.len()));
        prop_assume!(!packets.is_empty());
        let mut decoder = decoder();
        for index in order {
            prop_assert!(decoder.decode(&frame(Link::RawIp, &packets[index.index(packets.len())])).is_err());
        }
    }
}
