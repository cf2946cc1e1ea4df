//! Flags of `read`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::config::values;

/// Show the HTTP exchanges in capture files, and sum them up
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example: every exchange, and at the end a table of paths with their p50 and p99
  mirror-agent read out.pcapng

Example: the slow ones
  mirror-agent read out.pcapng --format json | jq -c 'select(.total_s > 1) | .request.target'

Example: what tcpdump sees, for a browser's network panel
  mirror-agent read - --summary-only --har out.har")]
pub struct Read {
    /// Files, pcap or pcapng, in the order of their time; - is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Endpoint of a server (repeatable) [default: found from the traffic]
    #[arg(long = "service", value_name = "ADDR:PORT", value_parser = values::endpoint)]
    pub services: Vec<SocketAddr>,
    /// Form of the output: text for people or json for programs [default: text]
    #[arg(id = "form", hide_possible_values = true, long = "format", value_name = "FORMAT")]
    // `format` is the log's
    pub format: Option<ReadFormat>,
    /// Put what was kept of the bodies into the JSON objects, as sent and decoded
    #[arg(long, requires = "form")]
    pub bodies: bool,
    /// Write a HAR 1.2 file too, with bodies
    #[arg(long, value_name = "OUT.har")]
    pub har: Option<PathBuf>,
    /// Leave out packets whose TCP or IP checksum is wrong; captures of the sending host are full of them
    #[arg(long)]
    pub verify_checksums: bool,
    /// Only the summary, no exchanges
    #[arg(long)]
    pub summary_only: bool,
}

/// The form of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReadFormat {
    /// A line for each exchange, and a table
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

impl Read {
    /// The form that was asked for, or text.
    pub fn format(&self) -> ReadFormat {
        self.format.unwrap_or_default()
    }
}
