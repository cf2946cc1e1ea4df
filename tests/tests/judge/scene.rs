//! A world, an agent that judges, and what it says.

use std::time::{Duration, Instant};

use mirror_tests::agent::Agent;
use mirror_tests::load::Load;
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use serde_json::Value;

/// How long a verdict may take that is sure to come, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(150);

/// An agent that taps both versions, with `more` arguments.
pub fn agent(world: &World, more: &[&str]) -> Agent {
    let (v1, v2) = (Host::V1.service().to_string(), Host::V2.service().to_string());
    let taps = ["-i", Host::V1.interface(), "-i", Host::V2.interface()];
    let service = ["--v1", &v1, "--v2", &v2, "--listen", "127.0.0.1:9464"];
    Agent::start(world, &[&taps[..], &service, more].concat()).unwrap()
}

/// Users who ask `host` for `path` (`{n}` in it is the number of the request), until they are dropped.
pub fn users(world: &World, host: Host, rate: f64, path: &str) -> Load {
    let long = PATIENCE * 2;
    Load::start(world, host.service(), rate, long, &["--get", path]).unwrap()
}

/// The object of `GET /v1/verdict`.
pub fn verdict(agent: &Agent) -> Value {
    agent.get("/v1/verdict").unwrap()
}

/// Waits until `is` holds of the verdict; returns it, and how long that took.
pub fn verdict_when(agent: &Agent, what: &str, is: impl Fn(&Value) -> bool) -> (Value, Duration) {
    let started = Instant::now();
    let look = || Ok(Some(agent.get("/v1/verdict")?).filter(|verdict| is(verdict)));
    let verdict = until(what, PATIENCE, look).unwrap_or_else(|error| panic!("{error}: {:#}", verdict(agent)));
    (verdict, started.elapsed())
}

/// The claim on a metric.
pub fn claim<'a>(verdict: &'a Value, metric: &str) -> &'a Value {
    let claims = verdict["claims"].as_array().unwrap();
    claims
        .iter()
        .find(|claim| claim["metric"] == metric)
        .unwrap_or_else(|| panic!("no {metric}: {verdict:#}"))
}

/// What is said of a field: `noise`, `differs`, …; `None` if it was not seen to differ.
pub fn finding<'a>(verdict: &'a Value, field: &str) -> Option<&'a str> {
    let fields = verdict["fields"].as_array().unwrap();
    fields.iter().find(|one| one["field"] == field)?["finding"].as_str()
}
