//! What is to come of it, and when.

use std::fmt;
use std::time::Duration;

use mirror_agent::budget::Standing;
use mirror_agent::guard::{Breach, Reason};
use serde::Deserialize;

use super::line::Line;

/// What is to come of it, and when.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Line")]
pub(super) struct Expect {
    pub(super) claim: Claim,
    pub(super) when: When,
}

/// Something that may be so.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Claim {
    /// That is what stops the mirror.
    Stopped(By),
    /// This share is mirrored, 0 to 1.
    Share(f64),
    /// So much of v1's error budget remains, 0 to 1, give or take.
    Remaining(f64, f64),
    /// So many bad events are the mirror's, give or take.
    Spent(f64, f64),
    /// The ramp waits for something that has this text in it.
    Waits(String),
}

/// What stops the mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// Nothing does.
    None,
    /// Whatever it is.
    Any,
    This(Reason),
}

/// When, from the start of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// At this look.
    At(Duration),
    /// Once at least up to `last`, and not before `first`.
    Within { first: Duration, last: Option<Duration> },
    /// Not once, up to then, or to the end.
    Never { until: Option<Duration> },
}

/// How it stands at a look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standings<'a> {
    pub stopped: Option<&'a Breach>,
    pub share: f64,
    pub budget: Option<Standing>,
    pub waits: &'a str,
}

/// What became of an expectation so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It may turn out either way.
    Open,
    /// It has come true.
    Met,
    /// It cannot come true any more.
    Broken,
}

impl Expect {
    /// The latest time that is in it.
    pub(super) fn time(&self) -> Option<Duration> {
        match self.when {
            When::At(time) => Some(time),
            When::Within { first, last } => last.or(Some(first)),
            When::Never { until } => until,
        }
    }

    /// The guard that it wants to see, if it wants to see one.
    pub(super) fn guard(&self) -> Option<&'static str> {
        match (&self.claim, self.when) {
            (Claim::Stopped(By::This(reason)), When::At(_) | When::Within { last: Some(_), .. }) => {
                Some(reason.as_str())
            }
            _ => None,
        }
    }

    /// At `now`, when that is how it stands.
    pub(super) fn look(&self, now: Duration, standings: &Standings<'_>) -> Fate {
        let is_so = self.claim.is_so(standings);
        match self.when {
            When::At(at) if now >= at => met_if(is_so && now == at),
            When::Within { first, last } if is_so => {
                met_if(now >= first && last.is_none_or(|last| now <= last))
            }
            When::Within { last: Some(last), .. } if now >= last => Fate::Broken,
            When::Never { until } if is_so && until.is_none_or(|until| now <= until) => Fate::Broken,
            _ => Fate::Open,
        }
    }

    /// Whether it is as well if the file ends now.
    pub(super) fn may_stay_open(&self) -> bool {
        matches!(self.when, When::Never { .. } | When::Within { last: None, .. })
    }
}

fn met_if(is_met: bool) -> Fate {
    if is_met { Fate::Met } else { Fate::Broken }
}

impl Claim {
    fn is_so(&self, standings: &Standings<'_>) -> bool {
        let about =
            |value: Option<f64>, about: f64, by: f64| value.is_some_and(|value| (value - about).abs() <= by);
        match self {
            Claim::Stopped(By::None) => standings.stopped.is_none(),
            Claim::Stopped(By::Any) => standings.stopped.is_some(),
            Claim::Stopped(By::This(reason)) => {
                standings.stopped.is_some_and(|breach| breach.reason == *reason)
            }
            Claim::Share(share) => about(Some(standings.share), *share, 1e-9),
            Claim::Remaining(part, by) => {
                about(standings.budget.map(|budget| budget.remaining_ratio), *part, *by)
            }
            Claim::Spent(count, by) => about(standings.budget.map(|budget| budget.spent as f64), *count, *by),
            Claim::Waits(text) => standings.waits.contains(text),
        }
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.when {
            When::At(time) => write!(f, "at {time:?}: ")?,
            When::Within { first, last: Some(last) } => write!(f, "from {first:?} to {last:?}: ")?,
            When::Within { first, last: None } => write!(f, "not before {first:?}: ")?,
            When::Never { until: Some(time) } => write!(f, "never until {time:?}: ")?,
            When::Never { until: None } => write!(f, "never: ")?,
        }
        match &self.claim {
            Claim::Stopped(By::None) => write!(f, "no guard"),
            Claim::Stopped(By::Any) => write!(f, "any guard"),
            Claim::Stopped(By::This(reason)) => write!(f, "the guard {reason}"),
            Claim::Share(share) => write!(f, "the share is {}%", share * 100.0),
            Claim::Remaining(part, by) => {
                write!(f, "{}% ± {}% of the budget remain", part * 100.0, by * 100.0)
            }
            Claim::Spent(count, by) => write!(f, "{count} ± {by} are spent"),
            Claim::Waits(text) => write!(f, "the ramp waits for {text:?}"),
        }
    }
}
