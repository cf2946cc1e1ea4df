//! Cgroups of version 2 for tests, which go with them.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::wait::until;

/// A cgroup. Dropping it removes it and what is in it; its processes must have ended.
#[derive(Debug)]
pub struct Cgroup(PathBuf);

impl Cgroup {
    /// One that nobody else has.
    ///
    /// # Errors
    ///
    /// Without root, or where cgroup v2 is not mounted.
    pub fn new() -> Result<Cgroup> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = mount()?.join(format!("mirror-test-{}-{number}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("make {}", path.display()))?;
        Ok(Cgroup(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Its number, which is never used again.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn id(&self) -> Result<u64> {
        Ok(fs::metadata(&self.0)?.ino())
    }

    /// Makes another inside.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn inner(&self, name: &str) -> Result<PathBuf> {
        let path = self.0.join(name);
        fs::create_dir(&path)?;
        Ok(path)
    }

    /// Removes it, as when its pod ends.
    ///
    /// # Errors
    ///
    /// When a process stays in it.
    pub fn remove(&self) -> Result<()> {
        remove(&self.0)
    }

    /// Makes it again under its name, as when its pod is back.
    ///
    /// # Errors
    ///
    /// When it is there.
    pub fn make_again(&self) -> Result<()> {
        Ok(fs::create_dir(&self.0)?)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if self.0.exists()
            && let Err(error) = remove(&self.0)
        {
            eprintln!("cannot remove the cgroup {}: {error:#}", self.0.display());
        }
    }
}

fn remove(path: &Path) -> Result<()> {
    for entry in fs::read_dir(path)?.flatten().filter(|entry| entry.path().is_dir()) {
        remove(&entry.path())?;
    }
    // The kernel may need a moment to see that the last process has gone.
    until("an empty cgroup", Duration::from_secs(10), || Ok(fs::remove_dir(path).ok()))
}

/// Where cgroup v2 is mounted, by the mount table.
///
/// # Errors
///
/// When it is not.
pub fn mount() -> Result<PathBuf> {
    let table = fs::read_to_string("/proc/self/mounts")?;
    let mut mounts = table.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let mount = mounts.find(|words| words.get(2) == Some(&"cgroup2"));
    Ok(mount.and_then(|words| words.get(1).copied()).context("cgroup v2 is not mounted")?.into())
}
