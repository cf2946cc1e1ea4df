//! A share that rises by itself.

use std::time::Instant;

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use serde_json::json;

use super::exercise::Outcome;
use super::stage::{PATIENCE, Stage, config_file, when};
use crate::agent::Agent;

/// Steps that a good v2 gets as soon as the evidence allows. The judge alone decides: the guard of errors would be faster. It is
/// generous about time: agent, users and both versions share the processors here, and our own way slows down as the share rises.
const STEPS: &str = "\
ramp: {steps: [{share: 1%, for: 5s}, {share: 5%, for: 5s}, {share: 25%, for: 5s}, {share: 100%, for: 5s}]}
judge: {margin: 20%, tail: 1s, slower: 50%, slower_by: 5ms}
second_answers: {from: v1}
limits: {connections: 512, in_flight: 256}
guards: {switchback: off, v2_errors: off}";

/// So many connections that one in a hundred is some.
const USERS: (f64, u32) = (600.0, 300);

fn at(stage: &Stage, step: u64) -> Result<f64> {
    let is_there =
        |service: &serde_json::Value| service["guards"]["ramp"]["state"] == json!({ "step": step });
    stage.when(&format!("step {}", step + 1), is_there).map(|(took, _)| took)
}

/// From the first bad answer of v2 to a share of 0, after all steps.
pub(super) fn rises_and_falls() -> Result<Outcome> {
    let stage = Stage::new(STEPS, USERS)?;
    let mut took = Vec::new();
    for step in 0..4 {
        took.push(at(&stage, step)?);
    }
    let held = "has had every step";
    stage.when("the end of the ramp", |service| service["guards"]["ramp"]["why"] == held)?;
    stage.v2.set_sick(true)?;
    let began = Instant::now();
    stage.when("a share of 0", |service| {
        service["share"] == "0%" && service["guards"]["ramp"]["state"] == "fallen"
    })?;
    let measured = began.elapsed().as_secs_f64();
    let steps: Vec<_> = took.iter().skip(1).map(|seconds| format!("{seconds:.0} s")).collect();
    Ok(Outcome { measured, seen: format!("risen after {}", steps.join(", ")) })
}

/// From the new agent's start to its share, which must be that of the step before.
pub(super) fn restart() -> Result<Outcome> {
    let mut stage = Stage::new(STEPS, USERS)?;
    at(&stage, 1)?;
    stage.agent.process.signal(Signal::SIGKILL)?;
    stage.agent.process.wait(PATIENCE)?;
    let file = config_file(&stage.world, "", STEPS)?;
    let began = Instant::now();
    let agent = Agent::start(&stage.world, &["--config", &file.to_string_lossy()])?;
    let (_, said) = when(&agent, "a share", |service| service["share"] != "0%")?;
    ensure!(said["share"] == "1%", "it came back at {}, not at the step before 5%", said["share"]);
    Ok(Outcome { measured: began.elapsed().as_secs_f64(), seen: "killed at 5%, back at 1%".into() })
}
