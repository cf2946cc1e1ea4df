//! The real agent, started as its users start it, on the node of a world.

mod control;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::process::Process;
use crate::wait::until;
use crate::world::{Host, World};

/// How long the agent may take to come up, and to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running `mirror-agent run`. Dropping it kills it.
#[derive(Debug)]
pub struct Agent {
    /// Its process, to stop or kill.
    pub process: Process,
    files: Files,
}

#[derive(Debug)]
struct Files {
    control: PathBuf,
    summary: PathBuf,
}

impl Agent {
    /// Starts `mirror-agent run` with `arguments` (and a control socket and a summary file of this world), and returns
    /// once it answers on the socket.
    ///
    /// # Errors
    ///
    /// When it ends or does not answer in time; the error holds what it wrote.
    pub fn start(world: &World, arguments: &[&str]) -> Result<Agent> {
        // From the first packet on, so that a test may count them.
        Agent::start_careful(world, &[&["--no-preflight"], arguments].concat())
    }

    /// The same, but nothing is mirrored before the preflight has ended.
    ///
    /// # Errors
    ///
    /// When it ends or does not answer in time; the error holds what it wrote.
    pub fn start_careful(world: &World, arguments: &[&str]) -> Result<Agent> {
        let directory = world.directory();
        let files =
            Files { control: directory.join("control.sock"), summary: directory.join("summary.json") };
        let mut command = Command::new(crate::agent_binary()?);
        command.arg("run").args(arguments);
        command.arg("--control").arg(&files.control).arg("--summary").arg(&files.summary);
        let process = world.spawn(Host::Node, &mut command, Some("agent.log"))?;
        let mut agent = Agent { process, files };
        until("the agent's control socket", PATIENCE, || agent.answers()).with_context(|| {
            format!("mirror-agent did not come up, and wrote: {}", agent.process.log().trim())
        })?;
        Ok(agent)
    }

    /// Its control socket.
    pub fn control(&self) -> &Path {
        &self.files.control
    }

    /// The object of `GET /v1/status`.
    ///
    /// # Errors
    ///
    /// When it does not answer, or not with JSON.
    pub fn status(&self) -> Result<Value> {
        self.get("/v1/status")
    }

    /// The JSON at `target` of its control socket.
    ///
    /// # Errors
    ///
    /// When it does not answer, or not with JSON.
    pub fn get(&self, target: &str) -> Result<Value> {
        let body = control::get(&self.files.control, target)?;
        serde_json::from_slice(&body).with_context(|| format!("JSON at {target}"))
    }

    /// Runs `mirror-agent VERB … --control SOCKET`, such as `pause` or `share 10%`, and returns what it wrote.
    ///
    /// # Errors
    ///
    /// When the command fails.
    pub fn command(&self, verb: &[&str]) -> Result<String> {
        let output = Command::new(crate::agent_binary()?)
            .args(verb)
            .arg("--control")
            .arg(&self.files.control)
            .output()
            .context("start mirror-agent")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "mirror-agent {}: {}", verb.join(" "), error.trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Ends it with SIGTERM and returns its final status, from its summary file.
    ///
    /// # Errors
    ///
    /// When it does not end well in time, or leaves no summary.
    pub fn stop(mut self) -> Result<Value> {
        self.process.signal(Signal::SIGTERM)?;
        let status = self.process.wait(PATIENCE)?;
        self.summary(status)
    }

    /// Waits until it ends by itself (`--for`) and returns its final status.
    ///
    /// # Errors
    ///
    /// When it does not end well within `patience`, or leaves no summary.
    pub fn finish(mut self, patience: Duration) -> Result<Value> {
        let status = self.process.wait(patience)?;
        self.summary(status)
    }

    fn summary(&self, status: ExitStatus) -> Result<Value> {
        ensure!(status.success(), "the agent ended with {status}: {}", self.process.log());
        let text = std::fs::read(&self.files.summary).context("read the agent's summary")?;
        serde_json::from_slice(&text).context("the agent's summary")
    }

    fn answers(&mut self) -> Result<Option<()>> {
        if let Some(status) = self.process.exited()? {
            bail!("the agent ended with {status}");
        }
        Ok(self.status().ok().map(|_| ()))
    }
}
