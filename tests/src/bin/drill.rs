//! The brakes on show, measured: `cargo xtask drill`.

use std::process::ExitCode;

use clap::Parser;
use mirror_tests::drill;

/// Breaks something on purpose, again and again, and measures how soon the mirror is stopped.
#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    options: drill::Options,
}

fn main() -> ExitCode {
    drill::run(&Cli::parse().options).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
