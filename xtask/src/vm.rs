//! The tests of the kernel side on other kernels, each in an emulated machine of its own.
//!
//! ```text
//! kernel (a Debian package, unpacked) ┐
//! suites (static test binaries)       ├─► initramfs ─► guest ─► lines ─► outcome of each test
//! programs (busybox, ip, tc)          ┘
//! ```

mod guest;
mod initramfs;
mod kernel;
mod libraries;
mod modules;
mod outcome;
mod suites;
mod verified;

use std::time::Instant;

use anyhow::{Result, bail, ensure};

use crate::{place, setup};
use guest::Guest;
use kernel::Kernel;
use outcome::{Outcomes, Result as Ended};
use suites::Programs;

/// The kernels of a run that names none: one before tcx, and one with it.
pub(crate) const SERIES: [&str; 2] = ["6.1", "6.12"];

/// How the suites are run.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// Passed on to the tests: names and the like.
    pub(crate) rest: &'a [String],
    /// Keep the counts of verified instructions instead of comparing them.
    pub(crate) update_verified: bool,
}

/// Keeps the counts of verified instructions of the kernel that runs here.
pub(crate) fn update_verified_here() -> Result<()> {
    verified::keep_of_this_kernel()
}

/// Every kernel is tried, so that one failure does not hide another.
pub(crate) fn run(series: &[String], asked: Asked) -> Result<()> {
    ensure!(cfg!(target_arch = "x86_64"), "the kernels to boot are for x86-64, and this machine is not");
    setup::ensure(setup::For::Tests)?;
    let kernels = series.iter().map(|series| Kernel::get(series)).collect::<Result<Vec<_>>>()?;
    let programs = suites::build()?;
    let mut failed = Vec::new();
    for kernel in &kernels {
        if let Err(error) = try_kernel(kernel, &programs, asked) {
            eprintln!("{}: {error:#}", kernel.series);
            failed.push(kernel.series.as_str());
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("failed on the kernels {}", failed.join(", ")) }
}

/// Boots, shows each test as it ends, and judges.
fn try_kernel(kernel: &Kernel, programs: &Programs, asked: Asked) -> Result<()> {
    let start = Instant::now();
    let directory = place::target()?.join("vm").join(format!("guest-{}", kernel.series));
    let archive = initramfs::write(&directory, kernel, programs, asked)?;
    eprintln!("vm: {} (Linux {})", kernel.series, kernel.release);
    let mut outcomes = Outcomes::default();
    let guest = Guest { kernel, archive: &archive, directory: &directory };
    guest.run(|line| {
        if let Some(ended) = outcomes.take(line) {
            say(kernel, &ended);
        }
    })?;
    let took = start.elapsed().as_secs_f64();
    eprintln!("vm: {}: {} in {took:.0} s", kernel.series, outcomes.summary());
    outcomes.judge()?;
    if asked.update_verified {
        verified::keep(&kernel.series, &outcomes.verified)?;
    }
    Ok(())
}

fn say(kernel: &Kernel, ended: &outcome::Outcome) {
    let (word, reason) = match &ended.result {
        Ended::Pass => ("pass", String::new()),
        Ended::Fail => ("FAIL", String::new()),
        Ended::Skip(reason) => ("skip", format!(": {reason}")),
    };
    eprintln!("{:6} {word} {} {}{reason}", kernel.series, ended.suite, ended.test);
}
