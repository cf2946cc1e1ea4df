//! What an experiment found: the object of `GET /v1/chaos`.
//!
//! The keys are a contract with whoever scripts against them: they are added to, never renamed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::check::p99;
use super::sample::Sample;

/// One experiment, so far or as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    /// Its number since the agent started, from 1.
    pub id: u64,
    /// What it is about.
    pub title: String,
    /// The service.
    pub service: String,
    /// When it began, in seconds of Unix time.
    pub began_s: f64,
    /// How long it has run.
    pub elapsed_s: f64,
    /// Where it is.
    pub phase: Phase,
    /// How it ended; absent while it runs.
    pub ending: Option<Ending>,
    /// Why it ended so, in a line; empty while it runs.
    pub why: String,
    /// The steady state by when it was looked at: `before`, `during`, `after`.
    pub steady: BTreeMap<String, State>,
    /// The limits of the hypothesis, in words.
    pub hypothesis: Vec<String>,
    /// The steps of the method that have begun.
    pub method: Vec<Step>,
    /// What the faults did.
    pub faults: Counts,
}

/// Where an experiment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The steady state is looked at; nothing is harmed yet.
    Before,
    /// A fault is in force.
    Method,
    /// The faults are over.
    After,
    /// It is over.
    Ended,
}

/// How an experiment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// The hypothesis held.
    Completed,
    /// It did not.
    Deviated,
    /// An abort condition came true, or somebody stopped it.
    Aborted,
    /// There was no steady state to begin with: no fault was made.
    Refused,
    /// There was not enough traffic to say.
    Inconclusive,
}

impl Ending {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Ending::Completed => "completed",
            Ending::Deviated => "deviated",
            Ending::Aborted => "aborted",
            Ending::Refused => "refused",
            Ending::Inconclusive => "inconclusive",
        }
    }

    /// The exit code of the command that ran it: the judge's, where the hypothesis stands for v2.
    pub fn exit_code(self) -> u8 {
        match self {
            Ending::Completed => 0,
            Ending::Deviated => 99,
            Ending::Aborted | Ending::Refused | Ending::Inconclusive => 98,
        }
    }
}

/// Both versions over a phase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// How long it was.
    pub seconds: f64,
    /// v1, as the kernel timed it.
    pub v1: Figures,
    /// v2, as its caller saw it.
    pub v2: Figures,
}

/// Figures of one version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Requests that ended.
    pub requests: u64,
    /// Those of them that failed.
    pub errors: u64,
    /// The median in seconds; absent without answers.
    pub p50_s: Option<f64>,
    /// The p99 in seconds; absent where there are fewer than 396 answers.
    pub p99_s: Option<f64>,
}

/// A step of the method that has begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The fault's name.
    pub fault: String,
    /// The share of the connections.
    pub share: String,
    /// When it began, in seconds since the experiment did.
    pub began_s: f64,
    /// When it ended; absent while it is in force.
    pub ended_s: Option<f64>,
    /// Requests that met it.
    pub met: u64,
}

/// What the faults did in one experiment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests that met a fault, by its name.
    pub met: BTreeMap<String, u64>,
    /// Requests that a fault holds now.
    pub active: u64,
    /// Requests that went unharmed because the most were held already.
    pub overflow: u64,
}

impl From<&Sample> for Figures {
    fn from(sample: &Sample) -> Figures {
        Figures {
            requests: sample.requests,
            errors: sample.errors,
            p50_s: sample.latency.quantile(0.5),
            p99_s: p99(sample),
        }
    }
}
