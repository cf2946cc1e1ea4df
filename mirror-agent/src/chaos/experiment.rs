//! What an experiment is.

use std::fmt;
use std::time::Duration;

use super::fault::{Coin, Fault};
use crate::config::{Errors, Share};

/// An experiment that may be run: every fault ends, v1 is watched, and something makes it stop.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// What it is about.
    pub title: String,
    /// The service.
    pub service: String,
    /// The steady state. `v1_p99` is always in it.
    pub hypothesis: Vec<Limit>,
    /// The faults, one after the other. At least one.
    pub method: Vec<Fault>,
    /// How far they may go.
    pub radius: Radius,
    /// What stops it at once. At least one.
    pub abort: Vec<Limit>,
    /// How long the steady state is looked at before the first fault.
    pub baseline: Duration,
    /// How long after the last fault the steady state must be back.
    pub wait: Duration,
    /// Who meets the faults.
    pub coin: Coin,
}

/// The blast radius.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Radius {
    /// The part of the connections that may meet a fault.
    pub share: Share,
    /// Requests that may be held by a fault at once; one more goes unharmed, and is counted.
    pub max_active: u32,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// The share of v1's answers that are errors.
    V1Errors,
    /// v1's p99 at the tap.
    V1P99,
    /// The share of v2's answers that are errors or did not come.
    V2Errors,
    /// v2's p99 as its caller sees it.
    V2P99,
    /// What the judge says of v2.
    Verdict,
}

/// How far it may go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// This share of the requests.
    Share(Share),
    /// This time.
    Time(Duration),
    /// This part more than before the first fault: 0.1 is 10 %.
    Growth(f64),
    /// Anything but FAIL.
    NotFail,
}

/// A metric and how far it may go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// What is measured.
    pub metric: Metric,
    /// How far it may go.
    pub bound: Bound,
}

impl Experiment {
    /// Reads the text of a file. `services` are those that run; `name` is used in the places of errors.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn parse(name: &str, text: &str, services: &[&str]) -> Result<Experiment, Errors> {
        super::file::parse(name, text, services)
    }
}

impl Metric {
    /// Its name in files and journals.
    pub fn as_str(self) -> &'static str {
        match self {
            Metric::V1Errors => "v1_errors",
            Metric::V1P99 => "v1_p99",
            Metric::V2Errors => "v2_errors",
            Metric::V2P99 => "v2_p99",
            Metric::Verdict => "verdict",
        }
    }
}

impl Limit {
    /// That v1 stays flat: a tenth is about what a bucket of the histogram hides.
    pub const V1_FLAT: Limit = Limit { metric: Metric::V1P99, bound: Bound::Growth(0.1) };
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.metric.as_str())?;
        match self.bound {
            Bound::Share(share) => write!(f, "at most {share}"),
            Bound::Time(time) => write!(f, "at most {}", humantime::format_duration(time)),
            Bound::Growth(by) => write!(f, "grows at most {}%", (by * 1e4).round() / 1e2),
            Bound::NotFail => f.write_str("not FAIL"),
        }
    }
}
