//! The caps and the lease where numbers end, and the same packet read by every way there is.

use mirror_common::flow::{Flow, FlowKey};
use mirror_common::policy::{Buckets, ServicePolicy};

use crate::connection::{CLIENT, Connection, GET, OK, SERVER};
use crate::frame::{ACK, IPV4, IPV6, SYN, TCP, VLAN, ethernet, ipv4, ipv6, stamped, tagged};
use crate::programs::{IN, Meta, Programs, RAW_EGRESS, RAW_INGRESS, WHOLE};

#[test]
fn a_lease_holds_before_its_end_and_never_after() {
    let mut programs = Programs::with_services();
    for (lease, end) in
        [(u64::MAX, "cloned"), (0, "lease_expired"), (1, "lease_expired"), (u64::MAX - 1, "cloned")]
    {
        let before = programs.ends(0).iter().find(|(name, _)| *name == end).map_or(0, |(_, count)| *count);
        programs.steer(|control| control.lease_until = lease);
        Connection::new(&programs, 0, 9).packet(CLIENT, SYN, b"");
        assert!(programs.ends(0).contains(&(end, before + 1)), "{lease}: {:?}", programs.ends(0));
    }
}

/// Whatever stands there: no packet is lost, the answer is the rule's, and nothing wraps.
#[test]
fn buckets_at_the_end_of_time() {
    let mut programs = Programs::with_services();
    let all = |word| Buckets { packets: word, bytes: word, connections: word, open: 0 };
    let cases = [
        // bucket, burst, cost: whether one packet, and one more, are cloned
        (u64::MAX, 0, 1, [false, false]),
        (u64::MAX - 5, 0, 1 << 40, [false, false]),
        (u64::MAX, u64::MAX, 1 << 40, [true, true]),
        (u64::MAX - 5, u64::MAX, 1 << 40, [true, true]),
        (0, u64::MAX, 1 << 40, [true, true]),
        (0, 0, 1 << 40, [true, false]),
        (0, 0, 1 << 46, [true, false]),
    ];
    for (index, (bucket, burst, cost, expect)) in cases.into_iter().enumerate() {
        let service = index as u8;
        programs.set_policy(service, ServicePolicy { packet_cost: cost, byte_cost: cost, burst, ..WHOLE });
        programs.set_buckets(service, all(bucket));
        let cloned = || programs.counts.service(service).unwrap().packets[1];
        for (n, expect) in expect.into_iter().enumerate() {
            let before = cloned();
            Connection::new(&programs, service, 1 + n as u16).packet(CLIENT, SYN, b"");
            assert_eq!(cloned() - before, u64::from(expect), "case {index}, packet {n}");
        }
        let after = programs.buckets(service);
        assert!(after.packets >= bucket && after.bytes >= bucket, "case {index}: {after:?}");
    }
}

/// A cost that no config makes: the packet may pass or not, but it must use up what it costs.
#[test]
fn the_highest_cost_does_not_wrap() {
    let mut programs = Programs::with_services();
    for (service, cost) in [(0, u64::MAX), (1, 1 << 63), (2, 1 << 62)] {
        programs.set_policy(service, ServicePolicy { byte_cost: cost, burst: 0, ..WHOLE });
        for port in 1..=3 {
            Connection::new(&programs, service, port).packet(CLIENT, SYN, b"");
        }
        assert_eq!(programs.ends(service), [("cloned", 1), ("capped", 2)], "{cost:#x}");
    }
}

/// What remains of a flow when its times are taken away.
fn timeless(flow: Option<Flow>) -> Option<Flow> {
    let flow = flow?;
    let is_set = |times: [u64; 2]| times.map(|time| u64::from(time != 0));
    let (last_seen, request_first, request_last, response_first, response_last) = (0, 0, 0, 0, 0);
    let (pending_ttfb, pending_total) = (0, 0);
    let echo_since = is_set(flow.echo_since);
    Some(Flow {
        last_seen,
        request_first,
        request_last,
        response_first,
        response_last,
        pending_ttfb,
        pending_total,
        echo_since,
        hook: [0; 2],
        ..flow
    })
}

/// In place, piece by piece behind a tag or options, and without a link header: one packet says one thing.
#[test]
fn every_way_to_read_a_packet_reads_the_same() {
    let mut programs = Programs::load();
    programs.load_raw();
    programs.know("10.0.0.2:80".parse().unwrap(), 0, 0, 0);
    programs.know("[fd00::2]:80".parse().unwrap(), 0, 0, 0);
    let raw = |from: usize| Meta { program: [RAW_INGRESS, RAW_EGRESS][from], ..IN };
    type Wrap = fn(u16, &[u8]) -> Vec<u8>;
    let ways: [(Wrap, bool); 4] = [
        (|kind, packet| ethernet(kind, packet), false),
        (|kind, packet| tagged(&[VLAN], kind, packet), false),
        (|kind, packet| [&ethernet(kind, packet)[..], &[0; 9]].concat(), false),
        (|_, packet| packet.to_vec(), true),
    ];
    for version in [4, 6] {
        let mut found = Vec::new();
        for (way, (wrap, is_raw)) in ways.into_iter().enumerate() {
            let port = 1000; // the same for all, so that the flows are equal
            let talk: [(usize, u8, u32, &[u8]); 6] = [
                (CLIENT, SYN, 7, b""),
                (SERVER, SYN | ACK, 100, b""),
                (CLIENT, ACK, 8, b""),
                (CLIENT, ACK, 8, GET),
                (SERVER, ACK, 101, OK),
                (CLIENT, ACK, 8 + GET.len() as u32, &GET[..30]),
            ];
            let mut seen = Vec::new();
            for (at, (from, flags, sequence, payload)) in talk.into_iter().enumerate() {
                let ports = if from == CLIENT { [port, 80] } else { [80, port] };
                let transport =
                    stamped(ports, [sequence, 1], flags, [50 + at as u32, 49 + at as u32], payload);
                let (kind, packet) = if version == 4 {
                    let ends = ["10.0.0.1", "10.0.0.2"].map(|ip| ip.parse().unwrap());
                    (IPV4, ipv4(ends[from], ends[1 - from], TCP, 0x4000, &[], &transport))
                } else {
                    let ends = ["fd00::1", "fd00::2"].map(|ip| ip.parse().unwrap());
                    (IPV6, ipv6(ends[from], ends[1 - from], TCP, &[], &transport))
                };
                programs.run(&wrap(kind, &packet), if is_raw { raw(from) } else { IN });
                let flows: Vec<(FlowKey, Flow)> = programs.flows();
                seen.push(timeless(flows.first().map(|(_, flow)| *flow)));
            }
            programs.flows().iter().for_each(|(key, _)| programs.forget(key));
            found.push((way, seen));
        }
        for (way, seen) in &found {
            for (at, (seen, plain)) in seen.iter().zip(&found[0].1).enumerate() {
                assert_eq!(seen, plain, "packet {at}, way {way} of IPv{version}");
            }
        }
    }
    assert_eq!((programs.skips(), programs.ends(0)), (vec![], vec![("cloned", 48)]));
    std::mem::forget(programs); // flows were taken out with their turns
}
