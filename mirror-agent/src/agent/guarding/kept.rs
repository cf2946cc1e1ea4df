//! What outlives the process: where ramps are and what budgets have been spent, in one JSON file.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{Agent, lock};
use crate::budget;
use crate::ramp;

/// How often budgets are written, if nothing else is.
const EVERY: Duration = Duration::from_secs(60);

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// By name.
    pub services: BTreeMap<String, KeptService>,
}

/// What is kept of one service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptService {
    /// Where its ramp is.
    #[serde(default)]
    pub ramp: Option<ramp::State>,
    /// What was spent.
    #[serde(default)]
    pub budget: budget::Kept,
}

/// The file, which is replaced whole or not at all.
pub(super) struct KeptFile {
    path: PathBuf,
    written: Mutex<Option<Instant>>,
}

impl KeptFile {
    /// Makes its directory, and sees that it can be written.
    pub fn open(path: &Path) -> Result<KeptFile> {
        let directory = path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(directory)
            .and_then(|()| NamedTempFile::new_in(directory).map(drop))
            .with_context(|| {
                format!(
                    "state: {} cannot be written, so a restart would forget ramps and budgets",
                    path.display()
                )
            })?;
        Ok(KeptFile { path: path.into(), written: Mutex::default() })
    }

    /// What an earlier run has kept; nothing if there was none.
    pub fn read(&self) -> Result<Kept> {
        let shown = self.path.display();
        match fs::read(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Kept::default()),
            Err(error) => Err(error).with_context(|| format!("state: read {shown}")),
            Ok(text) => serde_json::from_slice(&text).with_context(|| {
                format!("state: {shown} is not what this program writes; move it away to begin anew")
            }),
        }
    }

    fn write(&self, kept: &Kept) -> Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        let mut file = NamedTempFile::new_in(directory)?;
        serde_json::to_writer_pretty(&mut file, kept)?;
        file.flush()?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }
}

impl Agent {
    /// Writes what is to outlive the process: `now`, or when it was not for a while.
    pub fn keep(&self, now: bool) {
        let Some(file) = &self.guarding.kept else { return };
        let mut written = lock(&file.written);
        if !now && written.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        let services = self.services.iter().filter_map(|service| {
            let kept = self.guarding.watched(service)?.kept();
            Some((service.name.clone(), kept))
        });
        let kept = Kept { services: services.collect() };
        *written = Some(Instant::now());
        if let Err(error) = file.write(&kept) {
            tracing::error!(
                "{} was not written: {error:#}; a restart would go back further",
                file.path.display()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_nothing_is_no_fault() {
        let directory = tempfile::tempdir().unwrap();
        let file = KeptFile::open(&directory.path().join("sub/state.json")).unwrap();
        assert_eq!(file.read().unwrap(), Kept::default());
        let service = KeptService { ramp: Some(ramp::State::Step(2)), budget: budget::Kept::default() };
        let kept = Kept { services: [("a".to_owned(), service)].into() };
        file.write(&kept).unwrap();
        assert_eq!(file.read().unwrap(), kept);
    }

    #[test]
    fn a_file_of_somebody_else_is_named_and_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.json");
        fs::write(&path, "mine").unwrap();
        let error = format!("{:#}", KeptFile::open(&path).unwrap().read().unwrap_err());
        assert!(error.contains("state.json is not what this program writes"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("file"), "").unwrap();
        let error = KeptFile::open(&directory.path().join("file/state.json")).err().unwrap();
        assert!(format!("{error:#}").contains("file/state.json cannot be written"), "{error:#}");
    }
}
