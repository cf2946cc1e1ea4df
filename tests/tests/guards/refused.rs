//! What cannot be guarded is not begun.

use std::fs;
use std::process::Command;

use mirror_tests::agent_binary;
use mirror_tests::world::{Host, World};

use crate::scene::config;

/// Runs the agent, which ends by itself; answers its exit code and what it wrote.
fn refused(world: &World, root: &str, service: &str) -> (Option<i32>, String) {
    let path = config(world, root, service);
    let mut run = Command::new(agent_binary().unwrap());
    run.arg("run").arg("--config").arg(path).arg("--control").arg(world.directory().join("control.sock"));
    let output = world.output(Host::Node, &mut run).unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn every_mistake_is_named_at_once_and_nothing_is_started() {
    let world = World::new().unwrap();
    let (code, said) = refused(
        &world,
        "guards: {cpu: 0%, kill: x}",
        "slo: {objective: 100%}\nramp: {steps: [{share: 10%, for: 1m}, {share: 5%, for: 1m}, {share: 101%, for: 1m}]}",
    );
    assert_eq!(code, Some(2), "{said}");
    for mistake in [
        "a ramp only rises",
        "101% is more than 100%",
        "leaves no error budget",
        "\"0%\" is no part",
        "unknown key \"kill\"",
    ] {
        assert!(said.contains(mistake), "{mistake}: {said}");
    }
    assert!(!world.directory().join("control.sock").exists());
}

#[test]
fn a_state_that_cannot_be_read_or_kept_is_named_and_left() {
    let world = World::new().unwrap();
    let state = world.directory().join("state");
    fs::create_dir(&state).unwrap();
    fs::write(state.join("state.json"), "mine").unwrap();
    let ramp = "ramp: {steps: [{share: 10%, for: 1m}]}\nsecond_answers: {from: v1}";
    let (code, said) = refused(&world, "", ramp);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("state.json is not what this program writes; move it away to begin anew"),
        "{said}"
    );
    assert_eq!(fs::read(state.join("state.json")).unwrap(), b"mine");
    fs::remove_dir_all(&state).unwrap();
    fs::write(&state, "a file").unwrap();
    let (code, said) = refused(&world, "", ramp);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cannot be written, so a restart would forget ramps and budgets"), "{said}");
}
