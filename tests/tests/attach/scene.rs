//! A world with a service on some of its hosts, an agent on the node, and what the agent says of its taps.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use mirror_tests::agent::Agent;
use mirror_tests::service::{Service, Version};
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use serde_json::Value;

/// How long anything may take that should happen soon, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// How long the agent may take to notice what happens to its taps. This is promised.
pub const SECOND: Duration = Duration::from_secs(1);

/// A world with both versions.
pub struct Scene {
    _services: Vec<Service>,
    /// Where they are; the last to go.
    pub world: World,
}

impl Scene {
    /// With v1 and v2 where they belong.
    pub fn new() -> Scene {
        Scene::with(&[(Host::V1, Version::V1), (Host::V2, Version::V2)])
    }

    /// With these services.
    pub fn with(services: &[(Host, Version)]) -> Scene {
        let world = World::new().unwrap();
        let start = |(host, version): &(Host, Version)| Service::start(&world, *host, *version).unwrap();
        Scene { _services: services.iter().map(start).collect(), world }
    }

    /// An agent that mirrors everything of v1, with `more` arguments, among them the interfaces.
    pub fn agent(&self, more: &[&str]) -> Agent {
        let (v1, v2) = (Host::V1.service().to_string(), Host::V2.service().to_string());
        let flags = ["--v1", &v1, "--v2", &v2, "--share", "100%", "--second-answers", "off"];
        Agent::start(&self.world, &[&flags, more].concat()).unwrap()
    }

    /// What a shell command on a host prints. It must succeed.
    pub fn shell(&self, host: Host, script: &str) -> String {
        let output = self.world.output(host, Command::new("bash").args(["-ec", script])).unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The same on the node.
    pub fn node(&self, script: &str) -> String {
        self.shell(Host::Node, script)
    }
}

/// Waits until the first service has compared so many requests, and has none in progress.
pub fn settle(agent: &Agent, compared: u64) -> Value {
    let look = || {
        let status = agent.status()?;
        let requests = &status["services"][0]["requests"];
        let done = requests["compared"].as_u64() >= Some(compared) && requests["in_progress"] == 0;
        Ok(done.then_some(status))
    };
    until(&format!("{compared} compared requests"), PATIENCE, look)
        .unwrap_or_else(|error| panic!("{error}: {:#}", agent.status().unwrap()))
}

/// Every ledger of the first service must balance.
pub fn balanced(status: &Value) {
    for ledger in ["kernel", "intake", "requests"] {
        assert_eq!(status["services"][0]["ledger_imbalance"][ledger], 0, "{ledger}: {status:#}");
    }
}

/// How often a change of this kind has happened.
pub fn changes(status: &Value, kind: &str) -> u64 {
    status["agent"]["attach_changes"][kind].as_u64().unwrap_or_else(|| panic!("no {kind} in {status:#}"))
}

/// Waits until changes of this kind have happened so often.
pub fn await_changes(agent: &Agent, kind: &str, count: u64, patience: Duration) {
    let look = || Ok((changes(&agent.status()?, kind) >= count).then_some(()));
    until(&format!("{count} changes {kind}"), patience, look)
        .unwrap_or_else(|error| panic!("{error}: {:#}", agent.status().unwrap()["agent"]));
}

/// How the tap at a hook stands, and how many come before it.
pub fn condition(status: &Value, interface: &str, hook: &str) -> (String, Option<u64>) {
    let taps = status["agent"]["taps"].as_array().unwrap();
    let tap = taps.iter().find(|tap| tap["interface"] == interface && tap["hook"] == hook);
    let tap = tap.unwrap_or_else(|| panic!("no tap at {interface} {hook}: {taps:?}"));
    (tap["condition"].as_str().unwrap().to_owned(), tap["position"].as_u64())
}

/// The tapped interfaces, each once.
pub fn tapped(status: &Value) -> Vec<String> {
    let taps = status["agent"]["taps"].as_array().unwrap().iter();
    let mut names: Vec<_> = taps.map(|tap| tap["interface"].as_str().unwrap().to_owned()).collect();
    names.dedup();
    names.sort();
    names
}

/// A kept-alive connection that the test holds.
pub struct Connection(TcpStream);

impl Connection {
    /// Connects from a host.
    pub fn open(world: &World, from: Host, to: SocketAddr) -> Connection {
        let stream = world.enter(from, || TcpStream::connect_timeout(&to, PATIENCE)).unwrap().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Connection(stream)
    }

    /// GETs `/users/1` and waits for the whole answer.
    pub fn get(&mut self) {
        self.0.write_all(b"GET /users/1 HTTP/1.1\r\nhost: v1\r\n\r\n").unwrap();
        let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
        while !is_whole(&answer) {
            let read = self.0.read(&mut buffer).unwrap();
            assert!(read > 0, "the connection ended inside an answer");
            answer.extend_from_slice(&buffer[..read]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"));
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.unwrap().trim().parse::<usize>().unwrap()
}
