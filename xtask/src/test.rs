//! Runs the tests: those that anybody may run, those that need root and a real kernel, and those on other kernels.

use anyhow::Result;

use crate::exec::{cargo, exec};
use crate::vm::{self, Asked};
use crate::{place, setup};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these [default: all]
    #[arg(conflicts_with_all = ["vm", "update_verified"])]
    which: Option<Which>,
    /// Only the kernel side, on this kernel of Debian's in an emulated machine; may be given several times
    /// [default: the host's tests, then those on 6.1 and 6.12]
    #[arg(long, value_name = "SERIES")]
    vm: Vec<String>,
    /// Keep how many instructions the verifiers look at, instead of comparing: in
    /// tests/verified-instructions.json, for this kernel and the emulated ones, or those that --vm names
    #[arg(long)]
    update_verified: bool,
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
    if options.update_verified {
        return update_verified(options);
    }
    if !options.vm.is_empty() {
        return vm::run(&options.vm, Asked { rest: &options.rest, update_verified: false });
    }
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
    if options.which.is_none() && options.rest.is_empty() {
        vm::run(&series(&vm::SERIES), Asked { rest: &[], update_verified: false })?;
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

fn update_verified(options: &Options) -> Result<()> {
    let mut vms = options.vm.clone();
    if vms.is_empty() {
        place::need_root("counting verified instructions", "eBPF")?;
        setup::ensure(setup::For::Tests)?;
        vm::update_verified_here()?;
        vms = series(&vm::SERIES);
    }
    vm::run(&vms, Asked { rest: &["verified::".to_owned()], update_verified: true })
}

fn series(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
