//! A file that says what happens to a service and to the agent, and which guard is to stop the mirror when.
//!
//! ```yaml
//! title: v1 fails wholly
//! why: Whatever is to blame, the mirror is the one thing that can be taken away at once.
//! runs: 3                         # with other chances each; one run if it is not said
//! limits: {objective: 99.9%}      # as in the agent's config, by the words of the guards; the rest is as by default
//! phases:                         # each says what is different from the one before
//!   - {for: 5m, rate: 50, v1: {errors: 0.05%}}
//!   - {for: 30s, v1: {errors: 100%}}
//! expect:                         # times are from the start of the file
//!   - {never: any, until: 5m}
//!   - {by: 5m 4s, guard: v1_burn}
//! ```
//!
//! ```text
//! phase ─► weather ─► counted: by seed ─► brakes, put together as the agent does ─► expect
//!                        ▲                  │
//!                        └─ share, on, off ─┘
//! ```
//!
//! Time is moved by a quarter of a second, which is how often the agent looks.

mod brakes;
mod counted;
mod expect;
mod limits;
mod line;
mod phase;
mod play;
mod weather;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use expect::Expect;
use limits::Limits;
use phase::Phase;

/// How often it is looked, as the agent does.
const TICK: Duration = Duration::from_millis(250);

/// What happens, and what is to come of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rehearsal {
    /// What happens, in one line.
    pub title: String,
    /// Who would be hurt if the guards got it wrong.
    pub why: String,
    #[serde(default = "once")]
    runs: u64,
    #[serde(default)]
    limits: Limits,
    phases: Vec<Phase>,
    expect: Vec<Expect>,
}

fn once() -> u64 {
    1
}

impl Rehearsal {
    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// When it has a key or a value that nobody knows, nothing is expected, or a time is no whole number of looks.
    pub fn parse(text: &str) -> Result<Rehearsal> {
        let read: Rehearsal = serde_saphyr::from_str(text).context("cannot read the scenario")?;
        let is_empty = read.phases.is_empty() || read.expect.is_empty() || read.runs == 0;
        ensure!(!is_empty, "a scenario has a phase, an expectation and a run at least");
        for phase in &read.phases {
            let time = phase.time();
            let is_whole = time > Duration::ZERO && time.as_nanos().is_multiple_of(TICK.as_nanos());
            ensure!(
                is_whole,
                "a phase of {time:?} is no whole number of looks, of which there are four a second"
            );
        }
        let end = read.time();
        for expect in &read.expect {
            ensure!(
                expect.time().is_none_or(|time| time <= end),
                "`{expect}` is after the end, which is at {end:?}"
            );
        }
        Ok(read)
    }

    /// The guards that it expects to stop the mirror, as they are spelt.
    pub fn guards(&self) -> impl Iterator<Item = &'static str> {
        self.expect.iter().filter_map(Expect::guard)
    }

    /// All phases together.
    fn time(&self) -> Duration {
        self.phases.iter().map(Phase::time).sum()
    }
}

#[cfg(test)]
mod tests;
