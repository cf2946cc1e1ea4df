//! Builds the drill and becomes it.

use anyhow::Result;

use crate::{demo, setup};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only exercises whose name contains this
    #[arg(long)]
    only: Option<String>,
    /// Also write the result here, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let flags = [("--only", &options.only), ("--json", &options.json)];
    demo::become_program("drill", setup::For::Tests, &flags)
}
