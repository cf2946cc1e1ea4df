//! Stopping everything, by command, by file, and by force.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;

use super::exercise::Outcome;
use super::stage::{PATIENCE, Stage};

/// v2 hangs, requests pile up to every limit, and then `kill` is said.
pub(super) fn under_load() -> Result<Outcome> {
    let stage = Stage::new("share: 100%\nlimits: {in_flight: 64}\nguards: {v2_errors: off}", (400.0, 64))?;
    stage.compared(100)?;
    stage.v2.process.signal(Signal::SIGSTOP)?;
    stage.when("full queues", |service| service["requests"]["shed"]["queue"].as_u64() > Some(0))?;
    let began = Instant::now();
    stage.agent.command(&["kill"])?;
    let command = began.elapsed();
    stage.v2.process.signal(Signal::SIGCONT)?;
    let status = stage.agent.status()?;
    let measured = status["agent"]["kill_latency_s"].as_f64().context("no kill latency")?;
    Ok(Outcome { measured, seen: format!("the command itself took {:.0} ms", command.as_secs_f64() * 1e3) })
}

/// From the file's appearance to the abort.
pub(super) fn file() -> Result<Outcome> {
    let stage = Stage::new("share: 100%", (100.0, 8))?;
    stage.compared(100)?;
    std::fs::write(stage.world.directory().join("kill"), "")?;
    let measured = stage.aborted("kill_file")?;
    let latency = stage.abort_latency()? * 1e3;
    Ok(Outcome { measured, seen: format!("{latency:.1} ms from evidence to last clone") })
}

/// From SIGKILL of the agent to the last request that v2 gets.
pub(super) fn agent() -> Result<Outcome> {
    let mut stage = Stage::new("share: 100%", (100.0, 8))?;
    stage.compared(100)?;
    let began = Instant::now();
    stage.agent.process.signal(Signal::SIGKILL)?;
    stage.agent.process.wait(PATIENCE)?;
    let (mut asked, mut last) = (stage.v2.log()?.len(), Duration::ZERO);
    let users = stage.v1.log()?.len();
    while began.elapsed() < Duration::from_secs(4) {
        let now = stage.v2.log()?.len();
        if now > asked {
            (asked, last) = (now, began.elapsed());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let served = stage.v1.log()?.len() - users;
    Ok(Outcome { measured: last.as_secs_f64(), seen: format!("v1 served {served} users meanwhile") })
}
