//! Benchmarks: each stage and the whole of `read`, optimised.

use anyhow::Result;

use crate::exec::{cargo, exec};
use crate::setup;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only the benchmarks whose names contain this [default: all]
    filter: Option<String>,
}

/// Builds what is measured, then measures.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::ensure(setup::For::Build)?;
    exec(cargo(&["bench", "--package", "mirror-agent", "--benches", "--"]).args(&options.filter))
}
