//! What an operator does while it runs: pause, resume, another share, kill; and connections older than the agent.

use std::process::{Command, Stdio};
use std::time::Duration;

use mirror_tests::service::Service;
use mirror_tests::wait::until;
use mirror_tests::world::Host;

use crate::client::Connection;
use crate::ledger::{PATIENCE, assert_all_compared, assert_balanced, count, settle};
use crate::setup::{mirror, nginx, services, url};

/// The longest that cloning may go on after a kill.
const KILL: f64 = 0.010;

/// GETs `/users/N` for each N on each connection.
fn get(connections: &mut [Connection], numbers: std::ops::Range<u32>) {
    for number in numbers {
        for connection in &mut *connections {
            assert_eq!(connection.get(&format!("/users/{number}")), 200);
        }
    }
}

/// The numbers that v2 was asked for, each once for every connection.
fn asked(v2: &Service, connections: usize) -> Vec<u32> {
    let log = v2.log().unwrap();
    let mut numbers: Vec<u32> =
        log.iter().map(|entry| entry.target.strip_prefix("/users/").unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    for same in numbers.chunks(connections) {
        assert_eq!(same, [same[0]].repeat(connections), "{numbers:?}");
    }
    numbers.into_iter().step_by(connections).collect()
}

fn open(world: &mirror_tests::world::World, connections: usize) -> Vec<Connection> {
    (0..connections).map(|_| Connection::open(world, Host::V1.service())).collect()
}

#[test]
fn nothing_reaches_v2_while_paused_and_the_same_connections_go_on_after_resume() {
    let (world, _v1, v2) = services();
    let agent = mirror(&world, &["--share", "100%"]);
    let mut connections = open(&world, 4);
    get(&mut connections, 0..5);
    settle(&agent, 4 * 5);
    agent.command(&["pause"]).unwrap();
    assert_eq!(agent.status().unwrap()["services"][0]["state"], "paused");
    get(&mut connections, 5..10);
    agent.command(&["resume"]).unwrap();
    get(&mut connections, 10..15);
    settle(&agent, 4 * 10);
    let status = agent.stop().unwrap();
    assert_eq!(asked(&v2, 4), [0..5, 10..15].into_iter().flatten().collect::<Vec<_>>());
    assert!(count(&status, "/packets/paused") > 0);
    assert_all_compared(&status, 4 * 10);
    assert_balanced(&status);
}

#[test]
fn the_share_changes_at_run_time() {
    let (world, _v1, v2) = services();
    let agent = mirror(&world, &["--share", "0%"]);
    let mut before = open(&world, 4);
    get(&mut before, 0..5);
    agent.command(&["share", "100%"]).unwrap();
    assert_eq!(agent.status().unwrap()["services"][0]["share"], "100%");
    let mut mirrored = open(&world, 4);
    get(&mut mirrored, 5..10);
    settle(&agent, 4 * 5);
    agent.command(&["share", "0%"]).unwrap();
    assert_eq!(agent.status().unwrap()["services"][0]["state"], "off");
    get(&mut mirrored, 10..15);
    agent.command(&["share", "100%"]).unwrap();
    get(&mut mirrored, 15..20);
    settle(&agent, 4 * 10);
    let status = agent.stop().unwrap();
    assert_eq!(asked(&v2, 4), [5..10, 15..20].into_iter().flatten().collect::<Vec<_>>());
    assert!(count(&status, "/packets/share_out") > 0);
    assert_all_compared(&status, 4 * 10);
    assert_balanced(&status);
}

#[test]
fn connections_that_are_older_than_the_agent_are_joined() {
    let (world, _v1, v2) = services();
    let mut connections = open(&world, 4);
    get(&mut connections, 0..3);
    let agent = mirror(&world, &["--share", "100%"]);
    get(&mut connections, 3..8);
    settle(&agent, 4 * 5);
    let status = agent.stop().unwrap();
    assert_eq!(asked(&v2, 4), (3..8).collect::<Vec<_>>());
    assert_all_compared(&status, 4 * 5);
    assert_eq!(status["agent"]["connections"]["joined_late"], 4, "{}", status["agent"]["connections"]);
    assert_balanced(&status);
}

#[test]
fn a_kill_under_load_stops_cloning_within_milliseconds_and_v1_goes_on() {
    let (world, v1, v2) = nginx(1_000_000);
    let agent = mirror(&world, &["--share", "100%"]);
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", "-c8", "-d30s", &url(Host::V1, "/load")]).stdout(Stdio::null());
    let load = world.spawn(Host::Client, &mut wrk, None).unwrap();
    let compared = || Ok((count(&agent.status()?, "/requests/compared") > 100).then_some(()));
    until("the mirror to be busy", PATIENCE, compared).unwrap();

    let said = agent.command(&["kill"]).unwrap();
    assert!(said.starts_with("killed"), "{said}");
    let after = agent.status().unwrap();
    let latency = after["agent"]["kill_latency_s"].as_f64().unwrap();
    assert!(latency < KILL, "{latency}");
    assert_eq!(after["services"][0]["state"], "killed");
    let answered = v1.log().unwrap().len();
    let goes_on = || Ok((v1.log()?.len() > answered + 1000).then_some(()));
    until("v1 to answer on", Duration::from_secs(10), goes_on).unwrap();
    drop(load);
    let status = agent.stop().unwrap();
    assert_eq!(
        count(&status, "/packets/cloned"),
        count(&after, "/packets/cloned"),
        "nothing was cloned since"
    );
    assert!(count(&status, "/packets/paused") > 0);
    assert!(v2.log().unwrap().len() < answered);
    assert_balanced(&status);
}
