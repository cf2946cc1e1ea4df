//! The share: decided once per connection, for both of its directions, by the published hash.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use mirror_common::flow::{decision, role};
use mirror_common::policy::ServicePolicy;
use mirror_common::share::is_in;
use proptest::arbitrary::any;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use crate::connection::{CLIENT, Connection, GET, OK, SERVER};
use crate::frame::SYN;
use crate::programs::{Programs, address_of};

const PERCENT: u32 = 10_000;

fn share(share_ppm: u32) -> ServicePolicy {
    ServicePolicy { seed: 0x5eed, ..ServicePolicy::of_share(share_ppm) }
}

/// Clients of both families, always the same.
fn clients(count: usize) -> Vec<(SocketAddr, SocketAddr)> {
    let mut runner = TestRunner::deterministic();
    let mut client = || (any::<(u32, u128, u16, bool)>()).new_tree(&mut runner).unwrap().current();
    (0..count)
        .map(|_| match client() {
            (ip, _, port, true) => ((Ipv4Addr::from_bits(ip), port).into(), address_of(0)),
            (_, ip, port, false) => {
                ((Ipv6Addr::from_bits(ip), port).into(), (Ipv6Addr::LOCALHOST, 8000).into())
            }
        })
        .collect()
}

#[test]
fn the_kernel_takes_the_published_decision_whichever_direction_it_sees_first() {
    let mut programs = Programs::with_services();
    programs.know((Ipv6Addr::LOCALHOST, 8000).into(), 0, 0, role::PRIMARY);
    for ppm in [PERCENT, 10 * PERCENT, 50 * PERCENT] {
        programs.set_policy(0, share(ppm));
        let mut inside = 0;
        for (n, (client, server)) in clients(2000).into_iter().enumerate() {
            let c = Connection::between(&programs, 0, client, server);
            c.at(n % 2, 0, SYN, b"");
            let mirror = c.flow().unwrap().decision == decision::MIRROR;
            assert_eq!(mirror, is_in(c.key().hash(0x5eed), ppm), "{client}");
            inside += u32::from(mirror);
            c.at(CLIENT, 0, crate::frame::RST, b"");
        }
        let (expect, p) = (f64::from(ppm) / 500.0, f64::from(ppm) / 1e6);
        let sigma = (2000.0 * p * (1.0 - p)).sqrt();
        assert!((f64::from(inside) - expect).abs() < 4.0 * sigma, "{inside} of 2000 at {ppm} ppm");
    }
}

#[test]
fn a_connection_is_mirrored_whole_or_not_at_all() {
    let mut programs = Programs::with_services();
    for service in 0..16 {
        programs.set_policy(service, share(50 * PERCENT));
        let mut c = Connection::open(&programs, service);
        c.turn(GET, OK);
        c.fin(SERVER);
        c.fin(CLIENT);
        c.packet(SERVER, crate::frame::ACK, b"");
        let end = if is_in(c.key().hash(0x5eed), 50 * PERCENT) { "cloned" } else { "share_out" };
        assert_eq!(programs.ends(service), [(end, 8)]);
    }
}

#[test]
fn a_connection_keeps_its_decision_when_the_share_changes() {
    let mut programs = Programs::with_services();
    programs.set_policy(0, share(100 * PERCENT));
    Connection::open(&programs, 0);
    programs.set_policy(0, share(1));
    let mut c = Connection::new(&programs, 0, 40_000);
    c.next = [0, 1001];
    c.turn(GET, OK);
    assert_eq!(programs.ends(0), [("cloned", 5)]);

    programs.set_policy(1, share(1));
    Connection::open(&programs, 1);
    programs.set_policy(1, share(100 * PERCENT));
    Connection::new(&programs, 1, 40_000).turn(GET, OK);
    assert_eq!(programs.ends(1), [("share_out", 5)]);
}

#[test]
fn a_share_of_zero_stops_open_connections_too() {
    let mut programs = Programs::with_services();
    Connection::open(&programs, 0);
    programs.set_policy(0, share(0));
    Connection::new(&programs, 0, 40_000).turn(GET, OK);
    assert_eq!(programs.ends(0), [("cloned", 3), ("share_out", 2)]);
    programs.set_policy(0, share(100 * PERCENT));
    Connection::new(&programs, 0, 40_000).turn(GET, OK);
    assert_eq!(programs.ends(0), [("cloned", 5), ("share_out", 2)]);
}
