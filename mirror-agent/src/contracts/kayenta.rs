//! Kayenta's remote judge: `POST /judge`.
//!
//! The request is a canary config and a pair of series for each metric, the answer a word for each metric and a score
//! from 0 to 100. The shapes are Kayenta's (`RemoteJudgeRequest`, `MetricSetPair`, `CanaryJudgeResult`), the scoring is
//! that of its own judge (`WeightedSumScorer`, `ThresholdScoreClassifier`), and the statistic is ours.
//!
//! **Statistic.** The points of both series are paired by index, up to the shorter. Each pair votes: is the experiment
//! beyond what the allowance makes of the control? The votes feed the same anytime-valid evidence as our own verdict,
//! so an analysis that asks again with every interval, from the same start, adds no false alarms. A `lookback` moves
//! the start, and each such analysis has false alarms of its own.
//!
//! | word | when |
//! |---|---|
//! | `High`, `Low` | evidence of harm has reached K/α, K being how many directions of how many metrics are looked at |
//! | `Pass` | evidence that harm stays within the allowance has reached 1/α, and there is no leaning to harm |
//! | `Nodata` | neither: no pairs, too few, or too noisy; Kayenta has no word for INCONCLUSIVE |
//! | `NodataFailMetric` | no pairs, and the metric must have data |
//!
//! **What differs from Kayenta's own judge**, because no data is never a pass:
//! an allowance that is not configured is 5 % and not nothing, as nobody can show that noise is *no* increase;
//! a metric passes for what was shown and not for want of proof; a series without one number cannot pass, whatever
//! `nanStrategy` says; a group in which nothing could be told counts 0 and not 100.
//! `judgeConfigurations: {"inconclusive": "advance"}` takes back the second and the fourth; too few points are still
//! `Nodata`. Outliers need no strategy: a vote has no size.

mod config;
mod metric;
mod point;
mod request;
mod result;
mod score;
mod votes;

pub use request::{BODY_MAX, PAIRS_MAX, POINTS_ALL_MAX, POINTS_MAX};
pub use result::{Class, GroupScore, JudgeResult, MetricResult, Score, Stats};

use metric::Judge;
use request::Request;

/// Where Kayenta asks; its `baseUrl` goes before it.
pub const PATH: &str = "/judge";
/// What a canary config calls a remote judge.
pub const REMOTE_JUDGE: &str = "RemoteJudge-v1.0";
/// What we call ourselves in a result.
const NAME: &str = "mirror-agent";
/// How often a metric that is no worse may be called so, over all metrics of a request.
const ALPHA: f64 = 0.01;

/// `ln E(for, against)`: the log of the evidence that votes `for` are more than every second one. It must hold at any
/// time: under the contrary, `E` ever reaches `x` with probability at most `1/x`.
pub type LogEvidence = fn(u64, u64) -> f64;

/// Judges a request. It takes up to some 100 ms of processor time: not for a thread that others wait for.
///
/// # Errors
///
/// A line for a 400: what is not JSON of that shape, too much of it, a metric that the config does not know, or values
/// that make no sense. Kayenta then ends the analysis as failed.
pub fn judge(body: &[u8], log_evidence: LogEvidence) -> Result<JudgeResult, String> {
    let request = Request::read(body)?;
    let when_inconclusive = request.canary_config.when_inconclusive()?;
    let weights = request.canary_config.weights()?;
    let pairs = request.configured()?;
    let claims = pairs.iter().filter(|(_, config)| !config.muted).map(|(_, config)| config.claims()).sum();
    let judge = Judge::new(log_evidence, ALPHA, claims, when_inconclusive);
    let results: Vec<_> = pairs.iter().map(|(pair, config)| judge.metric(pair, config)).collect();
    let (score, group_scores) = score::score(&results, &weights, request.score_thresholds, when_inconclusive);
    Ok(JudgeResult { judge_name: NAME.into(), results, group_scores, score })
}

#[cfg(test)]
pub(super) mod tests;
