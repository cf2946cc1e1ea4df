//! Checksums that are right, wrong, and left to the card.

use super::*;
use crate::packet::sample::wrap::{fragment4, sign_ipv4, tcp_sums};

/// A raw packet with this TCP checksum, whose IPv4 header is right.
fn packet(v6: bool, tcp: &[u8], sum: u16) -> Vec<u8> {
    let mut tcp = tcp.to_vec();
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    if v6 {
        return ipv6(6, &tcp);
    }
    let mut packet = ipv4(6, &[0x94, 4, 0, 0], &tcp);
    sign_ipv4(&mut packet);
    packet
}

fn verifying() -> Decoder {
    Decoder::new(Options { verify_checksums: true, ..Options::default() })
}

/// Whether there is a segment, how many checksums were unfinished and how many could not be looked at.
fn check(data: &[u8]) -> (Result<(), Skip>, u64, u64) {
    let mut decoder = verifying();
    let result = decoder.decode(&frame(Link::RawIp, data)).map(drop);
    (result, decoder.stats().unfinished_checksums, decoder.stats().unverified_checksums)
}

#[test]
fn right_wrong_and_unfinished_tcp() {
    for v6 in [false, true] {
        for payload in [&b"hello"[..], b"", b"even", &[0xff; 1400]] {
            let tcp = Tcp::with(payload).bytes();
            let (right, partial) = tcp_sums(v6, &tcp);
            let without_len = partial.wrapping_sub(tcp.len() as u16);
            assert_eq!(check(&packet(v6, &tcp, right)), (Ok(()), 0, 0));
            assert_eq!(check(&packet(v6, &tcp, partial)), (Ok(()), 1, 0));
            if without_len < partial {
                assert_eq!(check(&packet(v6, &tcp, without_len)), (Ok(()), 1, 0));
            }
            assert_eq!(check(&packet(v6, &tcp, right ^ 0x0100)), (Err(Skip::BadChecksum), 0, 0));
            assert_eq!(check(&packet(v6, &tcp, 0)).0, Err(Skip::BadChecksum));
        }
    }
}

#[test]
fn every_bit_of_a_packet_counts() {
    for v6 in [false, true] {
        let tcp = Tcp::with(b"hello").bytes();
        let good = packet(v6, &tcp, tcp_sums(v6, &tcp).0);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 0x80 >> (bit % 8);
            // IPv6 has fields that no checksum looks at (class, flow label, hop limit); and with a length beyond the
            // capture's end there is nothing to check.
            let free = v6 && matches!(bit, 4..32 | 56..64) || check(&bad).2 == 1;
            assert!(check(&bad).2 == 0 || v6 && matches!(bit, 32..48), "bit {bit}");
            assert_eq!(check(&bad).0.is_ok(), free, "bit {bit}");
        }
    }
}

#[test]
fn ipv4_headers_are_looked_at_on_the_way_in() {
    let tcp = Tcp::with(b"hello").bytes();
    let inner = packet(false, &tcp, tcp_sums(false, &tcp).0);
    let mut outer = ipv4(4, &[], &inner);
    assert_eq!(check(&outer), (Ok(()), 1, 0));
    sign_ipv4(&mut outer);
    assert_eq!(check(&outer), (Ok(()), 0, 0));
    outer[11] ^= 1;
    assert_eq!(check(&outer), (Err(Skip::BadChecksum), 0, 0));
    assert!(decoder().decode(&frame(Link::RawIp, &outer)).is_ok());
}

#[test]
fn what_is_not_there_is_not_looked_at() {
    let tcp = Tcp::with(b"hello").bytes();
    let wrong = packet(false, &tcp, 1);
    let mut decoder = verifying();
    let cut = Frame { data: &wrong[..wrong.len() - 1], ..frame(Link::RawIp, &wrong) };
    assert!(decoder.decode(&cut).is_ok());
    assert_eq!(decoder.stats().unverified_checksums, 1);
    // A routing header with a stop left: the destination is not the one that was summed.
    let routed = ipv6(43, &[&[6, 0, 0, 1, 0, 0, 0, 0], &tcp[..]].concat());
    assert_eq!(check(&routed), (Ok(()), 0, 1));
}

#[test]
fn a_joined_datagram_is_looked_at_as_a_whole() {
    let mut tcp = Tcp::with(&[9; 100]).bytes();
    let (right, _) = tcp_sums(false, &tcp);
    for (sum, expected) in [(right, Ok(())), (right ^ 1, Err(Skip::BadChecksum))] {
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
        let mut decoder = verifying();
        let mut parts = [fragment4(1, 0, true, &tcp[..64]), fragment4(1, 64, false, &tcp[64..])];
        parts.iter_mut().for_each(|part| sign_ipv4(part));
        assert_eq!(decoder.decode(&frame(Link::RawIp, &parts[0])).map(drop), Err(Skip::FragmentHeld));
        assert_eq!(decoder.decode(&frame(Link::RawIp, &parts[1])).map(drop), expected);
    }
}
