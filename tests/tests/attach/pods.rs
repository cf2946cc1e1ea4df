//! Interfaces that come and go: pods restart, patterns find new ones, strange kinds are left alone.

use std::fs;
use std::time::Duration;

use mirror_tests::agent::Agent;
use mirror_tests::load::Load;
use mirror_tests::service::Version;
use mirror_tests::wait::until;
use mirror_tests::world::Host;
use serde_json::Value;

use crate::scene::{Connection, PATIENCE, SECOND, Scene, await_changes, balanced, changes, settle, tapped};
use crate::tun;

/// Requests per second of the users of the service that does not restart.
const RATE: f64 = 300.0;

/// Two services: `pod` is v1 over IPv4, and `other` is over IPv6 at the host of v2, with its own v2 at the client. The
/// limits stand a burst: until IPv6 knows its neighbours, users may wait for two seconds and then ask all at once.
const SERVICES: &str = "
interfaces: ['veth*']
services:
  - { name: pod, v1: 10.77.1.2:8080, v2: 10.77.2.2:8080, share: 100%, second_answers: {from: off}, limits: {rps: 100000, in_flight: 10000} }
  - { name: other, v1: '[fd77:2::2]:8080', v2: '[fd77::2]:8080', share: 100%, second_answers: {from: off}, limits: {rps: 100000, in_flight: 10000} }
";

fn requests<'s>(status: &'s Value, service: usize, end: &str) -> &'s Value {
    &status["services"][service]["requests"][end]
}

#[test]
fn a_pod_restarts_under_load_and_its_neighbour_loses_nothing() {
    let scene = Scene::with(&[(Host::V1, Version::V1), (Host::V2, Version::V2), (Host::Client, Version::V2)]);
    let config = scene.world.directory().join("config.yaml");
    fs::write(&config, SERVICES).unwrap();
    let agent = Agent::start(&scene.world, &["--config", config.to_str().unwrap()]).unwrap();
    assert_eq!(tapped(&agent.status().unwrap()), ["veth-v1", "veth-v2"]);
    let other = "[fd77:2::2]:8080".parse().unwrap();
    let length = Duration::from_secs(6);
    let mut load = Load::start(&scene.world, other, RATE, length, &["--get", "/users/1"]).unwrap();
    let busy = || Ok((requests(&agent.status()?, 1, "compared").as_u64() > Some(100)).then_some(()));
    until("requests of the other service", PATIENCE, busy).unwrap();

    for restart in 1..=3 {
        scene.world.cut(Host::V1).unwrap();
        await_changes(&agent, "interface_gone", restart, SECOND);
        assert_eq!(tapped(&agent.status().unwrap()), ["veth-v2"]);
        scene.world.lay(Host::V1).unwrap();
        await_changes(&agent, "interface_new", restart, SECOND);
        let mut connection = Connection::open(&scene.world, Host::Client, Host::V1.service());
        (0..5).for_each(|_| connection.get());
        settle(&agent, 5 * restart);
    }

    let slices = load.finish(PATIENCE + length).unwrap();
    let (ok, failed) = slices.iter().fold((0, 0), |(ok, failed), one| (ok + one.ok, failed + one.failed));
    assert_eq!(failed, 0);
    let all = || Ok((*requests(&agent.status()?, 1, "seen") == ok).then_some(()));
    until("every request of the other service", PATIENCE, all).unwrap();
    let status = agent.stop().unwrap();
    assert_eq!(*requests(&status, 1, "compared"), ok, "{status:#}");
    balanced(&status);
    assert_eq!((changes(&status, "removed"), changes(&status, "failed")), (0, 0));
}

/// Its entry in the flow table names an interface that is no more, and would make every packet a duplicate.
#[test]
fn a_connection_goes_on_over_the_interface_that_came_back() {
    let scene = Scene::new();
    let agent = scene.agent(&["-i", "veth-v1", "-i", "veth-v2"]);
    let mut connection = Connection::open(&scene.world, Host::Client, Host::V1.service());
    (0..3).for_each(|_| connection.get());
    settle(&agent, 3);
    scene.world.cut(Host::V1).unwrap();
    await_changes(&agent, "interface_gone", 1, SECOND);
    scene.world.lay(Host::V1).unwrap();
    await_changes(&agent, "interface_new", 1, SECOND);
    (0..5).for_each(|_| connection.get());
    let status = settle(&agent, 8);
    assert_eq!(status["services"][0]["packets"]["duplicate_vantage"], 0);
    balanced(&agent.stop().unwrap());
}

