//! A world with users, an agent that mirrors all they do, and the commands that experiment on it.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use mirror_tests::agent::Agent;
use mirror_tests::load::Load;
use mirror_tests::process::Process;
use mirror_tests::service::{Service, Version};
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use serde_json::Value;

/// How long anything may take that is sure to come, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Fast enough for a baseline in a few seconds.
const RATE: f64 = 150.0;

/// Two versions that are the same on the paths that are asked, and an agent between them.
pub struct Scene {
    pub agent: Agent,
    pub users: Load,
    pub v1: Service,
    /// `None`: v2 is somebody else.
    pub v2: Option<Service>,
    pub world: World,
}

impl Scene {
    /// Users who ask for `path`, over connections enough for half of them to be many.
    pub fn new(path: &str, more: &[&str]) -> Scene {
        let world = World::new().unwrap();
        let v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
        let v2 = Service::start(&world, Host::V2, Version::V1).unwrap();
        let agent = agent(&world, more);
        let long = PATIENCE * 3;
        let wishes = ["--get", path, "--connections", "24"];
        let users = Load::start(&world, Host::V1.service(), RATE, long, &wishes).unwrap();
        Scene { agent, users, v1, v2: Some(v2), world }
    }

    /// Writes an experiment to a file: this method, and whatever else is needed for it to be one. The bounds are far
    /// wider than what this machine does by itself.
    pub fn experiment(&self, method: &str, more: &str) -> String {
        let text = format!(
            "title: a test\nmethod:\n{method}\nhypothesis:\n  v1_p99: {{at_most: 2s}}\n{more}\nbaseline: 2s\n\
             blast_radius: {{share: 60%, max_active: 1000}}\nabort_conditions: [{{v1_errors: {{above: 20%}}}}]\n\
             rollback: {{wait: 2s}}\n"
        );
        self.file(&text)
    }

    /// Writes a file of this text.
    pub fn file(&self, text: &str) -> String {
        let path = self.world.directory().join("experiment.yaml");
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs `chaos` with these arguments to its end.
    pub fn chaos(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts `chaos run FILE`.
    pub fn start(&self, file: &str) -> Process {
        let mut command = self.command(&["run", file]);
        self.world.spawn(Host::Node, command.stdout(Stdio::null()), Some("chaos.log")).unwrap()
    }

    /// Runs an experiment to its end; gives its journal and the exit code.
    pub fn run(&self, file: &str) -> (Value, Option<i32>) {
        let output = self.chaos(&["run", file, "--json"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let journal =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
        (journal, output.status.code())
    }

    /// The journals, the newest first.
    pub fn journals(&self) -> Vec<Value> {
        let all = self.agent.get("/v1/chaos").unwrap();
        all["experiments"].as_array().unwrap().clone()
    }

    /// Waits until `is` holds of the newest journal, and gives it.
    pub fn journal_when(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let look = || Ok(self.journals().into_iter().next().filter(|journal| is(journal)));
        until(what, PATIENCE, look).unwrap_or_else(|error| panic!("{error}: {:#?}", self.journals()))
    }

    /// Waits until a fault holds a request.
    pub fn until_held(&self) {
        self.journal_when("a fault that holds a request", |journal| journal["faults"]["active"] != 0);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(mirror_tests::agent_binary().unwrap());
        command.arg("chaos").args(arguments).arg("--control").arg(self.agent.control());
        command
    }
}

/// An agent that mirrors everything, and gives up on an answer after a second.
pub fn agent(world: &World, more: &[&str]) -> Agent {
    let (v1, v2) = (Host::V1.service().to_string(), Host::V2.service().to_string());
    let taps = ["-i", Host::V1.interface(), "-i", Host::V2.interface(), "--share", "100%"];
    let limits = ["--max-rps", "1000000", "--max-inflight", "65536"];
    let patience: &[&str] = if more.contains(&"--timeout") { &[] } else { &["--timeout", "1s"] };
    let service = ["--v1", &v1, "--v2", &v2, "--second-answers", "off"];
    Agent::start(world, &[&taps[..], &service, &limits, patience, more].concat()).unwrap()
}

/// The sum of the counts at `pointer` of the first service.
pub fn count(status: &Value, pointer: &str) -> u64 {
    sum(status["services"][0].pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {status:#}")))
}

/// All counts below a value.
pub fn sum(value: &Value) -> u64 {
    match value {
        Value::Object(counts) => counts.values().map(sum).sum(),
        _ => value.as_u64().unwrap_or_else(|| panic!("not a count: {value}")),
    }
}

/// Panics unless every request of a final status is in exactly one bucket.
pub fn assert_balanced(status: &Value) {
    assert_eq!(count(status, "/requests/in_progress"), 0, "{status:#}");
    assert_eq!(count(status, "/requests"), 2 * count(status, "/requests/seen"), "{status:#}");
    for ledger in ["kernel", "intake", "requests"] {
        assert_eq!(status["services"][0]["ledger_imbalance"][ledger], 0, "{status:#}");
    }
}

/// No user got anything but an answer; ends them.
pub fn nobody_noticed(users: Load) {
    let slices = users.slices();
    assert!(slices.iter().map(|slice| slice.ok).sum::<u64>() > 0, "the users asked nothing");
    assert_eq!(slices.iter().map(|slice| slice.failed).sum::<u64>(), 0, "{}", users.process.log());
}
