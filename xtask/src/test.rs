//! Runs the tests: those that anybody may run, then those that need root and a real kernel.

use anyhow::Result;

use crate::exec::{cargo, exec};
use crate::{place, setup};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these [default: all]
    which: Option<Which>,
    /// Passed on to the tests: names, --nocapture and the like
    #[arg(last = true)]
    rest: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    /// Next to the code; no rights needed
    Unit,
    /// Real kernel, real namespaces, real peers; root needed
    E2e,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let wanted = |which| options.which.is_none_or(|only| only == which);
    if wanted(Which::E2e) {
        place::need_root(
            "the end-to-end tests",
            "network namespaces and eBPF (`cargo xtask test unit` does not)",
        )?;
    }
    setup::ensure(if wanted(Which::E2e) { setup::For::Tests } else { setup::For::Build })?;
    if wanted(Which::Unit) {
        exec(cargo(&["test", "--workspace", "--exclude", "mirror-tests", "--"]).args(&options.rest))?;
    }
    if wanted(Which::E2e) {
        end_to_end(&options.rest)?;
    }
    Ok(())
}

/// One test at a time: they measure time, and two at once on a small machine measure each other.
fn end_to_end(rest: &[String]) -> Result<()> {
    exec(&mut cargo(&["build", "--package", "mirror-agent"]))?;
    let mut tests = cargo(&["test", "--package", "mirror-tests", "--no-fail-fast", "--"]);
    tests.env("MIRROR_AGENT_BIN", place::target()?.join("debug/mirror-agent")).env("RUST_TEST_THREADS", "1");
    exec(tests.args(rest))
}
