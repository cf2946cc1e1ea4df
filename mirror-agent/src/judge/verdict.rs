//! What is said of v2: one of three words, why, and the evidence behind it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The three words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// v2 was shown to do no worse than the margins allow.
    Pass,
    /// v2 was shown to do worse.
    Fail,
    /// Neither was shown. No data is never a pass.
    Inconclusive,
}

/// What is said of one service's v2. The keys are a contract with whoever scripts against them: they are added to, never
/// renamed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The service.
    pub service: String,
    /// The word.
    pub verdict: Outcome,
    /// Why, a line each; never empty, and the first is the one to show.
    pub reasons: Vec<String>,
    /// How long was looked at, in seconds.
    pub span_s: f64,
    /// Seconds of it in which requests ended.
    pub blocks: u64,
    /// Requests that were answered by v1 and asked of v2; of a canary, requests of both versions.
    pub pairs: u64,
    /// How often a v2 that is no worse may be failed, whatever is looked at and however often.
    pub alpha: f64,
    /// What was looked at, each with what it says.
    pub claims: Vec<Claim>,
    /// Places in which the answers differ, most evident first; at most 64.
    pub fields: Vec<FieldClaim>,
    /// How much slower our own way to a version is than a user's; absent until it is known.
    pub calibration: Option<Calibrated>,
    /// Requests that were seen and could not be compared, as a share of those that should have been.
    pub lost_ratio: f64,
}

/// What one guard metric says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// `errors`, `latency`, `tail` or `differences`; of a canary `errors`, `p50`, `p99` or `split`.
    pub metric: String,
    /// What is shown.
    pub finding: Finding,
    /// In one line.
    pub why: String,
    /// How many votes or requests stand for and against v2.
    pub votes: Votes,
    /// Evidence that v2 is worse: how many times likelier the votes are if it is. The highest so far.
    pub evidence: f64,
    /// Where that is enough.
    pub needed: f64,
    /// Evidence that v2 is no worse than the margin.
    pub evidence_fine: f64,
    /// Where that is enough.
    pub needed_fine: f64,
}

/// What a metric shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// v2 is worse.
    Worse,
    /// v2 is no worse than the margin.
    Fine,
    /// Not shown yet.
    Open,
    /// It cannot be shown as things stand.
    Unjudged,
}

/// Votes of one-second blocks, and the pairs behind them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Votes {
    /// Blocks in which v2 did worse more often.
    pub worse: u64,
    /// Blocks in which v1 did.
    pub better: u64,
    /// Pairs in which only v2 did badly.
    pub pairs_worse: u64,
    /// Pairs in which only v1 did.
    pub pairs_better: u64,
    /// Pairs that were looked at.
    pub pairs: u64,
}

/// A place in which answers differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldClaim {
    /// Its path: `body.items[*].price`.
    pub field: String,
    /// In what way: `value`, `missing`, `order`, …
    pub kind: String,
    /// What is said of it.
    pub finding: FieldFinding,
    /// Requests whose answers differ there.
    pub differing: u64,
    /// Of the requests that were asked a second time: v2 differed, v1's second answer did not.
    pub only_v2: u64,
    /// v1's second answer differed, v2's did not.
    pub only_again: u64,
    /// Both did.
    pub both: u64,
    /// Evidence that v2 differs more than v1 does from itself. The highest so far.
    pub evidence: f64,
    /// Where that is enough.
    pub needed: f64,
}

/// What is said of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldFinding {
    /// v2 differs there more than v1 differs from itself.
    Differs,
    /// The version that was asked again differs from itself there: silent, and still watched.
    Noise,
    /// It differs from itself, but is too much of an answer to be silent about.
    TooBroad,
    /// Not known yet.
    Open,
}

/// What asking v1 again has shown of our own way to a version.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibrated {
    /// Requests behind it.
    pub pairs: u64,
    /// By how much our way is slower at the median, in seconds; negative if it is faster.
    pub bias_s: f64,
    /// The same as a part of the user's time.
    pub bias_ratio: f64,
    /// What v2 is allowed on top of the margin in per cent, in seconds.
    pub allowance_s: f64,
}

impl Outcome {
    /// Every word.
    pub const ALL: [Outcome; 3] = [Outcome::Pass, Outcome::Fail, Outcome::Inconclusive];

    /// The word as JSON and metrics spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::Inconclusive => "inconclusive",
        }
    }

    /// The exit code of `mirror-agent verdict`.
    pub fn exit_code(self) -> u8 {
        match self {
            Outcome::Pass => 0,
            Outcome::Inconclusive => 98,
            Outcome::Fail => 99,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Pass => "PASS",
            Outcome::Fail => "FAIL",
            Outcome::Inconclusive => "INCONCLUSIVE",
        })
    }
}
