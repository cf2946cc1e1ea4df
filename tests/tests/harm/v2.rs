//! v2 fails in every way: each is counted by kind, and neither v1 nor the intake waits for it.

use mirror_tests::agent::Agent;
use mirror_tests::load::Load;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::faulty::{Fault, Faulty};
use crate::scene::{Scene, balanced, figure, grow, nobody_noticed, reach};

/// Few enough to end what waits in lanes before the agent's patience at its end is over.
const TIMEOUT: [&str; 2] = ["--timeout", "50ms"];

/// Runs to the end of the load. An intake that waited for v2 would read next to nothing of it; what a busy machine
/// makes it lose is less.
fn end(load: Load, agent: Agent) -> Value {
    nobody_noticed(load);
    let status = agent.stop().unwrap();
    balanced(&status);
    let intake = |name: &str| status["agent"]["intake"][name].as_u64().unwrap();
    assert!(2 * intake("read") > intake("cloned"), "v2 backed up into the intake: {status:#}");
    status
}

/// A v2 that only fails: everything that was replayed failed in this way.
fn fails_as(kind: &str, fault: Option<Fault>) {
    let scene = Scene::without_v2();
    let _v2 = fault.map(|fault| Faulty::start(&scene.world, fault));
    let agent = scene.agent(&TIMEOUT);
    let load = scene.small_load(3);
    reach(&agent, &format!("requests/v2_failed/{kind}"), 50);
    let status = end(load, agent);
    let all = ["connect", "timeout", "reset", "malformed"];
    for other in all.into_iter().filter(|other| *other != kind) {
        assert_eq!(figure(&status, &format!("requests/v2_failed/{other}")), 0, "{status:#}");
    }
    assert_eq!(figure(&status, "requests/compared"), 0);
}

#[test]
fn refuses() {
    fails_as("connect", None);
}

#[test]
fn never_answers() {
    fails_as("timeout", Some(Fault::Silent));
}

#[test]
fn resets() {
    fails_as("reset", Some(Fault::Resets));
}

#[test]
fn talks_nonsense() {
    fails_as("malformed", Some(Fault::Nonsense));
}

#[test]
fn hangs_and_recovers() {
    let scene = Scene::new();
    let v2 = &scene.v2.as_ref().unwrap().process;
    let agent = scene.agent(&TIMEOUT);
    let load = scene.small_load(6);
    reach(&agent, "requests/compared", 100);
    v2.signal(Signal::SIGSTOP).unwrap();
    reach(&agent, "requests/v2_failed/timeout", 30);
    v2.signal(Signal::SIGCONT).unwrap();
    grow(&agent, "requests/compared", 100);
    end(load, agent);
}

/// What finds no room is shed, by reason, and `kill` does not wait for it.
#[test]
fn hangs_for_so_long_that_queues_fill() {
    let scene = Scene::without_v2();
    let _v2 = Faulty::start(&scene.world, Fault::Silent);
    let agent = scene.agent(&["--timeout", "5s", "--max-inflight", "4"]);
    let load = scene.small_load(6);
    reach(&agent, "requests/shed/inflight", 30);
    reach(&agent, "requests/shed/queue", 30);
    agent.command(&["kill"]).unwrap();
    let status = end(load, agent);
    assert!(figure(&status, "requests/shed/stopped") > 0, "{status:#}");
}
