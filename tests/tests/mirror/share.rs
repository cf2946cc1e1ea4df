//! At share 10 %: a tenth of the connections, each whole, both directions, and nothing of the others.

use std::collections::{BTreeMap, BTreeSet};

use mirror_tests::nginx::Line;
use mirror_tests::world::Host;

use crate::ledger::{assert_all_compared, assert_balanced, count};
use crate::setup::{finish, mirror, nginx, start_curl, url};

const CURLS: usize = 4;
const PER_CURL: usize = 1500;
/// v1 closes a connection after so many requests, so that one curl makes many connections.
const PER_CONNECTION: usize = 3;
const CONNECTIONS: usize = CURLS * PER_CURL / PER_CONNECTION;

fn targets(lines: &[Line]) -> BTreeMap<u64, BTreeSet<String>> {
    let mut connections = BTreeMap::<u64, BTreeSet<String>>::new();
    for line in lines {
        assert!(
            connections.entry(line.connection).or_default().insert(line.target.clone()),
            "{line:?} came twice"
        );
    }
    connections
}

#[test]
fn a_tenth_of_the_connections_is_mirrored_and_each_of_them_whole() {
    let (world, v1, v2) = nginx(PER_CONNECTION as u32);
    let agent = mirror(&world, &["--share", "10%"]);
    let curls = (0..CURLS).map(|n| start_curl(&world, &[&url(Host::V1, &format!("/s{n}/[1-{PER_CURL}]"))]));
    finish(curls.collect());
    let status = agent.stop().unwrap();

    let (sent, copied) = (targets(&v1.log().unwrap()), targets(&v2.log().unwrap()));
    assert_eq!(sent.len(), CONNECTIONS);
    let sent: BTreeSet<_> = sent.into_values().collect();
    let whole: BTreeSet<_> = copied.values().cloned().collect();
    assert_eq!(whole.len(), copied.len(), "a connection was mirrored twice");
    assert!(whole.is_subset(&sent), "a connection was mirrored in part");
    let (mean, deviation) = (CONNECTIONS as f64 * 0.1, (CONNECTIONS as f64 * 0.1 * 0.9).sqrt());
    assert!((whole.len() as f64 - mean).abs() <= 5.0 * deviation, "{} connections", whole.len());

    // Had one direction been decided otherwise than the other, requests would lack their answers here.
    assert_all_compared(&status, whole.len() * PER_CONNECTION);
    let out = count(&status, "/packets/share_out");
    assert_eq!(count(&status, "/packets/matched"), count(&status, "/packets/cloned") + out);
    assert!(out > 0);
    assert_balanced(&status);
}
