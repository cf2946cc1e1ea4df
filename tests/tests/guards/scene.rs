//! A world, an agent with a config file, and what it says of its brakes.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use mirror_tests::agent::Agent;
use mirror_tests::load::Load;
use mirror_tests::service::{Service, Version};
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use serde_json::Value;

/// How long anything may take that is sure to come, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A world with two versions that are the same.
pub fn twins() -> (World, Service, Service) {
    let world = World::new().unwrap();
    let v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
    let v2 = Service::start(&world, Host::V2, Version::V1).unwrap();
    (world, v1, v2)
}

/// A config file: `root` are lines of it, `service` are lines of its one service.
pub fn config(world: &World, root: &str, service: &str) -> PathBuf {
    let path = world.directory().join("config.yaml");
    let state = world.directory().join("state/state.json");
    let indented: String = service.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!(
        "interfaces: [{}, {}]\nlisten: 127.0.0.1:9464\nstate: {}\n{root}\nservices:\n  - name: shop\n    v1: {}\n    v2: {}\n{indented}",
        Host::V1.interface(),
        Host::V2.interface(),
        state.display(),
        Host::V1.service(),
        Host::V2.service(),
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// The agent with such a file, mirroring from the first packet on.
pub fn agent(world: &World, root: &str, service: &str) -> Agent {
    let path = config(world, root, service);
    Agent::start(world, &["--config", &path.to_string_lossy()]).unwrap()
}

/// Users who ask v1 until they are dropped.
pub fn users(world: &World, rate: f64) -> Load {
    Load::start(world, Host::V1.service(), rate, PATIENCE * 4, &["--get", "/users/{n}"]).unwrap()
}

/// What is said of the service.
pub fn service(agent: &Agent) -> Value {
    agent.status().unwrap()["services"][0].clone()
}

/// Waits until `is` holds of the service; returns what is said of it then.
pub fn when(agent: &Agent, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let look = || Ok(Some(service(agent)).filter(|service| is(service)));
    until(what, PATIENCE, look)
        .unwrap_or_else(|error| panic!("{error}\n{:#}\n{}", service(agent)["guards"], agent.process.log()))
}

/// Waits until a guard has stopped it; returns the reason.
pub fn aborted(agent: &Agent) -> String {
    let said = when(agent, "an abort", |service| service["state"] == "aborted");
    let own = said["guards"]["aborted"]["reason"].as_str().map(str::to_owned);
    own.unwrap_or_else(|| {
        agent.status().unwrap()["agent"]["guards"]["aborted"]["reason"].as_str().unwrap().into()
    })
}

/// Waits until so many requests were compared.
pub fn compared(agent: &Agent, requests: u64) {
    when(agent, "comparisons", |service| service["requests"]["compared"].as_u64() >= Some(requests));
}

/// Runs a command of the agent's; returns its exit code and what it wrote to both outputs.
pub fn command(agent: &Agent, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(mirror_tests::agent_binary().unwrap());
    let output = command.args(arguments).arg("--control").arg(agent.control()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}
