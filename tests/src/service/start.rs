//! A service as a process on a host of a world.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use super::{Entry, Version, read_log};
use crate::process::Process;
use crate::world::{Host, World};

/// A running service. Dropping it kills it.
#[derive(Debug)]
pub struct Service {
    /// Its process, to stop, hang or kill.
    pub process: Process,
    log: PathBuf,
    sick: PathBuf,
}

impl Service {
    /// Starts `version` on `host`, on every address and [`super::PORT`], and returns once it listens.
    ///
    /// # Errors
    ///
    /// When it does not come up.
    pub fn start(world: &World, host: Host, version: Version) -> Result<Service> {
        let log = world.directory().join(format!("{}-access.ndjson", host.interface()));
        let sick = world.directory().join(format!("{}-sick", host.interface()));
        let mut command = Command::new(crate::demo_binary()?);
        command
            .args(["service", "--version", &version.to_string(), "--log"])
            .arg(&log)
            .arg("--sick")
            .arg(&sick)
            .stdout(Stdio::piped());
        let mut process = world.spawn(host, &mut command, Some(&format!("{version}.log")))?;
        let mut line = String::new();
        if let Some(output) = process.stdout() {
            BufReader::new(output).read_line(&mut line)?;
        }
        ensure!(line.starts_with("listening"), "the service {version} did not come up: {}", process.log());
        Ok(Service { process, log, sick })
    }

    /// Lets it answer 503 to everything from the next request on, or as before again.
    ///
    /// # Errors
    ///
    /// When the file that tells it cannot be made or removed.
    pub fn set_sick(&self, is_sick: bool) -> Result<()> {
        if is_sick {
            std::fs::write(&self.sick, "")?;
        } else {
            std::fs::remove_file(&self.sick)?;
        }
        Ok(())
    }

    /// Where its access log is.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// What it was asked so far.
    ///
    /// # Errors
    ///
    /// When its log cannot be read.
    pub fn log(&self) -> Result<Vec<Entry>> {
        read_log(&self.log)
    }
}
