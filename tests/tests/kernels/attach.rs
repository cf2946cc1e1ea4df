//! Load and attach: which way a kernel must take, and that both ways work where it has both.

use mirror_agent::kernel::attach::{HOOKS, Mechanism, attach, probe};
use mirror_agent::kernel::object;
use mirror_tests::service::Version;
use mirror_tests::world::{Host, World};

use crate::machine::mechanism;
use crate::scene::{Scene, balanced};

#[test]
fn the_probe_finds_what_this_kernel_has() {
    let world = World::new().unwrap();
    let found = world.enter(Host::Node, || probe(&mut object::load().unwrap()).unwrap()).unwrap();
    assert_eq!(found, mechanism());
}

#[test]
fn the_agent_takes_that_way_at_every_hook() {
    let scene = Scene::new(Version::V1);
    let agent = scene.agent(&[]);
    let status = agent.status().unwrap();
    let taps = status["agent"]["taps"].as_array().unwrap();
    assert_eq!(taps.len(), 4, "two hooks of two interfaces: {taps:?}");
    for tap in taps {
        assert_eq!(tap["mechanism"], mechanism().as_str());
        assert_eq!(tap["position"], 0, "{tap}");
    }
    balanced(&agent.stop().unwrap());
}

/// Also on kernels that have tcx: it is the way back.
#[test]
fn clsact_filters_come_and_go() {
    let scene = Scene::new(Version::V1);
    let count = || ["ingress", "egress"].map(|hook| scene.filters(hook));
    let act = || {
        let mut object = object::load().unwrap();
        let taps = attach(&mut object, Host::V1.interface(), Mechanism::Clsact, &HOOKS).unwrap();
        assert_eq!(count(), [1, 1]);
        drop(taps);
        assert_eq!(count(), [0, 0]);
    };
    scene.world.enter(Host::Node, act).unwrap();
}

#[test]
fn tcx_is_refused_where_it_is_not() {
    let world = World::new().unwrap();
    let act = || {
        attach(&mut object::load().unwrap(), Host::V1.interface(), Mechanism::Tcx, &HOOKS)
            .map(|taps| taps.len())
    };
    let attached = world.enter(Host::Node, act).unwrap();
    match mechanism() {
        Mechanism::Tcx => assert_eq!(attached.unwrap(), 2),
        Mechanism::Clsact => assert!(attached.is_err()),
    }
}
