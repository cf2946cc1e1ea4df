//! Where things are, and who we are.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

/// The workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"))
}

/// Where cargo builds to: we are `TARGET/PROFILE/xtask` ourselves, however the directory was chosen.
pub(crate) fn target() -> Result<PathBuf> {
    let us = std::env::current_exe()?;
    us.ancestors().nth(2).map(Path::to_owned).context("xtask stands outside a target directory")
}

/// Where `setup` installs programs that the system does not have; the build looks here first.
pub(crate) fn tools() -> PathBuf {
    root().join("target/tools")
}

/// Whether we are root.
pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

/// Fails with one line unless we are root.
pub(crate) fn need_root(what: &str, why: &str) -> Result<()> {
    ensure!(is_root(), "{what} needs root, for {why}: run it with sudo -E");
    Ok(())
}
