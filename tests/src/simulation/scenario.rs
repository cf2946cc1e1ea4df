//! A file that says what happens to a service, and what is to be said of it when.
//!
//! ```yaml
//! title: Errors go from 0.1 % to 1 %
//! why: The commonest fault of a release, and too rare to be seen in a graph.
//! runs: 10                        # with other chances each; one run if it is not said
//! phases:                         # each says what is different from the one before
//!   - {for: 60s, rate: 50, v1: {errors: 0.1%}, v2: {errors: 0.1%}}
//!   - {for: 3m, v2: {errors: 1%}}
//! expect:                         # times are from the start of the file
//!   - {never: fail, until: 60s}
//!   - {by: 4m, verdict: fail, because: errors}
//! ```

mod expect;
mod field;
mod line;
mod phase;
mod play;
mod units;

use anyhow::{Context as _, Result};
use mirror_agent::judge::{Again, Settings};
use serde::Deserialize;

use super::traffic::Traffic;
use expect::Expect;
pub(crate) use phase::Change;
use phase::Phase;
pub(crate) use units::{Share, Span};

/// What happens, and what is to be said of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What happens, in one line.
    pub title: String,
    /// Who would be hurt if the judge got it wrong.
    pub why: String,
    #[serde(default = "once")]
    runs: u64,
    #[serde(default)]
    judge: Told,
    phases: Vec<Phase>,
    expect: Vec<Expect>,
}

/// What the judge is told beforehand. What is left out is as it is by default, but that v1 is asked twice.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    margin: Option<Share>,
    slower: Option<Share>,
    tail: Option<Span>,
    max_lost: Option<Share>,
    #[serde(default)]
    second_answers: SecondAnswers,
}

/// Whose second answers there are.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SecondAnswers {
    Off,
    #[default]
    V1,
}

fn once() -> u64 {
    1
}

impl Scenario {
    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// When it has a key or a value that nobody knows, or nothing is expected.
    pub fn parse(text: &str) -> Result<Scenario> {
        let scenario: Scenario = serde_saphyr::from_str(text).context("cannot read the scenario")?;
        let is_empty = scenario.phases.is_empty() || scenario.expect.is_empty() || scenario.runs == 0;
        anyhow::ensure!(!is_empty, "a scenario has a phase, an expectation and a run at least");
        let end = scenario.seconds();
        let late = scenario.expect.iter().find(|expect| expect.time().is_some_and(|time| time > end));
        match late {
            Some(late) => anyhow::bail!("`{late}` is after the end, which is at {end}s"),
            None => Ok(scenario),
        }
    }

    /// All phases together.
    fn seconds(&self) -> u64 {
        self.phases.iter().map(Phase::seconds).sum()
    }

    /// Each phase's traffic, and the second in which it ends.
    fn traffic(&self) -> Vec<(u64, Traffic)> {
        let mut traffic = Traffic::default();
        let mut end = 0;
        let step = |phase: &Phase| {
            phase.change(&mut traffic);
            end += phase.seconds();
            (end, traffic.clone())
        };
        self.phases.iter().map(step).collect()
    }

    fn settings(&self) -> Settings {
        let default = Settings::default();
        let share = |share: Option<Share>, default| share.map_or(default, |share| share.0);
        Settings {
            margin: share(self.judge.margin, default.margin),
            slower: share(self.judge.slower, default.slower),
            tail: self.judge.tail.map(|tail| tail.0),
            max_lost: share(self.judge.max_lost, default.max_lost),
            again: match self.judge.second_answers {
                SecondAnswers::Off => Again::Off,
                SecondAnswers::V1 => Again::V1,
            },
            ..default
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "{title: t, why: w, phases: [{for: 1m, rate: 5}], expect: [{at: 1m, verdict: pass}]}";

    #[test]
    fn a_mistake_is_told() {
        assert!(Scenario::parse(GOOD).is_ok());
        for (good, bad, told) in [
            ("rate: 5", "rates: 5", "rates"),
            ("rate: 5", "v2: {errors: 0.5}", "5%"),
            ("verdict: pass", "verdict: good", "good"),
            ("at: 1m", "at: 2m", "after the end"),
            ("at: 1m, verdict", "verdict", "at or by"),
            ("{at: 1m, verdict: pass}", "", "expectation"),
            ("{at: 1m, verdict: pass}", "{at: 1m, verdict: pass, never: fail}", "one of"),
            ("rate: 5", "fields: [{name: a, kind: odd}]", "odd"),
        ] {
            let text = GOOD.replace(good, bad);
            let error = Scenario::parse(&text).map(|_| ()).unwrap_err();
            assert!(format!("{error:#}").contains(told), "{text}: {error:#}");
        }
    }

    #[test]
    fn a_phase_says_what_is_different() {
        let phases = "[{for: 10s, rate: 5, v1: {errors: 2%}}, {for: 1m, v1: {slower: 10%}}]";
        let scenario = Scenario::parse(&GOOD.replace("[{for: 1m, rate: 5}]", phases)).unwrap();
        let traffic = scenario.traffic();
        assert_eq!(traffic.iter().map(|(end, _)| *end).collect::<Vec<_>>(), [10, 70]);
        assert_eq!((traffic[1].1.rate, traffic[1].1.v1.errors, traffic[1].1.v1.slower), (5.0, 0.02, 1.1));
    }
}
