//! A row of the table.

use std::fmt;

use mirror_agent::judge::{Outcome, Settings, statistics};

use super::{Case, End};

/// Guard metrics that share alpha.
const METRICS: f64 = 4.0;

/// All runs of a case at a rate.
#[derive(Debug)]
pub(super) struct Row {
    name: &'static str,
    is_worse: bool,
    rate: u32,
    limit: Option<f64>,
    ends: Vec<End>,
}

/// The fewest seconds in which anything is found: one vote in each, all agree, and none could be clearer.
pub(super) fn fewest(settings: &Settings) -> u64 {
    statistics::Watch::votes_needed(settings.alpha / METRICS, u64::MAX)
}

impl Row {
    pub(super) fn new(case: &Case, rate: u32, ends: Vec<End>, settings: &Settings) -> Row {
        let limit = case.limit(rate).map(|limit| limit + fewest(settings) as f64);
        Row { name: case.name, is_worse: case.after.is_some(), rate, limit, ends }
    }

    fn share(&self, of: impl Fn(&End) -> bool) -> String {
        let count = self.ends.iter().filter(|end| of(end)).count();
        format!("{:.1} %", count as f64 * 100.0 / self.ends.len().max(1) as f64)
    }

    /// Seconds by which something came in this part of all runs; `None` if it came in fewer.
    fn by(&self, part: f64, of: impl Fn(&End) -> Option<u64>) -> String {
        let mut seconds: Vec<u64> = self.ends.iter().map(|end| of(end).unwrap_or(u64::MAX)).collect();
        seconds.sort_unstable();
        let rank = ((seconds.len() as f64 * part).ceil() as usize).saturating_sub(1);
        match seconds.get(rank) {
            Some(&seconds) if seconds < u64::MAX => seconds.to_string(),
            _ => "never".into(),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fail = |end: &End| end.fail.filter(|_| self.is_worse && !end.is_false);
        let dash = |text: String| if text == "never, never" { "–".to_owned() } else { text };
        write!(f, "| {} | {} | {} ", self.name, self.rate, self.ends.len())?;
        let (all, wrong) = (self.share(|end| end.fail.is_some()), self.share(|end| end.is_false));
        if self.is_worse {
            write!(f, "| {all}, {wrong} too early ")?
        } else {
            write!(f, "| {wrong} ")?
        }
        write!(f, "| {} ", dash(format!("{}, {}", self.by(0.5, fail), self.by(0.9, fail))))?;
        match self.limit {
            Some(limit) => write!(f, "| {limit:.0} ")?,
            None => write!(f, "| – ")?,
        }
        let passed = |end: &End| end.pass;
        write!(f, "| {} ", self.share(|end| end.pass.is_some()))?;
        write!(f, "| {} ", dash(format!("{}, {}", self.by(0.5, passed), self.by(0.9, passed))))?;
        write!(f, "| {} |", self.share(|end| end.last == Some(Outcome::Inconclusive)))
    }
}
