//! Flags of `chaos`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Socket;

/// Make faults between the mirror and v2, and see whether v1 stays flat
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example: run an experiment, and end with 0 if its hypothesis held
  mirror-agent chaos run v2-is-slow.yaml

Example: what has run, and what runs
  mirror-agent chaos list

Faults are on our own connections to v2, and nowhere else. They end with their duration, with the command that runs
them, and with the agent.

Exit codes of run: 0 the hypothesis held, 99 it did not, 98 aborted or not enough traffic, 1 error, 2 usage or a bad file")]
pub struct Chaos {
    /// What to do.
    #[command(subcommand)]
    pub act: ChaosAct,
}

/// What to do about experiments.
#[derive(Clone, Debug, Subcommand)]
pub enum ChaosAct {
    /// Run the experiment in a file, and follow it to its end
    #[command(after_help = "Example:\n  mirror-agent chaos run v2-is-slow.yaml --json")]
    Run(ChaosRun),
    /// Show the experiments of a running agent, the newest first
    #[command(after_help = "Example:\n  mirror-agent chaos list --json | jq '.experiments[0].ending'")]
    List(ChaosList),
    /// End the experiment that runs: its fault is off at once
    #[command(after_help = "Example:\n  mirror-agent chaos stop")]
    Stop(ChaosStop),
}

/// Run the experiment in a file, and follow it to its end
#[derive(Clone, Debug, Args)]
pub struct ChaosRun {
    /// The experiment
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print the journal at the end, as JSON
    #[arg(long)]
    pub json: bool,
    /// Which agent.
    #[command(flatten)]
    pub socket: Socket,
}

/// Show the experiments of a running agent
#[derive(Clone, Debug, Args)]
pub struct ChaosList {
    /// Print the object of GET /v1/chaos
    #[arg(long)]
    pub json: bool,
    /// Which agent.
    #[command(flatten)]
    pub socket: Socket,
}

/// End the experiment that runs
#[derive(Clone, Debug, Args)]
pub struct ChaosStop {
    /// Which agent.
    #[command(flatten)]
    pub socket: Socket,
}
