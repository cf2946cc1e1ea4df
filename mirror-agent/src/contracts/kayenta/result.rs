//! What Kayenta gets back: `CanaryJudgeResult`. Its boxed fields must be there, and its numbers be numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::point::Point;
use super::votes::Side;

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JudgeResult {
    /// Who judged.
    pub judge_name: String,
    /// Metric by metric, in the order of the request.
    pub results: Vec<MetricResult>,
    /// Group by group, by name.
    pub group_scores: Vec<GroupScore>,
    /// The end of it.
    pub score: Score,
}

/// What is said of a metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricResult {
    /// As asked.
    pub name: String,
    /// As asked.
    pub id: String,
    /// As asked.
    pub tags: BTreeMap<String, String>,
    /// The word.
    pub classification: Class,
    /// Why.
    pub classification_reason: String,
    /// As configured.
    pub groups: Vec<String>,
    /// Of v2.
    pub experiment_metadata: Series,
    /// Of v1.
    pub control_metadata: Series,
    /// Of both.
    pub result_metadata: Metadata,
    /// Whether it takes the score to 0.
    pub critical: bool,
    /// Whether it is left out of the score.
    pub muted: bool,
}

/// Kayenta's words for a metric. Its sixth, `Error`, is never said: what cannot be judged is refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Class {
    /// Shown to be within the allowance.
    Pass,
    /// Shown to be above it.
    High,
    /// Shown to be below it.
    Low,
    /// Not known.
    Nodata,
    /// Not known, and that is a failure.
    NodataFailMetric,
}

/// One series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Series {
    /// Its numbers in short.
    pub stats: Stats,
}

/// A series in short, in the metric's own unit; all 0 without numbers, as in Kayenta.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
    /// The mean.
    pub mean: f64,
    /// The sample's standard deviation.
    pub std: f64,
    /// How many numbers.
    pub count: u64,
}

/// Both series together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metadata {
    /// Mean of the experiment over mean of the control; 1 where there is none.
    pub ratio: f64,
    /// Points in time that voted or could have.
    pub pairs: u64,
    /// For each side that is harm.
    pub evidence: Vec<Evidence>,
}

/// The votes on one side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// Which.
    pub side: Side,
    /// Points beyond the allowance.
    pub beyond: u64,
    /// Points exactly at it.
    pub at: u64,
    /// Points within it.
    pub within: u64,
    /// Evidence of harm, the highest so far.
    pub evidence: f64,
    /// Where that is enough.
    pub needed: f64,
    /// Evidence that harm stays within the allowance.
    pub evidence_fine: f64,
    /// Where that is enough.
    pub needed_fine: f64,
}

/// The score of a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupScore {
    /// Its name.
    pub name: String,
    /// In per cent.
    pub score: f64,
    /// Empty, as in Kayenta.
    pub classification: String,
    /// Empty, but for a group of which nothing is known.
    pub classification_reason: String,
}

/// The score of all.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Score {
    /// In per cent, to two places.
    pub score: f64,
    /// `Pass`, `Marginal` or `Fail`.
    pub classification: &'static str,
    /// Why it is 0, if a rule made it so; else empty.
    pub classification_reason: String,
}

impl Stats {
    /// Of the numbers among the points.
    pub fn of(points: &[Point]) -> Stats {
        let numbers = || points.iter().filter_map(|point| point.0);
        let count = numbers().count();
        if count == 0 {
            return Stats::default();
        }
        let sum: f64 = numbers().sum();
        let mean = (sum / count as f64).clamp(f64::MIN, f64::MAX); // JSON has no infinity
        let parts = (count as f64 - 1.0).max(1.0);
        let variance: f64 = numbers().map(|number| (number - mean).powi(2) / parts).sum();
        Stats {
            min: numbers().fold(f64::MAX, f64::min),
            max: numbers().fold(f64::MIN, f64::max),
            mean,
            std: variance.sqrt().min(f64::MAX),
            count: count as u64,
        }
    }

    /// This mean over that one.
    pub fn ratio_to(&self, control: &Stats) -> f64 {
        let ratio = self.mean / control.mean;
        if ratio.is_finite() && ratio != 0.0 { ratio } else { 1.0 }
    }
}
