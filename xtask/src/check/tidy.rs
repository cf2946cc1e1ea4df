//! What no lint can see: which module may use which, and that the README names commands that exist.

mod arrows;
mod commands;
mod crates;
mod paths;
mod source;

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::place;

/// Finds every fault before it fails.
pub(super) fn run() -> Result<()> {
    let agent = source::read(&place::root().join("mirror-agent/src"))?;
    let mut faults = arrows::faults(&agent);
    for (name, allowed) in crates::ALLOWED {
        faults.extend(crates::faults(name, allowed, &read(&format!("{name}/Cargo.toml"))?));
    }
    faults.extend(commands::faults(&read("README.md")?, &agent));
    for fault in &faults {
        eprintln!("tidy: {fault}");
    }
    if faults.is_empty() { Ok(()) } else { bail!("{} faults", faults.len()) }
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(place::root().join(path)).with_context(|| path.to_owned())
}
