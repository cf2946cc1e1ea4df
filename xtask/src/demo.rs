//! Builds the demo and becomes it.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::exec::{cargo, exec};
use crate::{place, setup};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long the traffic runs [default: 20]
    #[arg(long)]
    seconds: Option<String>,
    /// Requests per second [default: 300]
    #[arg(long)]
    rate: Option<String>,
    /// Also write the result here, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<String>,
}

/// The demo judges its arguments.
pub(crate) fn run(options: &Options) -> Result<()> {
    let flags = [("--seconds", &options.seconds), ("--rate", &options.rate), ("--json", &options.json)];
    become_program("demo", setup::For::Demo, &flags)
}

/// Sets up, builds, and becomes a program of the tests: signals then reach it itself, and it cleans up.
pub(crate) fn become_program(
    name: &str,
    purpose: setup::For,
    flags: &[(&str, &Option<String>)],
) -> Result<()> {
    place::need_root(&format!("the {name}"), "network namespaces and eBPF")?;
    setup::ensure(purpose)?;
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
    let mut program = Command::new(built.join(name));
    program.env("MIRROR_AGENT_BIN", built.join("mirror-agent"));
    for (flag, value) in flags {
        program.args(value.iter().flat_map(|value| [*flag, value]));
    }
    Err(program.exec()).with_context(|| format!("cannot start {program:?}"))
}
