//! A world, an agent with probes, and what it says of them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use mirror_tests::agent::Agent;
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use serde_json::Value;

/// How long anything may take that is sure to come, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A config file whose one service has these lines too.
pub fn config(world: &World, service: &str) -> PathBuf {
    let path = world.directory().join("config.yaml");
    let indented: String = service.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!(
        "interfaces: [{}, {}]\nlisten: 127.0.0.1:9464\nservices:\n  - name: shop\n    v1: {}\n    v2: {}\n{indented}",
        Host::V1.interface(),
        Host::V2.interface(),
        Host::V1.service(),
        Host::V2.service(),
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// The agent with such a file.
pub fn agent(world: &World, service: &str) -> Agent {
    Agent::start(world, &["--config", &config(world, service).to_string_lossy()]).unwrap()
}

/// Users who ask v1 one after the other, each on a connection of its own.
pub fn ask(world: &World, target: &str, times: usize) {
    let request = format!("GET {target} HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\r\n");
    let asked = || {
        for _ in 0..times {
            let mut stream = TcpStream::connect(Host::V1.service()).unwrap();
            stream.write_all(request.as_bytes()).unwrap(); // in one segment, or its turn would not be certain
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    };
    world.enter(Host::Client, asked).unwrap();
}

/// What is said of the service.
pub fn service(agent: &Agent) -> Value {
    agent.status().unwrap()["services"][0].clone()
}

/// Waits until `is` holds of the service; returns what is said of it then.
pub fn when(agent: &Agent, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let look = || Ok(Some(service(agent)).filter(|service| is(service)));
    until(what, PATIENCE, look)
        .unwrap_or_else(|error| panic!("{error}\n{:#}\n{}", service(agent), agent.process.log()))
}

/// What is said of the first probe at a version.
pub fn version<'a>(service: &'a Value, version: &str) -> &'a Value {
    &service["probes"][0]["versions"][version]
}

/// Runs a command of the agent's; returns its exit code and what it wrote to both outputs.
pub fn command(agent: &Agent, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(mirror_tests::agent_binary().unwrap());
    let output = command.args(arguments).arg("--control").arg(agent.control()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

/// The samples of the metrics whose names begin so, without their values.
pub fn samples(world: &World, name: &str) -> Vec<String> {
    let output = world
        .output(Host::Node, Command::new("curl").args(["-sS", "http://127.0.0.1:9464/metrics"]))
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
}
