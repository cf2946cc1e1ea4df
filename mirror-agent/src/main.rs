//! The command line.

use std::process::ExitCode;

use clap::Parser;
use mirror_agent::capture;
use mirror_agent::cli::{Cli, Command};

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Capture(args) => capture::run(&args),
        _ => Err(anyhow::anyhow!("not yet")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mirror-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}
