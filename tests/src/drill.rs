//! The brakes on show: each exercise breaks something on purpose in a world of its own, and measures how long the harm lasts.

mod chaos;
mod exercise;
mod fence;
mod harm;
mod kill;
mod ramp;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use comfy_table::{Table, presets};

use crate::world::interrupt;
use exercise::{Exercise, Outcome};

/// What the drill is told on its command line.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Only exercises whose name contains this.
    #[arg(long)]
    pub only: Option<String>,
    /// Also write the result here, as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// In the order in which an operator would want to know.
const EXERCISES: [Exercise; 10] = [
    Exercise {
        name: "v1-burns",
        what: "a v1 that starts to fail stops the mirror",
        limit: 5.0,
        run: harm::v1_burns,
    },
    Exercise {
        name: "v2-turns-bad",
        what: "a v2 that turns bad is stopped",
        limit: 10.0,
        run: harm::v2_turns_bad,
    },
    Exercise {
        name: "kill",
        what: "kill, with v2 stalled and every queue full",
        limit: 0.010,
        run: kill::under_load,
    },
    Exercise { name: "kill-file", what: "a kill file", limit: 1.0, run: kill::file },
    Exercise {
        name: "sigkill",
        what: "SIGKILL of the agent: until nothing is cloned",
        limit: 2.5,
        run: kill::agent,
    },
    Exercise {
        name: "fence",
        what: "a real client in v2's cgroup is denied",
        limit: 1.0,
        run: fence::denies,
    },
    Exercise {
        name: "fence-lost",
        what: "a fence that is lost stops the mirror",
        limit: 35.0,
        run: fence::lost,
    },
    Exercise {
        name: "chaos",
        what: "faults on the shadow leg: v1's p99, as a ratio to its own without",
        limit: 1.5,
        run: chaos::v1_stays_flat,
    },
    Exercise {
        name: "ramp",
        what: "1, 5, 25, 100% on a good v2, and 0 on a bad one",
        limit: 20.0,
        run: ramp::rises_and_falls,
    },
    Exercise {
        name: "restart",
        what: "a restart in mid-ramp is back at the step before",
        limit: 10.0,
        run: ramp::restart,
    },
];

/// Runs the exercises, one after the other, and prints what each has measured. Fails when one is over its limit.
///
/// # Errors
///
/// Without root, or when the result cannot be written.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the table is what the drill is for")]
pub fn run(options: &Options) -> Result<ExitCode> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "the drill needs root, for network namespaces and eBPF: use sudo"
    );
    interrupt::politely();
    let is_wanted =
        |exercise: &&Exercise| options.only.as_ref().is_none_or(|only| exercise.name.contains(only));
    let mut done: Vec<(Exercise, Result<Outcome>)> = Vec::new();
    for exercise in EXERCISES.iter().filter(is_wanted) {
        if interrupt::asked().is_some() {
            break;
        }
        eprintln!("{}: {} …", exercise.name, exercise.what);
        done.push((*exercise, (exercise.run)()));
    }
    ensure!(
        !done.is_empty(),
        "no exercise is called so; there is: {}",
        EXERCISES.map(|one| one.name).join(", ")
    );
    println!("{}", table(&done));
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&done.iter().map(json).collect::<Vec<_>>())?;
        std::fs::write(path, text + "\n").with_context(|| format!("write {}", path.display()))?;
    }
    let all_well = done.iter().all(|(exercise, outcome)| is_well(exercise, outcome));
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn is_well(exercise: &Exercise, outcome: &Result<Outcome>) -> bool {
    outcome.as_ref().is_ok_and(|outcome| outcome.measured < exercise.limit)
}

fn table(done: &[(Exercise, Result<Outcome>)]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_header(["exercise", "what", "measured", "limit", "", "seen"]);
    for (exercise, outcome) in done {
        let (measured, seen) = match outcome {
            Ok(outcome) => (exercise.shown(outcome.measured), outcome.seen.clone()),
            Err(error) => ("-".into(), format!("{error:#}")),
        };
        let mark = if is_well(exercise, outcome) { "ok" } else { "FAILED" };
        let limit = exercise.shown(exercise.limit);
        table.add_row([exercise.name, exercise.what, &measured, &limit, mark, &seen]);
    }
    table.to_string()
}

fn json((exercise, outcome): &(Exercise, Result<Outcome>)) -> serde_json::Value {
    serde_json::json!({
        "exercise": exercise.name,
        "what": exercise.what,
        "limit": exercise.limit,
        "measured": outcome.as_ref().ok().map(|outcome| outcome.measured),
        "seen": outcome.as_ref().map_or_else(|error| format!("{error:#}"), |outcome| outcome.seen.clone()),
        "ok": is_well(exercise, outcome),
    })
}
