//! A load as a process on a host of a world.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Slice;
use crate::process::Process;
use crate::world::{Host, World};

/// A running load. Dropping it kills it.
#[derive(Debug)]
pub struct Load {
    /// Its process.
    pub process: Process,
    slices: Arc<Mutex<Vec<Slice>>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Load {
    /// Starts traffic from the client to `target`; `more` are further arguments (see [`super::Options`]).
    ///
    /// # Errors
    ///
    /// When the process cannot be started.
    pub fn start(
        world: &World,
        target: SocketAddr,
        rate: f64,
        length: Duration,
        more: &[&str],
    ) -> Result<Load> {
        let mut command = Command::new(crate::demo_binary()?);
        command.args(["load", "--target", &target.to_string(), "--rate", &rate.to_string()]);
        command.args(["--seconds", &length.as_secs_f64().to_string()]).args(more).stdout(Stdio::piped());
        let mut process = world.spawn(Host::Client, &mut command, Some("load.log"))?;
        let slices = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&slices);
        let reader = process.stdout().map(|output| std::thread::spawn(move || collect(output, &into)));
        Ok(Load { process, slices, reader })
    }

    /// What the users saw so far.
    pub fn slices(&self) -> Vec<Slice> {
        self.slices.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for its end and returns everything the users saw.
    ///
    /// # Errors
    ///
    /// When it does not end within `patience`, or fails.
    pub fn finish(&mut self, patience: Duration) -> Result<Vec<Slice>> {
        let status = self.process.wait(patience)?;
        ensure!(status.success(), "the load failed: {status}: {}", self.process.log());
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        Ok(self.slices())
    }
}

fn collect(output: ChildStdout, slices: &Mutex<Vec<Slice>>) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if let Ok(slice) = serde_json::from_str(&line) {
            slices.lock().unwrap_or_else(PoisonError::into_inner).push(slice);
        }
    }
}
