//! What is to be said, and when.

use std::fmt;

use mirror_agent::judge::{FieldFinding, Outcome, Verdict};
use serde::Deserialize;

use super::line::Line;

/// What is to be said, and when.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Line")]
pub(super) struct Expect {
    pub(super) claim: Claim,
    pub(super) when: When,
}

/// Something that a verdict may say.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Claim {
    /// The word, and a reason that has this text in it.
    Says { word: Outcome, because: Option<String> },
    /// That of a field.
    Field { name: String, finding: FieldFinding },
    /// All of these fields are noise.
    AllSilent(Vec<String>),
    /// One of them is.
    AnySilent(Vec<String>),
}

/// When, in seconds from the start of the scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// In this second.
    At(u64),
    /// Once at least, up to then.
    By(u64),
    /// From then on.
    From(u64),
    /// Not once, up to then, or to the end.
    Never { until: Option<u64> },
}

/// What became of an expectation so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It may turn out either way.
    Open,
    /// It has come true.
    Met,
    /// It cannot come true any more.
    Broken,
}

impl Expect {
    /// The time that is in it.
    pub(super) fn time(&self) -> Option<u64> {
        match self.when {
            When::At(time) | When::By(time) | When::From(time) => Some(time),
            When::Never { until } => until,
        }
    }

    /// After `second`, in which this was said.
    pub(super) fn look(&self, second: u64, verdict: &Verdict) -> State {
        let is_said = self.claim.is_said(verdict);
        match self.when {
            When::At(at) if second == at => {
                if is_said {
                    State::Met
                } else {
                    State::Broken
                }
            }
            When::By(by) if second <= by && is_said => State::Met,
            When::By(by) if second >= by => State::Broken,
            When::From(from) if second >= from && !is_said => State::Broken,
            When::Never { until } if until.is_none_or(|until| second <= until) && is_said => State::Broken,
            _ => State::Open,
        }
    }

    /// Whether it is as well if nothing more is said.
    pub(super) fn may_stay_open(&self) -> bool {
        matches!(self.when, When::From(_) | When::Never { .. })
    }
}

impl Claim {
    fn is_said(&self, verdict: &Verdict) -> bool {
        match self {
            Claim::Says { word, because } => {
                let has = |text: &String| verdict.reasons.iter().any(|reason| reason.contains(text));
                verdict.verdict == *word && because.as_ref().is_none_or(has)
            }
            Claim::Field { name, finding } => {
                verdict.fields.iter().any(|field| field.field == *name && field.finding == *finding)
            }
            Claim::AllSilent(names) => names.iter().all(|name| is_silent(name, verdict)),
            Claim::AnySilent(names) => names.iter().any(|name| is_silent(name, verdict)),
        }
    }
}

fn is_silent(name: &str, verdict: &Verdict) -> bool {
    let mut found = verdict.fields.iter().filter(|field| field.field == name).peekable();
    found.peek().is_some() && found.all(|field| field.finding == FieldFinding::Noise)
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.when {
            When::At(second) => write!(f, "at {second}s: ")?,
            When::By(second) => write!(f, "by {second}s: ")?,
            When::From(second) => write!(f, "from {second}s on: ")?,
            When::Never { until: Some(second) } => write!(f, "never until {second}s: ")?,
            When::Never { until: None } => write!(f, "never: ")?,
        }
        match &self.claim {
            Claim::Says { word, because: None } => write!(f, "{word}"),
            Claim::Says { word, because: Some(why) } => write!(f, "{word} because of {why:?}"),
            Claim::Field { name, finding } => write!(f, "{name} is {finding:?}"),
            Claim::AllSilent(names) => write!(f, "{} are noise", names.join(", ")),
            Claim::AnySilent(names) => write!(f, "one of {} is noise", names.join(", ")),
        }
    }
}
