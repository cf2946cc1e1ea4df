//! The agent stands still or dies in the middle of traffic.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mirror_common::count::Packet;
use mirror_tests::wait::until;
use mirror_tests::world::Host;
use nix::sys::signal::Signal;

use crate::scene::{PATIENCE, Scene, balanced, figure, grow, nobody_noticed, reach};
use crate::traces::{Traces, chain};

/// The lease is 2 s; the rest is for a busy machine.
const LEASE: Duration = Duration::from_millis(2500);

#[test]
fn a_stopped_agent_loses_its_lease_and_goes_on_when_it_wakes() {
    let scene = Scene::new();
    let agent = scene.agent(&[]);
    let traces = Traces::of(agent.process.pid());
    let count = |packet: Packet| traces.packets()[packet as usize];
    let load = scene.load(9);
    reach(&agent, "requests/compared", 100);
    agent.process.signal(Signal::SIGSTOP).unwrap();
    let lapsed = || Ok((count(Packet::LeaseExpired) > 0).then_some(()));
    until("the end of the lease", LEASE, lapsed).unwrap();
    let (matched, cloned) = (count(Packet::Matched), count(Packet::Cloned));
    let more = || Ok((count(Packet::Matched) > matched + 500).then_some(()));
    until("more packets of v1", PATIENCE, more).unwrap();
    assert_eq!(count(Packet::Cloned), cloned, "cloned without a lease");
    agent.process.signal(Signal::SIGCONT).unwrap();
    reach(&agent, "packets/cloned", cloned + 500);
    grow(&agent, "requests/compared", 100);
    nobody_noticed(load);
    let status = agent.stop().unwrap();
    assert!(figure(&status, "packets/lease_expired") >= 500);
    balanced(&status);
}

#[test]
fn a_killed_agent_leaves_nothing_and_the_next_starts_at_once() {
    let scene = Scene::new();
    let load = scene.load(6);
    let mut agent = scene.agent(&[]);
    let traces = Traces::of(agent.process.pid());
    reach(&agent, "requests/compared", 100);
    assert_eq!(chain(&scene.world, "veth-v1").len(), 2);
    agent.process.signal(Signal::SIGKILL).unwrap();
    agent.process.wait(PATIENCE).unwrap();
    assert!(agent.control().exists(), "a killed agent cannot remove its socket: the next takes it over");
    let next = scene.agent(&[]);
    reach(&next, "requests/compared", 100);
    let status = next.stop().unwrap();
    traces.vanish(&scene.world);
    nobody_noticed(load);
    balanced(&status);
}

#[test]
fn caps_hold_while_the_agent_stands_still() {
    const RATE: u64 = 200;
    let scene = Scene::new();
    let agent = scene.agent(&["--max-packets-per-second", "200", "--max-burst", "100ms"]);
    let traces = Traces::of(agent.process.pid());
    let count = |packet: Packet| traces.packets()[packet as usize];
    // A connection that a cap has cut stays cut, so new ones must come.
    let mut wrk = Command::new("wrk");
    wrk.args([
        "-t1",
        "-c4",
        "-d30s",
        "-H",
        "Connection: close",
        &format!("http://{}/users/1", Host::V1.service()),
    ]);
    let _load = scene.world.spawn(Host::Client, wrk.stdout(Stdio::null()), None).unwrap();
    let busy = || Ok((count(Packet::Capped) > 100).then_some(()));
    until("the cap", PATIENCE, busy).unwrap();
    agent.process.signal(Signal::SIGSTOP).unwrap();
    let (since, before) = (Instant::now(), count(Packet::Cloned));
    let lapsed = || Ok((count(Packet::LeaseExpired) > 0).then_some(()));
    until("the end of the lease", LEASE, lapsed).unwrap();
    let (cloned, took) = (count(Packet::Cloned) - before, since.elapsed().as_secs_f64());
    let most = RATE as f64 * (took + 0.1) + 2.0; // what two processors that race may admit more
    assert!(cloned > 0 && (cloned as f64) <= most, "{cloned} in {took} s, at most {most}");
    agent.process.signal(Signal::SIGCONT).unwrap();
    agent.stop().unwrap();
}
