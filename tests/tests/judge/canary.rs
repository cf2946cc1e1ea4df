//! A v2 that serves a part of the users: nothing is mirrored, and the kernel's counts are compared.

use mirror_tests::agent::Agent;
use mirror_tests::service::{Service, Version};
use mirror_tests::world::{Host, World};

use crate::scene::{claim, users, verdict_when};

fn watch(world: &World, split: &str) -> Agent {
    crate::scene::agent(world, &["--v2-role", "observed", "--split", split])
}

#[test]
fn a_slow_canary_fails_by_its_median_and_nothing_is_mirrored_to_it() {
    let world = World::new().unwrap();
    let _v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
    let v2 = Service::start(&world, Host::V2, Version::V2).unwrap();
    let agent = watch(&world, "50%");
    let _half = users(&world, Host::V1, 100.0, "/slow/{n}");
    let _other = users(&world, Host::V2, 100.0, "/slow/{n}");
    let (said, took) = verdict_when(&agent, "a verdict", |said| said["verdict"] == "fail");
    eprintln!("FAIL after {took:?}: {said:#}");
    assert_eq!(claim(&said, "p50")["finding"], "worse");
    assert_eq!(claim(&said, "split")["finding"], "fine");
    let status = agent.stop().unwrap();
    assert_eq!(status["services"][0]["packets"]["cloned"], 0);
    assert!(v2.log().unwrap().iter().all(|entry| !entry.shadow));
}

#[test]
fn a_broken_split_gets_no_verdict() {
    let world = World::new().unwrap();
    let _v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
    let _v2 = Service::start(&world, Host::V2, Version::V2).unwrap();
    let agent = watch(&world, "50%");
    let _many = users(&world, Host::V1, 180.0, "/slow/{n}");
    let _few = users(&world, Host::V2, 20.0, "/slow/{n}");
    let (said, _) = verdict_when(&agent, "the split", |said| claim(said, "split")["finding"] == "worse");
    assert_eq!(said["verdict"], "inconclusive");
    assert!(said["reasons"][0].as_str().unwrap().starts_with("split: v2 gets"), "{said:#}");
    agent.stop().unwrap();
}
