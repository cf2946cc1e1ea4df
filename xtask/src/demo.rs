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

/// Signals then reach the demo itself, which cleans up. The demo judges its arguments.
pub(crate) fn run(options: &Options) -> Result<()> {
    place::need_root("the demo", "network namespaces and eBPF")?;
    setup::ensure(setup::For::Demo)?;
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
    let mut demo = Command::new(built.join("demo"));
    demo.env("MIRROR_AGENT_BIN", built.join("mirror-agent"));
    for (flag, value) in
        [("--seconds", &options.seconds), ("--rate", &options.rate), ("--json", &options.json)]
    {
        demo.args(value.iter().flat_map(|value| [flag, value]));
    }
    Err(demo.exec()).with_context(|| format!("cannot start {demo:?}"))
}
