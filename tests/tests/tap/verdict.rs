//! Invariant 1: whatever the packet, the verdict is "next", and the ledger balances. (`Programs` asserts both.)

use std::net::{Ipv4Addr, Ipv6Addr};

use mirror_agent::kernel::object::{EGRESS, INGRESS};
use mirror_common::flow::role;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::test_runner::{Config, TestRunner};

use crate::connection::{GET, OK};
use crate::frame::{
    ACK, FIN, IPV4, IPV6, QINQ, RST, SYN, TCP, VLAN, datagram, ethernet, ipv4, ipv6, segment, tagged, tcp,
};
use crate::programs::{IN, Meta, Programs};
use crate::reuse::Loaded;

/// The shortest frame of a kind that a test run takes. Shorter IP headers are tried behind a VLAN tag.
fn shortest(frame: &[u8]) -> usize {
    match u16::from_be_bytes([frame[12], frame[13]]) {
        IPV4 => 14 + 20,
        IPV6 => 14 + 40,
        _ => 14 + 1,
    }
}

const A: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 0, 0, 1), 40_000);
const B: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 0, 0, 2), 8080);

fn programs() -> Loaded {
    let mut programs = Programs::load();
    programs.steer(|control| control.everything = 1);
    programs.know(B.into(), 1, 0, role::PRIMARY);
    programs
}

/// One of each shape, with a payload.
fn samples() -> Vec<Vec<u8>> {
    let (a6, b6) = (Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST);
    let request = tcp(A.1, B.1, 8, ACK, GET);
    let headers = [0, 60, 43].map(|kind| (kind, vec![0; 8])).to_vec();
    let fragment = (44, vec![0, 0, 0, 1, 0, 0, 0, 1]);
    vec![
        segment(A.into(), B.into(), 7, SYN, b""),
        segment(A.into(), B.into(), 8, ACK, GET),
        segment(B.into(), A.into(), 8, ACK, OK),
        segment(A.into(), B.into(), 8, FIN | ACK, b"x"),
        segment(B.into(), A.into(), 8, RST, b""),
        datagram(A.into(), B.into(), b"some data"),
        ethernet(IPV4, &ipv4(A.0, B.0, TCP, 0x4000, &[1; 40], &request)),
        ethernet(IPV4, &ipv4(A.0, B.0, TCP, 0x2001, &[], &request)),
        ethernet(IPV6, &ipv6(a6, b6, TCP, &headers, &request)),
        ethernet(IPV6, &ipv6(a6, b6, TCP, &[fragment], &request)),
        tagged(&[QINQ, VLAN], IPV4, &ipv4(A.0, B.0, TCP, 0, &[], &request)),
        tagged(&[VLAN], IPV6, &ipv6(a6, b6, TCP, &headers, &request)),
        tagged(&[QINQ, VLAN, VLAN], IPV4, &ipv4(A.0, B.0, TCP, 0, &[], &request)),
    ]
}

/// The sum of everything that was counted.
fn counted(programs: &Programs) -> u64 {
    let skipped = programs.skips().iter().map(|(_, count)| count).sum::<u64>();
    (0..64).map(|service| programs.counts.service(service).unwrap().packets[0]).sum::<u64>() + skipped
}

#[test]
fn every_prefix_of_every_shape_passes_and_is_counted_once() {
    let programs = programs();
    let mut ran = 0;
    for sample in samples() {
        for len in shortest(&sample)..=sample.len() {
            programs.run(&sample[..len], IN);
            ran += 1;
        }
    }
    assert_eq!(counted(&programs), ran);
}

/// Where a prefix is cut on the wire, its headers do not change; where a byte is hostile, one does.
#[test]
fn every_byte_of_every_header_may_be_anything() {
    let programs = programs();
    for sample in samples() {
        for at in 12..sample.len().min(100) {
            for byte in [0, 1, 0x0f, 0x40, 0x7f, 0x80, 0xff] {
                let mut frame = sample.clone();
                frame[at] = byte;
                programs.run(&frame, IN);
            }
        }
    }
}

#[test]
fn random_bytes_pass() {
    let programs = programs();
    let ethertype = proptest::sample::select(vec![IPV4, IPV6, VLAN, QINQ, 0x0806]);
    let first = proptest::sample::select(vec![0x45u8, 0x46, 0x4f, 0x60, 0x00, 0xff]);
    let tags = proptest::sample::select(vec![&[][..], &[VLAN], &[QINQ, VLAN], &[QINQ, VLAN, VLAN]]);
    let frames = (tags, ethertype, first, vec(any::<u8>(), 0..300), any::<bool>(), any::<u32>());
    let frames = frames.prop_map(|(tags, ethertype, first, rest, is_out, mark)| {
        let program = if is_out { EGRESS } else { INGRESS };
        let mut frame = tagged(tags, ethertype, &[&[first], &rest[..]].concat());
        frame.resize(frame.len().max(shortest(&frame)), 0);
        (frame, Meta { program, mark, ..IN })
    });
    TestRunner::new(Config {
        cases: 4096,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..Config::default()
    })
    .run(&frames, |(frame, meta)| {
        programs.run(&frame, meta);
        Ok(())
    })
    .unwrap();
    assert_eq!(counted(&programs), 4096);
}

/// A few connections, any flags, any bytes of HTTP in any order: the turns balance after each step.
#[test]
fn random_talks_balance() {
    let programs = programs();
    let texts: [&[u8]; 7] = [b"", b"x", &GET[..20], GET, OK, &OK[..10], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"];
    let flags = proptest::sample::select(vec![ACK, ACK, ACK, ACK, SYN, FIN | ACK, RST, SYN | ACK, 0xff, 0]);
    let step = (any::<bool>(), 0..3u16, 0..300u32, flags, 0..texts.len());
    TestRunner::new(Config {
        cases: 512,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..Config::default()
    })
    .run(&vec(step, 1..40), |steps| {
        for (from_client, port, sequence, flags, text) in steps {
            let client = (A.0, A.1 + port).into();
            let (from, to) = if from_client { (client, B.into()) } else { (B.into(), client) };
            programs.run(&segment(from, to, sequence, flags, texts[text]), IN);
        }
        programs.assert_balance();
        Ok(())
    })
    .unwrap();
}
