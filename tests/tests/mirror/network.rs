//! What the kernel tells beside turns: the network's part, exact thresholds, and connections that a cap has cut.

use std::process::Command;

use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use serde_json::Value;

use crate::client::Connection;
use crate::ledger::{PATIENCE, assert_balanced, settle};
use crate::setup::{mirror, services};

/// One sample of the agent's metrics whose labels include all of these.
fn sample(metrics: &str, family: &str, labels: &[&str]) -> f64 {
    let lines = metrics.lines().filter(|line| line.starts_with(&format!("{family}{{")));
    let mut found = lines.filter(|line| labels.iter().all(|label| line.contains(label)));
    let line = found.next().unwrap_or_else(|| panic!("no {family} with {labels:?} in:\n{metrics}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Where the agent listens; the node of a world has its own loopback.
const AGENT: &str = "127.0.0.1:9464";

fn metrics(world: &World) -> String {
    let mut curl = Command::new("curl");
    let output = world.output(Host::Node, curl.args(["-sS", &format!("http://{AGENT}/metrics")])).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_networks_time_is_told_from_the_servers() {
    let (world, _v1, _v2) = services();
    let agent =
        mirror(&world, &["--share", "100%", "--listen", AGENT, "--threshold", "20ms", "--threshold", "5s"]);
    for _ in 0..5 {
        let mut connection = Connection::open(&world, Host::V1.service());
        // Slow at the server, not in the network: 50 ms.
        assert_eq!(connection.get("/delay/50000"), 200);
        assert_eq!(connection.get("/users/7"), 200);
    }
    settle(&agent, 10);
    let status = agent.status().unwrap();
    let tcp = &status["services"][0]["tcp"]["v1"];
    for side in ["client", "server"] {
        let handshake = &tcp[side]["handshake"];
        assert_eq!(handshake["count"], 5, "{side}: {tcp:#}");
        assert!(handshake["p50_s"].as_f64().unwrap() < 0.02, "{side}: {tcp:#}");
    }
    let ttfb = &status["services"][0]["latency"]["v1"]["ttfb"];
    assert!(ttfb["p99_s"].as_f64().unwrap() > 0.045, "{ttfb:#}");
    let text = metrics(&world);
    let of = |threshold| sample(&text, "mirror_requests_within_total", &["v1", "ttfb", "\"ok\"", threshold]);
    assert_eq!((of("\"0.02\""), of("\"5\"")), (5.0, 10.0), "{text}");
    assert_eq!(sample(&text, "mirror_tcp_round_trip_seconds_count", &["v1", "client", "handshake"]), 5.0);
    assert_balanced(&agent.stop().unwrap());
}

#[test]
fn a_connection_that_a_cap_cuts_is_dropped_as_truncated() {
    let (world, _v1, _v2) = services();
    // A burst of a minute: so many packets, and then no more while this test lasts.
    let caps = ["--max-packets-per-second", "1", "--max-burst", "40s"];
    let agent = mirror(&world, &[&["--share", "100%"][..], &caps].concat());
    let mut connection = Connection::open(&world, Host::V1.service());
    for number in 0..40 {
        assert_eq!(connection.get(&format!("/users/{number}")), 200);
    }
    let cut = || {
        let status = agent.status()?;
        let rest = &status["services"][0]["rules"][0];
        let requests = &status["services"][0]["requests"];
        let is_read = requests["compared"].as_u64() > Some(3) && requests["in_progress"] == 0;
        Ok((rest["cut"] == 1 && is_read).then_some(status))
    };
    let status: Value = until("the cut", PATIENCE, cut)
        .unwrap_or_else(|error| panic!("{error}: {:#}", agent.status().unwrap()));
    let requests = &status["services"][0]["requests"];
    assert_eq!(requests["unmirrorable"]["gap"], 0, "{requests:#}");
    assert!(requests["compared"].as_u64() > Some(3), "{requests:#}");
    assert!(requests["seen"].as_u64() < Some(40), "{requests:#}");
    assert_eq!(status["services"][0]["connections_open"], 0, "{status:#}");
    // What comes afterwards is left out whole, and does not wait for anything.
    let mut later = Connection::open(&world, Host::V1.service());
    assert_eq!(later.get("/users/99"), 200);
    assert_balanced(&agent.stop().unwrap());
}
