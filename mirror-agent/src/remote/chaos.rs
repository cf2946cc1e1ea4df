//! `chaos`: experiments of a running agent.

mod follow;
mod show;

use std::io::Write as _;

use anyhow::{Result, anyhow};
use hyper::Method;
use serde::Deserialize;
use serde_json::Value;

use super::client::ask;
use crate::chaos::Journal;
use crate::cli::{Chaos, ChaosAct, ChaosList, ChaosRun, ChaosStop};
use crate::config::read_text;

/// Exit code of a bad file.
const USAGE: u8 = 2;
/// Exit code of what was refused.
const ERROR: u8 = 1;

/// The object of `GET /v1/chaos`.
#[derive(Debug, Deserialize)]
struct Journals {
    experiments: Vec<Journal>,
}

/// Does what was asked; gives the exit code.
///
/// # Errors
///
/// When the agent does not answer or refuses, the file cannot be read, or standard output is closed.
pub fn run(args: &Chaos) -> Result<u8> {
    match &args.act {
        ChaosAct::Run(args) => run_file(args),
        ChaosAct::List(args) => list(args).map(|()| 0),
        ChaosAct::Stop(args) => stop(args).map(|()| 0),
    }
}

fn run_file(args: &ChaosRun) -> Result<u8> {
    let name = args.file.display().to_string();
    let text = read_text(&args.file).map_err(|why| anyhow!("{name} {why}"))?;
    match follow::run(&args.socket.path(), &name, &text, |line| say(line, args.json))? {
        Ok(journal) => {
            if args.json {
                writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&journal)?)?;
            }
            Ok(journal.ending.map_or(ERROR, |ending| ending.exit_code()))
        }
        Err(mistakes) => {
            anstream::eprintln!("{mistakes}");
            Ok(USAGE)
        }
    }
}

/// With `--json` the journal alone goes to standard output.
fn say(line: &str, is_json: bool) -> Result<()> {
    if is_json {
        return Ok(writeln!(std::io::stderr(), "{line}")?);
    }
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

fn list(args: &ChaosList) -> Result<()> {
    let mut out = std::io::stdout();
    if args.json {
        let all: Value = ask(&args.socket.path(), Method::GET, "/v1/chaos")?;
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?);
    }
    let all: Journals = ask(&args.socket.path(), Method::GET, "/v1/chaos")?;
    Ok(write!(out, "{}", show::list(&all.experiments))?)
}

fn stop(args: &ChaosStop) -> Result<()> {
    #[derive(Deserialize)]
    struct Stopped {
        stopped: bool,
    }
    let Stopped { stopped } = ask(&args.socket.path(), Method::DELETE, "/v1/chaos")?;
    let said = if stopped { "stopped; no fault is in force" } else { "nothing to stop: no experiment runs" };
    Ok(writeln!(std::io::stdout(), "{said}")?)
}
