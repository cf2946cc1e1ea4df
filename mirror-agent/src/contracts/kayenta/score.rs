//! From words to a score, by the rules of Kayenta's own judge.

use std::collections::BTreeMap;

use super::request::Thresholds;
use super::result::{Class, GroupScore, MetricResult, Score};
use crate::contracts::WhenInconclusive;

/// From this share of metrics without data on, in per cent, the score is 0.
const NODATA_MAX: usize = 50;

/// The words of one group.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    passed: usize,
    failed: usize,
}

impl Group {
    fn add(&mut self, class: Class) {
        match class {
            Class::Pass => self.passed += 1,
            Class::High | Class::Low | Class::NodataFailMetric => self.failed += 1,
            Class::Nodata => {}
        }
    }

    /// In per cent; nothing if no metric could tell.
    fn score(self) -> Option<f64> {
        let told = self.passed + self.failed;
        (told > 0).then(|| self.passed as f64 / told as f64 * 100.0)
    }
}

/// The score of all and of each group. Muted metrics have no say.
pub fn score(
    results: &[MetricResult],
    weights: &BTreeMap<String, f64>,
    thresholds: Thresholds,
    when_inconclusive: WhenInconclusive,
) -> (Score, Vec<GroupScore>) {
    let heard: Vec<&MetricResult> = results.iter().filter(|result| !result.muted).collect();
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for result in &heard {
        for group in &result.groups {
            groups.entry(group).or_default().add(result.classification);
        }
    }
    let (score, reason) = match zero(&heard) {
        Some(reason) => (0.0, reason),
        None => (summary(&groups, weights, when_inconclusive), String::new()),
    };
    let classification = match score {
        score if score >= thresholds.pass => "Pass",
        score if score >= thresholds.marginal => "Marginal",
        _ => "Fail",
    };
    let group_scores = groups.iter().map(|(name, group)| group_score(name, *group)).collect();
    (Score { score, classification, classification_reason: reason }, group_scores)
}

/// Why nothing else matters.
fn zero(heard: &[&MetricResult]) -> Option<String> {
    if let Some(failed) = heard.iter().find(|result| result.critical) {
        return Some(format!("a critical metric failed: {}", failed.classification_reason));
    }
    let silent = heard.iter().filter(|result| result.classification == Class::Nodata).count();
    let too_many = silent > 0 && silent * 100 >= heard.len() * NODATA_MAX;
    too_many
        .then(|| format!("{silent} of {} metrics are Nodata, from {NODATA_MAX} % on that fails", heard.len()))
}

fn summary(
    groups: &BTreeMap<&str, Group>,
    weights: &BTreeMap<String, f64>,
    when_inconclusive: WhenInconclusive,
) -> f64 {
    let unweighted = groups.keys().filter(|name| !weights.contains_key(**name)).count();
    // Groups without a weight share what the others leave, even those that are not in the request.
    let rest = (100.0 - weights.values().sum::<f64>()).max(0.0) / unweighted.max(1) as f64;
    let unknown = match when_inconclusive {
        WhenInconclusive::Halt => 0.0,
        WhenInconclusive::Advance => 100.0,
    };
    let sum: f64 = groups
        .iter()
        .map(|(name, group)| {
            group.score().unwrap_or(unknown) * weights.get(*name).copied().unwrap_or(rest) / 100.0
        })
        .sum();
    // Kayenta rounds the decimal text, half up; this is the same for what is a tie in decimals and not in binary.
    (sum * 100.0 + 1e-9).round() / 100.0
}

fn group_score(name: &str, group: Group) -> GroupScore {
    let score = group.score();
    let reason = if score.is_none() { "no metric of it could be told" } else { "" };
    GroupScore {
        name: name.into(),
        score: score.unwrap_or(0.0),
        classification: String::new(),
        classification_reason: reason.into(),
    }
}
