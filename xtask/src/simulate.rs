//! The judge on simulated traffic: the table of docs/judge.md.

use anyhow::Result;

use crate::exec::{cargo, exec};
use crate::setup;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Passed on, such as --runs 50; --help says what there is [default: --into docs/judge.md]
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    setup::ensure(setup::For::Build)?;
    let mut simulate = cargo(&["run", "--release", "--package", "mirror-tests", "--bin", "simulate", "--"]);
    if options.rest.is_empty() {
        simulate.args(["--into", "docs/judge.md"]);
    }
    exec(simulate.args(&options.rest))
}
