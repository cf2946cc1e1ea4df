//! The share rises on evidence, falls at once, and comes back lower.

use mirror_tests::agent::Agent;
use mirror_tests::world::World;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::scene::{PATIENCE, aborted, agent, command, twins, users, when};

/// Steps that a good v2 gets as soon as the evidence allows.
const STEPS: &str = "\
ramp: {steps: [{share: 50%, for: 2s, blocks: 5}, {share: 100%, for: 2s, blocks: 5}]}
judge: {margin: 20%, tail: 1s}
second_answers: {from: v1, share: 30%}
guards: {switchback: off}";

fn climbing(world: &World) -> Agent {
    agent(world, "", STEPS)
}

fn is_at(service: &Value, step: u64) -> bool {
    service["guards"]["ramp"]["state"] == json!({ "step": step })
}

#[test]
fn it_rises_on_a_good_v2_falls_on_a_bad_one_and_begins_anew_when_told() {
    let (world, _v1, v2) = twins();
    let agent = climbing(&world);
    let _users = users(&world, 100.0);
    when(&agent, "the first step", |service| is_at(service, 0) && service["share"] == "50%");
    when(&agent, "the second step", |service| is_at(service, 1) && service["share"] == "100%");
    let (code, said) = command(&agent, &["share", "5%"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("the share follows a ramp"), "{said}");
    v2.set_sick(true).unwrap();
    let reason = aborted(&agent);
    assert!(["v2_errors", "v2_failed"].contains(&&*reason), "{reason}");
    v2.set_sick(false).unwrap();
    assert_eq!(command(&agent, &["resume"]).0, Some(0));
}

#[test]
fn a_v2_that_is_worse_takes_it_to_0() {
    let (world, _v1, v2) = twins();
    let agent = agent(
        &world,
        "",
        &format!("{STEPS}\n").replace("switchback: off", "switchback: off, v2_errors: off"),
    );
    let _users = users(&world, 100.0);
    when(&agent, "the first step", |service| is_at(service, 0));
    v2.set_sick(true).unwrap();
    assert_eq!(aborted(&agent), "v2_failed");
    let said = when(&agent, "a share of 0", |service| service["share"] == "0%");
    assert_eq!(said["guards"]["ramp"]["state"], "fallen");
    assert_eq!(said["verdict"]["verdict"], "fail");
    v2.set_sick(false).unwrap();
    assert_eq!(command(&agent, &["resume"]).0, Some(0));
    when(&agent, "the first step again", |service| is_at(service, 0));
}

#[test]
fn a_restart_comes_back_at_the_step_before() {
    let (world, _v1, _v2) = twins();
    let mut first = climbing(&world);
    let _users = users(&world, 100.0);
    when(&first, "the second step", |service| is_at(service, 1));
    first.process.signal(Signal::SIGKILL).unwrap();
    first.process.wait(PATIENCE).unwrap();
    drop(first);
    let second = climbing(&world);
    let said = when(&second, "a share", |service| service["share"] != "0%");
    assert_eq!(said["share"], "50%");
    assert!(is_at(&said, 0), "{:#}", said["guards"]);
    when(&second, "the second step", |service| is_at(service, 1) && service["share"] == "100%");
}
