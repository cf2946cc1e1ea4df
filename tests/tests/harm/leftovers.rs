//! After a good end nothing of ours stays: no program, no map, no interface, no socket.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::scene::{PATIENCE, Scene, balanced, nobody_noticed, reach};
use crate::traces::{Traces, interfaces, own_interfaces};

#[test]
fn signals_end_it_well() {
    let scene = Scene::new();
    assert_eq!(interfaces(&scene.world), own_interfaces());
    let load = scene.load(5);
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let agent = scene.agent(&[]);
        let traces = Traces::of(agent.process.pid());
        let socket = agent.control().to_owned();
        assert!(socket.exists());
        reach(&agent, "requests/compared", 50);
        agent.process.signal(signal).unwrap();
        balanced(&agent.finish(PATIENCE).unwrap());
        assert!(!socket.exists(), "the control socket's file is left after {signal}");
        traces.vanish(&scene.world);
    }
    nobody_noticed(load);
}

#[test]
fn time_ends_it_well() {
    let scene = Scene::new();
    let load = scene.load(3);
    let agent = scene.agent(&["--for", "2s"]);
    let traces = Traces::of(agent.process.pid());
    let socket = agent.control().to_owned();
    reach(&agent, "requests/compared", 1);
    let status = agent.finish(Duration::from_secs(2) + PATIENCE).unwrap();
    assert_eq!(status["services"][0]["state"], "stopped");
    balanced(&status);
    assert!(!socket.exists());
    traces.vanish(&scene.world);
    nobody_noticed(load);
}
