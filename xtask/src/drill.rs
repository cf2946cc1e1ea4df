//! Builds the drill and becomes it.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::exec::{cargo, exec};
use crate::{place, setup};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only exercises whose name contains this
    #[arg(long)]
    only: Option<String>,
    /// Also write the result here, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<String>,
}

/// Signals then reach the drill itself, which cleans up.
pub(crate) fn run(options: &Options) -> Result<()> {
    place::need_root("the drill", "network namespaces and eBPF")?;
    setup::ensure(setup::For::Tests)?;
    exec(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "mirror-agent",
        "--package",
        "mirror-tests",
        "--bins",
    ]))?;
    let built = place::target()?.join("release");
    let mut drill = Command::new(built.join("drill"));
    drill.env("MIRROR_AGENT_BIN", built.join("mirror-agent"));
    for (flag, value) in [("--only", &options.only), ("--json", &options.json)] {
        drill.args(value.iter().flat_map(|value| [flag, value]));
    }
    Err(drill.exec()).with_context(|| format!("cannot start {drill:?}"))
}
