//! How soon the judge finds what, in simulated traffic.

#![allow(clippy::print_stdout, reason = "a command-line surface")]

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Parser;
use mirror_agent::judge::{Again, Settings};
use mirror_tests::simulation::table::{self, Plan};

/// The table stands between these lines.
const MARKS: (&str, &str) = ("<!-- simulate: begin -->\n", "<!-- simulate: end -->\n");

/// Prints a table of how often and how soon identical and worse versions are told from each other.
#[derive(Parser)]
struct Cli {
    /// Runs of each case
    #[arg(long, default_value_t = 200)]
    runs: u64,
    /// The seed of the first run
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Requests per second
    #[arg(long, value_delimiter = ',', default_values_t = [10, 50])]
    rate: Vec<u32>,
    /// Seconds before v2 changes
    #[arg(long, default_value_t = 60)]
    lead_in: u64,
    /// Seconds after that
    #[arg(long, default_value_t = 900)]
    length: u64,
    /// The share of requests by which v2 may be worse
    #[arg(long, default_value_t = 0.01)]
    margin: f64,
    /// The part by which v2 may be slower
    #[arg(long, default_value_t = 0.05)]
    slower: f64,
    /// Also put the table between the marks in this file
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
}

fn main() -> Result<()> {
    let Cli { runs, seed, rate, lead_in, length, margin, slower, into } = Cli::parse();
    let settings = Settings { again: Again::V1, margin, slower, ..Settings::default() };
    let plan = Plan { runs, seed, rates: rate, lead_in, length, every: 1, settings };
    let mut text = String::new();
    let mut print = |line: &str| {
        println!("{line}");
        text += &format!("{line}\n");
    };
    table::table(&plan, &mut print);
    print("");
    print(&table::made_with(&plan));
    into.map_or(Ok(()), |file| put(&file, &text))
}

/// Replaces what is between the marks.
fn put(file: &Path, text: &str) -> Result<()> {
    let old = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    let parts =
        old.split_once(MARKS.0).and_then(|(before, rest)| Some((before, rest.split_once(MARKS.1)?.1)));
    let (before, after) = parts.with_context(|| format!("find the marks in {}", file.display()))?;
    let new = [before, MARKS.0, text, MARKS.1, after].concat();
    fs::write(file, new).with_context(|| format!("write {}", file.display()))
}
