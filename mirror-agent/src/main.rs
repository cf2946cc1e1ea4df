//! The command line: parse, do, and end with the right code.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use mirror_agent::cli::{Cli, Command};
use mirror_agent::config::Config;
use mirror_agent::judge::Outcome;
use mirror_agent::kernel::fence::probe::child;
use mirror_agent::remote::{chaos, commands, fence, preflight, probe, verdict};
use mirror_agent::{capture, check, logging, playback, read, run};

/// Exit code of an error.
const ERROR: u8 = 1;
/// Exit code of a usage or configuration error.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::start(cli.log);
    match execute(&cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("mirror-agent: {error:#}");
            ExitCode::from(ERROR)
        }
    }
}

fn execute(command: &Command) -> Result<ExitCode> {
    match command {
        Command::Run(args) => match Config::from_run(args) {
            Ok(config) => {
                let again = args.clone();
                let load = Box::new(move || Config::from_run(&again));
                run::run(&config, args.config.as_deref(), load)?;
            }
            Err(errors) => {
                eprintln!("{errors}");
                return Ok(ExitCode::from(USAGE));
            }
        },
        Command::Capture(args) => capture::run(args)?,
        Command::Read(args) => read::run(args)?,
        Command::Replay(args) => match args.service() {
            Ok(service) => playback::run(args, &service)?,
            Err(errors) => {
                eprintln!("{errors}");
                return Ok(ExitCode::from(USAGE));
            }
        },
        Command::Check(args) => {
            let all_there = check::run(args)?;
            return Ok(if all_there { ExitCode::SUCCESS } else { ExitCode::from(ERROR) });
        }
        Command::Status(args) => commands::status(args)?,
        Command::Verdict(args) => return Ok(ExitCode::from(verdict::run(args)?.exit_code())),
        Command::Share(args) => commands::share(args)?,
        Command::Reload(args) => commands::reload(args)?,
        Command::Explain(args) => commands::explain(args)?,
        Command::Pause(args) => commands::change(args, "pause", "paused; `resume` goes on")?,
        Command::Resume(args) => commands::resume(args)?,
        Command::Preflight(args) => {
            let code = if preflight::run(args)? { 0 } else { Outcome::Inconclusive.exit_code() };
            return Ok(ExitCode::from(code));
        }
        Command::Probe(args) => {
            return Ok(ExitCode::from(probe::run(args)?.map_or(ERROR, Outcome::exit_code)));
        }
        Command::Kill(args) => commands::kill(args)?,
        Command::Chaos(args) => return Ok(ExitCode::from(chaos::run(args)?)),
        Command::Fence(args) => {
            let code = if fence::run(args)? { 0 } else { Outcome::Fail.exit_code() };
            return Ok(ExitCode::from(code));
        }
        Command::FenceProbe(args) => {
            let said = child::run(&args.cgroup, [args.v4, args.v6])?;
            writeln!(std::io::stdout(), "{said}")?;
        }
        Command::Completions(args) => args.write(&mut std::io::stdout())?,
    }
    Ok(ExitCode::SUCCESS)
}
