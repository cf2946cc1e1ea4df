//! Builds the agent for use.

use anyhow::Result;

use crate::exec::{cargo, exec};
use crate::{place, setup};

#[derive(clap::Args)]
pub(crate) struct Options {}

pub(crate) fn run(Options {}: &Options) -> Result<()> {
    setup::ensure(setup::For::Build)?;
    exec(&mut cargo(&["build", "--release", "--package", "mirror-agent"]))?;
    eprintln!("built {}", place::target()?.join("release/mirror-agent").display());
    Ok(())
}
