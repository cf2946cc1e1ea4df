//! The kernel's latencies lie between what the server measured inside and what the client measured outside.
//!
//! A turn at the tap begins after the client has sent it and before the server reads it, and ends the other way
//! round. So for the same turns, however late this machine lets anybody run: server ≤ kernel ≤ client, each with one
//! bucket of slack for the histogram.

use std::process::Command;

use mirror_tests::agent::Agent;
use mirror_tests::quantile::quantile;
use mirror_tests::service::Entry;
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use serde_json::Value;

use crate::client::Connection;
use crate::ledger::{PATIENCE, assert_balanced, count, settle};
use crate::setup::{mirror, services, url};

/// Width of a bucket of scale 3.
const BUCKET: f64 = 1.0905;

/// Delays in microseconds, and how many turns to time, on one kept-alive connection for each version.
const DELAYS: [(u64, usize); 4] = [(1_000, 200), (5_000, 100), (50_000, 40), (500_000, 6)];

/// Medians in seconds.
#[derive(Debug)]
struct Medians {
    ttfb: f64,
    total: f64,
}

fn path(micros: u64) -> String {
    format!("/delay/{micros}?")
}

/// The median of some seconds, to a microsecond.
fn median(seconds: impl Iterator<Item = f64>) -> f64 {
    let mut micros: Vec<u32> = seconds.map(|seconds| (seconds * 1e6).round() as u32).collect();
    f64::from(quantile(&mut micros, 0.5).unwrap()) * 1e-6
}

/// Has curl time `turns` requests to each version at once, each over one connection.
fn time_by_curl(world: &World, micros: u64, turns: usize) -> [Medians; 2] {
    let run = |host: Host| {
        let target = url(host, &format!("{}n=[1-{turns}]", path(micros)));
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-o", "/dev/null", "-w", "%{time_starttransfer} %{time_total}\n", &target]);
        world.output(Host::Client, &mut curl).unwrap()
    };
    let outputs = std::thread::scope(|scope| {
        let v2 = scope.spawn(|| run(Host::V2));
        [run(Host::V1), v2.join().unwrap()]
    });
    outputs.map(|output| {
        let times: Vec<(f64, f64)> =
            String::from_utf8(output.stdout).unwrap().lines().map(two_numbers).collect();
        assert_eq!(times.len(), turns);
        Medians {
            ttfb: median(times.iter().map(|time| time.0)),
            total: median(times.iter().map(|time| time.1)),
        }
    })
}

fn two_numbers(line: &str) -> (f64, f64) {
    let (one, other) = line.split_once(' ').unwrap();
    (one.parse().unwrap(), other.parse().unwrap())
}

/// What a server measured itself: from a request's head to its answer's.
fn median_of_server(log: &[Entry], micros: u64) -> f64 {
    let timed = log.iter().filter(|entry| entry.target.starts_with(&path(micros)));
    median(timed.map(|entry| entry.took_us as f64 * 1e-6))
}

/// The kernel's medians of a version, once `turns` are recorded.
fn kernels(agent: &Agent, version: &str, turns: usize) -> Medians {
    let latency = |status: &Value| status["services"][0]["latency"][version].clone();
    let recorded = || {
        let latency = latency(&agent.status()?);
        Ok((latency["total"]["count"] == turns).then_some(latency))
    };
    let latency = until(&format!("{turns} turns of {version}"), PATIENCE, recorded)
        .unwrap_or_else(|error| panic!("{error}: {:#}", agent.status().unwrap()));
    let p50 = |measure: &str| latency[measure]["p50_s"].as_f64().unwrap();
    Medians { ttfb: p50("ttfb"), total: p50("total") }
}

fn assert_between(least: f64, value: f64, most: f64, what: &str) {
    assert!(least / BUCKET <= value && value <= most * BUCKET, "{what}: {least} <= {value} <= {most}");
}

#[test]
fn medians_of_both_versions_are_those_of_server_and_client() {
    let (world, v1, v2) = services();
    for (micros, turns) in DELAYS {
        // Nothing is mirrored: both versions have users, and both are timed.
        let agent = mirror(&world, &["--share", "0%"]);
        let clients = time_by_curl(&world, micros, turns);
        let logs = [v1.log().unwrap(), v2.log().unwrap()];
        for ((version, client), log) in ["v1", "v2"].into_iter().zip(clients).zip(logs) {
            let (server, kernel) = (median_of_server(&log, micros), kernels(&agent, version, turns));
            assert!(server >= micros as f64 * 1e-6);
            let what = format!("{version} after {micros} us");
            assert_between(server, kernel.ttfb, client.ttfb, &format!("ttfb of {what}"));
            assert_between(server, kernel.total, client.total, &format!("total of {what}"));
        }
        assert_balanced(&agent.stop().unwrap());
    }
}

#[test]
fn replayed_turns_are_timed_like_those_of_users() {
    const MICROS: u64 = 20_000;
    const TURNS: usize = 40;
    let (world, v1, v2) = services();
    let agent = mirror(&world, &["--share", "100%"]);
    let target = url(Host::V1, &format!("{}n=[1-{TURNS}]", path(MICROS)));
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-o", "/dev/null", "-w", "%{time_total}\n", &target]);
    let said = String::from_utf8(world.output(Host::Client, &mut curl).unwrap().stdout).unwrap();
    let client = median(said.lines().map(|line| line.parse().unwrap()));
    settle(&agent, TURNS);
    let (one, two) = (kernels(&agent, "v1", TURNS), kernels(&agent, "v2", TURNS));
    let status = agent.stop().unwrap();

    let server = median_of_server(&v1.log().unwrap(), MICROS);
    assert_between(server, one.total, client, "v1");
    // The agent is v2's client and keeps no times of its own: it is allowed what the way to v1 and back cost the user.
    let least = median_of_server(&v2.log().unwrap(), MICROS);
    assert_between(least, two.ttfb, least + (client - server) + 1e-3, "v2");
    assert_eq!(count(&status, "/requests/compared"), TURNS as u64);
    assert_balanced(&status);
}

#[test]
fn pipelined_turns_are_counted_and_not_timed_though_they_are_replayed() {
    let (world, _v1, v2) = services();
    let agent = mirror(&world, &["--share", "100%"]);
    let mut pipelining = Connection::open(&world, Host::V1.service());
    pipelining.send(&["/users/1", "/users/2"]);
    assert_eq!([(); 2].map(|()| pipelining.receive()), [200; 2]);
    let mut plain = Connection::open(&world, Host::V1.service());
    assert_eq!(["/users/3", "/users/4"].map(|target| plain.get(target)), [200; 2]);
    drop((pipelining, plain));
    settle(&agent, 4);
    kernels(&agent, "v1", 2);
    kernels(&agent, "v2", 4);
    let status = agent.stop().unwrap();
    assert_eq!(count(&status, "/turns/v1/started"), 4);
    assert_eq!(count(&status, "/turns/v1/ambiguous/pipelined"), 2);
    assert_eq!(count(&status, "/turns/v1/recorded"), 2);
    assert_eq!(count(&status, "/turns/v2/ambiguous"), 0, "the agent does not pipeline");
    assert_eq!(count(&status, "/requests/compared"), 4);
    let log = v2.log().unwrap();
    let place = |target: &str| log.iter().position(|entry| entry.target == target).unwrap();
    assert!(place("/users/1") < place("/users/2"), "{log:?}");
    assert_balanced(&status);
}
