//! Where an exercise takes place: two versions that are the same, users, and an agent with a config file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::agent::Agent;
use crate::load::Load;
use crate::service::{Service, Version};
use crate::wait::until;
use crate::world::{Host, World};

/// How long anything may take that is sure to come.
pub(super) const PATIENCE: Duration = Duration::from_secs(240);

/// The parts; the agent goes first, the world last.
pub(super) struct Stage {
    pub agent: Agent,
    pub _users: Load,
    pub v1: Service,
    pub v2: Service,
    pub world: World,
}

impl Stage {
    /// `service` are lines of the service in the config file; `users` say how many requests a second, and over how many
    /// connections.
    pub fn new(service: &str, (rate, connections): (f64, u32)) -> Result<Stage> {
        let world = World::new()?;
        let v1 = Service::start(&world, Host::V1, Version::V1)?;
        let v2 = Service::start(&world, Host::V2, Version::V1)?;
        let file = config_file(&world, "", service)?;
        let agent = Agent::start(&world, &["--config", &file.to_string_lossy()])?;
        let wishes = ["--get", "/users/{n}", "--connections", &connections.to_string()];
        let users = Load::start(&world, Host::V1.service(), rate, PATIENCE * 2, &wishes)?;
        let stage = Stage { agent, _users: users, v1, v2, world };
        Ok(stage)
    }

    /// What the agent says of the service.
    pub fn service(&self) -> Result<Value> {
        service(&self.agent)
    }

    /// Waits until `is` holds of the service; answers how long that took, and what is said of it then.
    pub fn when(&self, what: &str, is: impl Fn(&Value) -> bool) -> Result<(f64, Value)> {
        when(&self.agent, what, is)
    }

    /// Waits until this guard has stopped the mirror; answers how long that took.
    pub fn aborted(&self, reason: &str) -> Result<f64> {
        let (took, said) = self.when("an abort", |service| service["state"] == "aborted")?;
        let own = said["guards"]["aborted"]["reason"].as_str().map(str::to_owned);
        let status = self.agent.status()?;
        let of_all = status["agent"]["guards"]["aborted"]["reason"].as_str();
        let found = own.as_deref().or(of_all).unwrap_or_default();
        if found != reason {
            bail!("it was stopped by {found}, not by {reason}");
        }
        Ok(took)
    }

    /// Waits until so many requests were compared.
    pub fn compared(&self, requests: u64) -> Result<()> {
        self.when("comparisons", |service| service["requests"]["compared"].as_u64() >= Some(requests))
            .map(|_| ())
    }

    /// From the evidence to the last clone, as the agent says.
    pub fn abort_latency(&self) -> Result<f64> {
        until("the latency of the abort", PATIENCE, || {
            Ok(self.agent.status()?["agent"]["guards"]["abort_latency_s"].as_f64())
        })
    }
}

/// Writes a config file: `root` are lines of it, `service` are lines of its one service.
pub(super) fn config_file(world: &World, root: &str, service: &str) -> Result<PathBuf> {
    let path = world.directory().join("config.yaml");
    let indented: String = service.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!(
        "interfaces: [{}, {}]\nstate: {}\n{root}\nservices:\n  - name: shop\n    v1: {}\n    v2: {}\n{indented}",
        Host::V1.interface(),
        Host::V2.interface(),
        state_file(world).display(),
        Host::V1.service(),
        Host::V2.service(),
    );
    fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
    Ok(path)
}

fn state_file(world: &World) -> PathBuf {
    world.directory().join("state/state.json")
}

pub(super) fn service(agent: &Agent) -> Result<Value> {
    Ok(agent.status()?["services"][0].take())
}

pub(super) fn when(agent: &Agent, what: &str, is: impl Fn(&Value) -> bool) -> Result<(f64, Value)> {
    let began = Instant::now();
    let look = || Ok(Some(service(agent)?).filter(|service| is(service)));
    let said = until(what, PATIENCE, look)
        .or_else(|error| bail!("{error}: {}", service(agent)?["guards"]["ramp"]))?;
    Ok((began.elapsed().as_secs_f64(), said))
}

/// Runs a command on v2's host inside a cgroup; answers whether it ended well, and what it wrote.
pub(super) fn inside(world: &World, cgroup: &Path, command: &str) -> Result<(bool, String)> {
    let mut shell = Command::new("sh");
    let join = format!("echo $$ > {}/cgroup.procs && exec {command}", cgroup.display());
    shell.arg("-c").arg(join);
    let output = world.output(Host::V2, &mut shell)?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&text).trim().to_owned()))
}
