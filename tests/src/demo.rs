//! The main job on show: a world, real traffic, the real agent, and what it found.

mod blocks;
mod differences;
mod progress;
mod report;
mod summary;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::agent::Agent;
use crate::load::Load;
use crate::service::{Service, Version};
use crate::wait::until;
use crate::world::{Host, World, interrupt};

use blocks::Blocks;
use progress::Progress;
use report::Report;

/// How long the agent may take to finish what is in progress when the traffic has ended.
const DRAIN: Duration = Duration::from_secs(10);

/// What the demo is told on its command line.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How long the traffic runs.
    #[arg(long, default_value_t = 20.0, value_parser = at_least_one)]
    pub seconds: f64,
    /// Requests per second.
    #[arg(long, default_value_t = 300.0, value_parser = at_least_one)]
    pub rate: f64,
    /// Also write the result here, as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Runs the demo. After a signal it ends early, with the summary of what there was.
///
/// # Errors
///
/// Without root, or when a part of it fails.
pub fn run(options: &Options) -> Result<ExitCode> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "the demo needs root, for network namespaces and eBPF: use sudo"
    );
    interrupt::politely();
    let report = observe(options)?;
    summary::print(&report);
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&report.json())?;
        std::fs::write(path, text + "\n").with_context(|| format!("write {}", path.display()))?;
    }
    Ok(interrupt::asked().map_or(ExitCode::SUCCESS, |signal| ExitCode::from(128 + signal as u8)))
}

/// Makes a world with its services, says how to look into it, and keeps it until a signal comes.
///
/// # Errors
///
/// Without root, or when a part of it fails.
#[expect(clippy::print_stdout, reason = "the names are what the caller wants")]
pub fn hold_world() -> Result<()> {
    let world = World::new()?;
    let _v1 = Service::start(&world, Host::V1, Version::V1)?;
    let _v2 = Service::start(&world, Host::V2, Version::V2)?;
    println!("ip netns exec {} curl http://{}/users/1", world.namespace(Host::Client), Host::V1.service());
    loop {
        std::thread::park();
    }
}

/// Makes everything, watches, and removes everything.
fn observe(options: &Options) -> Result<Report> {
    let length = Duration::from_secs_f64(options.seconds);
    let progress = Progress::new(options.seconds);
    progress.say("making a client, a node, v1 and v2 in network namespaces of their own");
    let world = World::new()?;
    let _v1 = Service::start(&world, Host::V1, Version::V1)?;
    let _v2 = Service::start(&world, Host::V2, Version::V2)?;
    let found = world.directory().join("differences.ndjson");
    progress.say("starting mirror-agent on the node: every request to v1 is also for v2");
    let agent = start_agent(&world, &found, options.rate)?;
    progress
        .say(&format!("sending v1 {} requests a second; the mirror goes on and off by turns", options.rate));
    let mut load = Load::start(&world, Host::V1.service(), options.rate, length, &[])?;
    let mut blocks = Blocks::new(length);
    while load.process.exited()?.is_none() && interrupt::asked().is_none() {
        blocks.turn(&agent)?;
        progress.show(&agent, &load, blocks.mirror_is_on());
        std::thread::sleep(Duration::from_millis(50));
    }
    blocks.end();
    let slices = if interrupt::asked().is_some() { load.slices() } else { load.finish(DRAIN)? };
    drop(load);
    progress.clear();
    drain(&agent)?;
    let status = agent.stop()?;
    Ok(Report { status, differences: differences::read(&found)?, slices, blocks })
}

/// v1's own wire is tapped, as on a node whose pods hang on veth pairs, and v2's, so that both are timed alike.
fn start_agent(world: &World, found: &Path, rate: f64) -> Result<Agent> {
    let found = found.to_string_lossy();
    let (v1, v2) = (Host::V1.service().to_string(), Host::V2.service().to_string());
    let most = (rate * 2.0).ceil().to_string();
    let taps = ["-i", Host::V1.interface(), "-i", Host::V2.interface()];
    let service = ["--v1", &v1, "--v2", &v2, "--share", "100%", "--max-rps", &most, "--second-answers", "v1"];
    let outputs = ["--listen", "127.0.0.1:9464", "--differences", &found];
    Agent::start(world, &[&taps[..], &service, &outputs].concat())
}

/// Waits until nothing is in progress. A replay that hangs is for the ledger to tell, so it is no error.
fn drain(agent: &Agent) -> Result<()> {
    let idle = || {
        let status = agent.status()?;
        let left = status.pointer("/services/0/requests/in_progress").and_then(serde_json::Value::as_u64);
        Ok((left == Some(0)).then_some(()))
    };
    until("the last replays", DRAIN, idle).or_else(|_| Ok(()))
}

fn at_least_one(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if number.is_finite() && number >= 1.0 { Ok(number) } else { Err("at least 1".to_owned()) }
}