#[test]
fn a_pattern_finds_what_comes_later_and_leaves_strange_kinds_alone() {
    let scene = Scene::new();
    let agent = scene.agent(&["-i", "veth-v[1-2]", "-i", "pod*"]);
    assert_eq!(tapped(&agent.status().unwrap()), ["veth-v1", "veth-v2"]);
    scene.node("ip link add pod1 type veth peer name inside1");
    await_changes(&agent, "interface_new", 1, SECOND);
    let strange = tun::tun(&scene.world, Host::Node, "strange");
    tun::make_strange(&strange);
    scene.node("ip link set strange name podstrange");
    await_changes(&agent, "not_ethernet", 1, SECOND);
    assert_eq!(tapped(&agent.status().unwrap()), ["pod1", "veth-v1", "veth-v2"]);
    // A name that still matches costs nothing; one that does not ends the tap.
    scene.node("ip link set pod1 name pod2");
    let renamed = || Ok(tapped(&agent.status()?).contains(&"pod2".into()).then_some(()));
    until("the new name", SECOND, renamed).unwrap();
    assert_eq!(changes(&agent.status().unwrap(), "interface_gone"), 0);
    scene.node("ip link set pod2 name inside2");
    await_changes(&agent, "interface_gone", 1, SECOND);
    assert_eq!(tapped(&agent.status().unwrap()), ["veth-v1", "veth-v2"]);
    let log = agent.process.log();
    assert!(log.contains("neither Ethernet nor IP (link type 512)"), "{log}");
    agent.stop().unwrap();
}

#[test]
fn a_pattern_that_matches_nothing_waits() {
    let scene = Scene::new();
    scene.world.cut(Host::V1).unwrap();
    let agent = scene.agent(&["-i", "veth-v1*"]);
    assert!(agent.process.log().contains("no interface matches veth-v1* yet"), "{}", agent.process.log());
    scene.world.lay(Host::V1).unwrap();
    await_changes(&agent, "interface_new", 1, SECOND);
    let mut connection = Connection::open(&scene.world, Host::Client, Host::V1.service());
    (0..3).for_each(|_| connection.get());
    settle(&agent, 3);
    balanced(&agent.stop().unwrap());
}

#[test]
fn everything_is_never_the_shadow_interface() {
    let scene = Scene::new();
    scene.node("ip link add slow0 type veth peer name slow0p; ip link set slow0 up; ip link set slow0p up");
    let agent = scene.agent(&["-i", "*", "--shadow-interface", "slow0"]);
    let names = tapped(&agent.status().unwrap());
    assert!(names.contains(&"lo".into()) && names.contains(&"veth-v1".into()), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("slow0")), "{names:?}");
    agent.stop().unwrap();
    let agent = scene.agent(&["-i", "*"]);
    let names = tapped(&agent.status().unwrap());
    assert!(!names.contains(&"shadow0".into()), "{names:?}");
    let mut connection = Connection::open(&scene.world, Host::Client, Host::V1.service());
    (0..5).for_each(|_| connection.get());
    let status = settle(&agent, 5);
    assert_eq!(status["services"][0]["requests"]["seen"], 5, "seen once on every way: {status:#}");
    balanced(&agent.stop().unwrap());
}

#[test]
fn more_than_can_be_tapped_is_said() {
    let scene = Scene::new();
    let many: String = (0..150).map(|n| format!("link add many{n} type veth peer name many{n}p\n")).collect();
    fs::write(scene.world.directory().join("many"), many).unwrap();
    let file = scene.world.directory().join("many");
    let agent = scene.agent(&["-i", "veth-v1", "-i", "many*"]);
    scene.node(&format!("ip -batch {}", file.display()));
    await_changes(&agent, "full", 45, 3 * PATIENCE); // the kernel takes its time for each
    let status = agent.status().unwrap();
    assert_eq!((changes(&status, "interface_new"), changes(&status, "full")), (255, 45));
    assert_eq!(tapped(&status).len(), 256);
    scene.node("ip link del many0");
    await_changes(&agent, "interface_new", 257, SECOND); // room for two more
    agent.stop().unwrap();
}
