//! What most tests here begin and end with: a world under load with an agent, and the figures of its status.

use std::process::Command;
use std::time::Duration;

use mirror_tests::agent::Agent;
use mirror_tests::load::Load;
use mirror_tests::service::{Service, Version};
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use serde_json::Value;

/// How long anything may take that should happen soon, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Requests per second of the users.
const RATE: f64 = 300.0;

/// A world with v1, and with v2 unless a test plays it.
pub struct Scene {
    _v1: Service,
    /// The new version.
    pub v2: Option<Service>,
    /// Where they are; the last to go.
    pub world: World,
}

/// What flags do not say.
const UNGUARDED: &str =
    "services: [{name: default, guards: {losses: off, v2_errors: off, v2_unreachable: off}}]\n";

impl Scene {
    /// With both versions.
    pub fn new() -> Scene {
        let mut scene = Scene::without_v2();
        scene.v2 = Some(Service::start(&scene.world, Host::V2, Version::V2).unwrap());
        scene
    }

    /// With nobody at v2's address.
    pub fn without_v2() -> Scene {
        let world = World::new().unwrap();
        Scene { _v1: Service::start(&world, Host::V1, Version::V1).unwrap(), v2: None, world }
    }

    /// An agent that mirrors everything, with `more` arguments.
    pub fn agent(&self, more: &[&str]) -> Agent {
        let flags: Vec<String> = flags();
        let flags: Vec<&str> = flags.iter().map(String::as_str).chain(more.iter().copied()).collect();
        Agent::start(&self.world, &flags).unwrap()
    }

    /// The same without guards: v1 must not be harmed while something goes on going wrong.
    pub fn unguarded(&self, more: &[&str]) -> Agent {
        let file = self.world.directory().join("unguarded.yaml");
        std::fs::write(&file, UNGUARDED).unwrap();
        self.agent(&[&["--config", &file.to_string_lossy()], more].concat())
    }

    /// The users, for so many seconds.
    pub fn load(&self, seconds: u64) -> Load {
        Load::start(&self.world, Host::V1.service(), RATE, Duration::from_secs(seconds), &[]).unwrap()
    }

    /// Users who ask for nothing large, for so many seconds: an intake that is not in time for these is held up.
    pub fn small_load(&self, seconds: u64) -> Load {
        let more = ["--get", "/users/1"];
        Load::start(&self.world, Host::V1.service(), RATE, Duration::from_secs(seconds), &more).unwrap()
    }

    /// What a shell command on the node prints. It must succeed.
    pub fn node(&self, script: &str) -> String {
        let output = self.world.output(Host::Node, Command::new("bash").args(["-c", script])).unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Flags of `run` that mirror everything in a world.
pub fn flags() -> Vec<String> {
    let (v1, v2) = (Host::V1.service().to_string(), Host::V2.service().to_string());
    let taps = ["-i", Host::V1.interface(), "-i", Host::V2.interface()];
    let service = ["--v1", &v1, "--v2", &v2, "--share", "100%", "--second-answers", "off"];
    taps.into_iter().chain(service).map(str::to_owned).collect()
}

/// A figure of the first service, such as `packets/cloned`.
pub fn figure(status: &Value, path: &str) -> u64 {
    let value = status.pointer(&format!("/services/0/{path}")).and_then(Value::as_u64);
    value.unwrap_or_else(|| panic!("no number {path} in {status}"))
}

/// Waits until a figure of a running agent is at least `least`, and returns its status then.
pub fn reach(agent: &Agent, path: &str, least: u64) -> Value {
    let look = || Ok(Some(agent.status()?).filter(|status| figure(status, path) >= least));
    until(&format!("{path} >= {least}"), PATIENCE, look)
        .unwrap_or_else(|error| panic!("{error}: {}", agent.status().unwrap()))
}

/// Waits until a figure of a running agent has grown by `more`, and returns its status then.
pub fn grow(agent: &Agent, path: &str, more: u64) -> Value {
    reach(agent, path, figure(&agent.status().unwrap(), path) + more)
}

/// Waits for the end of the users: not one of their requests may have failed. Returns how many there were.
pub fn nobody_noticed(mut load: Load) -> u64 {
    let slices = load.finish(Duration::from_secs(60)).unwrap();
    let failed: u64 = slices.iter().map(|slice| slice.failed).sum();
    assert_eq!(failed, 0, "{}", load.process.log());
    let ok: u64 = slices.iter().map(|slice| slice.ok).sum();
    assert!(ok > 0, "the users asked nothing");
    ok
}

/// Every ledger of a final status must balance, with nothing in progress.
pub fn balanced(status: &Value) {
    assert_eq!(figure(status, "requests/in_progress"), 0, "{status:#}");
    for ledger in ["kernel", "intake", "requests"] {
        assert_eq!(imbalance(status, ledger), 0, "{ledger}: {status:#}");
    }
}

/// What a ledger does not account for.
pub fn imbalance(status: &Value, ledger: &str) -> i64 {
    status.pointer(&format!("/services/0/ledger_imbalance/{ledger}")).and_then(Value::as_i64).unwrap()
}
