//! The one door to building, checking, testing and showing this project.

mod bench;
mod build;
mod check;
mod demo;
mod drill;
mod exec;
mod fuzz;
mod place;
mod setup;
mod simulate;
mod test;
mod vm;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Build, check, test and show mirror-agent")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Find or install what the build needs, above all a compiler for eBPF
    Setup(setup::Options),
    /// Set up, then build the agent for release
    Build(build::Options),
    /// Check format, lints, docs, and which module may use which
    Check(check::Options),
    /// Set up, then run all tests (end to end: as root)
    Test(test::Options),
    /// See how often the judge is wrong on simulated traffic, and how soon it is right
    Simulate(simulate::Options),
    /// Look for input that breaks a decoder, for a bounded time
    Fuzz(fuzz::Options),
    /// Measure how fast each stage and the whole of `read` are
    Bench(bench::Options),
    /// Set up, then show the main job on real traffic (as root)
    Demo(demo::Options),
    /// Set up, then break things on purpose and measure how soon the mirror is stopped (as root)
    Drill(drill::Options),
}

fn main() -> ExitCode {
    match run(Cli::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> Result<()> {
    match verb {
        Verb::Setup(options) => setup::run(&options),
        Verb::Build(options) => build::run(&options),
        Verb::Check(options) => check::run(&options),
        Verb::Test(options) => test::run(&options),
        Verb::Simulate(options) => simulate::run(&options),
        Verb::Fuzz(options) => fuzz::run(&options),
        Verb::Bench(options) => bench::run(&options),
        Verb::Demo(options) => demo::run(&options),
        Verb::Drill(options) => drill::run(&options),
    }
}
