//! What these tests begin and end with: a world in which v1 and v2 are the same program, users, and an agent.

use std::process::Command;
use std::time::Duration;

use mirror_tests::agent::Agent;
use mirror_tests::load::Load;
use mirror_tests::service::{Service, Version};
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use serde_json::Value;

/// How long anything may take that should happen soon, on a machine that is emulated.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A world with both versions.
pub struct Scene {
    pub v1: Service,
    pub v2: Service,
    /// Where they are; the last to go.
    pub world: World,
}

impl Scene {
    /// In which `v2` is this version: v1 too, or one that lies.
    pub fn new(v2: Version) -> Scene {
        let world = World::new().unwrap();
        let v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
        let v2 = Service::start(&world, Host::V2, v2).unwrap();
        Scene { v1, v2, world }
    }

    /// An agent that mirrors everything, with `more` arguments.
    pub fn agent(&self, more: &[&str]) -> Agent {
        let (v1, v2) = (Host::V1.service().to_string(), Host::V2.service().to_string());
        let taps = ["-i", Host::V1.interface(), "-i", Host::V2.interface()];
        let service =
            ["--v1", &v1, "--v2", &v2, "--share", "100%", "--timeout", "30s", "--second-answers", "off"];
        Agent::start(&self.world, &[&taps[..], &service, more].concat()).unwrap()
    }

    /// Users who ask for one target, so often, for so many seconds.
    pub fn load(&self, get: &str, rate: f64, seconds: u64) -> Load {
        let more = ["--get", get];
        Load::start(&self.world, Host::V1.service(), rate, Duration::from_secs(seconds), &more).unwrap()
    }

    /// Users who ask for a mix of everything, and now and then for several things at once.
    pub fn everything(&self, rate: f64, seconds: u64) -> Load {
        Load::start(&self.world, Host::V1.service(), rate, Duration::from_secs(seconds), &[]).unwrap()
    }

    /// What a command on a host prints. It must succeed.
    pub fn on(&self, host: Host, command: &[&str]) -> String {
        let (said, complaint) = self.attempt(host, command);
        said.unwrap_or_else(|| panic!("{command:?}: {complaint}"))
    }

    /// What a command on a host prints, if it succeeds, and what it complains of.
    pub fn attempt(&self, host: Host, command: &[&str]) -> (Option<String>, String) {
        let output = self.world.output(host, Command::new(command[0]).args(&command[1..])).unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        (output.status.success().then_some(said), complaint)
    }

    /// Our filters on a hook of v1's interface, as `tc` sees them.
    pub fn filters(&self, hook: &str) -> usize {
        let list = self.on(Host::Node, &["tc", "filter", "show", "dev", Host::V1.interface(), hook]);
        list.lines().filter(|line| line.contains("mirror_")).count()
    }
}

/// The sum of the counts at a path of the first service, such as `requests/v2_failed`.
pub fn figure(status: &Value, path: &str) -> u64 {
    let value = status.pointer(&format!("/services/0/{path}"));
    sum(value.unwrap_or_else(|| panic!("no {path} in {status:#}")))
}

fn sum(value: &Value) -> u64 {
    match value {
        Value::Object(counts) => counts.values().map(sum).sum(),
        _ => value.as_u64().unwrap_or_else(|| panic!("no count: {value}")),
    }
}

/// Waits until a figure of a running agent is at least `least`.
pub fn reach(agent: &Agent, path: &str, least: u64) {
    let look = || Ok((figure(&agent.status()?, path) >= least).then_some(()));
    until(&format!("{path} >= {least}"), PATIENCE, look)
        .unwrap_or_else(|error| panic!("{error}: {:#}", agent.status().unwrap()));
}

/// Waits until nothing is in progress any more.
pub fn settle(agent: &Agent, seen: u64) {
    let look = || {
        let status = agent.status()?;
        let done = figure(&status, "requests/seen") >= seen && figure(&status, "requests/in_progress") == 0;
        Ok(done.then_some(()))
    };
    until(&format!("{seen} requests to be dealt with"), PATIENCE, look)
        .unwrap_or_else(|error| panic!("{error}: {:#}", agent.status().unwrap()));
}

/// Waits for the end of the users: not one of their requests may have failed. Returns how many there were.
pub fn nobody_noticed(load: Load) -> u64 {
    latencies_us(load).len() as u64
}

/// The same, and how long each request took, as its user saw it.
pub fn latencies_us(mut load: Load) -> Vec<u32> {
    let slices = load.finish(PATIENCE).unwrap();
    let failed: u64 = slices.iter().map(|slice| slice.failed).sum();
    assert_eq!(failed, 0, "{}", load.process.log());
    let all: Vec<u32> = slices.into_iter().flat_map(|slice| slice.latencies_us).collect();
    assert!(!all.is_empty(), "the users asked nothing");
    all
}

/// Every ledger of a final status must balance, by our own sums too.
pub fn balanced(status: &Value) {
    for ledger in ["kernel", "intake", "requests"] {
        let imbalance = status.pointer(&format!("/services/0/ledger_imbalance/{ledger}")).unwrap();
        assert_eq!(imbalance, 0, "{ledger}: {status:#}");
    }
    for (whole, parts) in [("packets/matched", "packets"), ("requests/seen", "requests")] {
        assert_eq!(figure(status, parts), 2 * figure(status, whole), "{parts}: {status:#}");
    }
    assert_eq!(figure(status, "requests/in_progress"), 0, "{status:#}");
    for version in ["v1", "v2"] {
        let turn = |part: &str| figure(status, &format!("turns/{version}/{part}"));
        assert!(turn("started") >= turn("recorded") + turn("ambiguous"), "{status:#}");
    }
}
