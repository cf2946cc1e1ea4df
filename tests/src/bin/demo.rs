//! `demo`, and behind hidden verbs the service and the load that it starts as processes of their own, and a world to
//! look around in.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use mirror_tests::{demo, load, service};

/// Shows the main job: shadow traffic from a v1 to a v2 in a small world of its own, and what it found.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    options: demo::Options,
}

#[derive(Subcommand)]
enum Part {
    /// Serve HTTP as v1 or v2
    #[command(hide = true)]
    Service(service::Options),
    /// Send steady traffic
    #[command(hide = true)]
    Load(load::Options),
    /// Make a world with v1 and v2 in it, and keep it until a signal comes
    #[command(hide = true)]
    World,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    run(&cli).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(cli: &Cli) -> Result<ExitCode> {
    match &cli.part {
        Some(Part::Service(options)) => service::serve(options)?,
        Some(Part::Load(options)) => load::run(options)?,
        Some(Part::World) => demo::hold_world()?,
        None => return demo::run(&cli.options),
    }
    Ok(ExitCode::SUCCESS)
}
