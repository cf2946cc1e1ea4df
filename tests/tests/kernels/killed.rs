//! The agent dies without a word: the copy dies with it, v1 goes on, and the next start clears up.

use std::time::{Duration, Instant};

use mirror_agent::kernel::attach::Mechanism;
use mirror_tests::agent::Agent;
use mirror_tests::service::Version;
use mirror_tests::wait::until;
use mirror_tests::world::Host;
use nix::sys::signal::Signal;

use crate::machine::mechanism;
use crate::scene::{PATIENCE, Scene, balanced, nobody_noticed, reach, settle};

/// The lease is 2 s; the rest is for a busy machine.
const LEASE: Duration = Duration::from_millis(2500);

/// What was cloned: counted by the interface behind the shadow, with nothing of the agent's in it.
fn clones(scene: &Scene) -> u64 {
    let table = scene.on(Host::Node, &["cat", "/proc/net/dev"]);
    let row = table.lines().find_map(|line| line.trim().strip_prefix("behind:")).unwrap();
    row.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A shadow interface that outlives the agent, so that only the lease can end the clones.
fn shadow(scene: &Scene) {
    let ip = |line: &str| scene.on(Host::Node, &line.split(' ').collect::<Vec<_>>());
    ip("ip link add before type veth peer name behind");
    for name in ["before", "behind"] {
        let path = format!("/proc/sys/net/ipv6/conf/{name}/disable_ipv6");
        scene.world.enter(Host::Node, || std::fs::write(path, "1").unwrap()).unwrap();
        ip(&format!("ip link set {name} up"));
    }
}

fn kill(mut agent: Agent) -> Instant {
    agent.process.signal(Signal::SIGKILL).unwrap();
    agent.process.wait(PATIENCE).unwrap();
    Instant::now()
}

/// On both hooks, after the death of an agent: a filter outlives its process, a link does not.
fn filters_left() -> [usize; 2] {
    match mechanism() {
        Mechanism::Tcx => [0, 0],
        Mechanism::Clsact => [1, 1],
    }
}

fn filters(scene: &Scene) -> [usize; 2] {
    ["ingress", "egress"].map(|hook| scene.filters(hook))
}

/// Waits until v1 has answered this many requests more.
fn more_answers(scene: &Scene, more: usize) {
    let answered = || scene.v1.log().unwrap().len();
    let wanted = answered() + more;
    until("more answers of v1", PATIENCE, || Ok((answered() >= wanted).then_some(()))).unwrap();
}

#[test]
fn the_lease_ends_the_clones_of_a_killed_agent() {
    let scene = Scene::new(Version::V1);
    shadow(&scene);
    let agent = scene.agent(&["--shadow-interface", "before"]);
    let load = scene.load("/users/1", 100.0, 8);
    reach(&agent, "packets/cloned", 100);
    assert!(clones(&scene) >= 100);
    let killed = kill(agent);
    assert_eq!(filters(&scene), filters_left());
    until("the end of the lease", PATIENCE, || Ok((killed.elapsed() >= LEASE).then_some(()))).unwrap();
    let before = clones(&scene);
    more_answers(&scene, 100);
    assert_eq!(clones(&scene), before, "cloned without a lease");
    nobody_noticed(load);
}

#[test]
fn the_next_start_sweeps_up_what_is_left_and_leaves_nothing() {
    let scene = Scene::new(Version::V1);
    let first = scene.agent(&[]);
    let load = scene.load("/users/1", 100.0, 2);
    reach(&first, "requests/compared", 50);
    kill(first);
    assert_eq!(filters(&scene), filters_left());
    nobody_noticed(load);
    let next = scene.agent(&[]);
    assert_eq!(filters(&scene), filters_left(), "one tap at each hook, or a link");
    let asked = nobody_noticed(scene.load("/users/1", 100.0, 1));
    settle(&next, asked);
    let status = next.stop().unwrap();
    balanced(&status);
    assert_eq!(filters(&scene), [0, 0]);
    let links = scene.on(Host::Node, &["cat", "/proc/net/dev"]);
    assert!(!links.contains("shadow"), "{links}");
}
