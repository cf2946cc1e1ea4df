//! From claims to one word.

use std::time::Duration;

use super::{Claim, Finding, Outcome, Settings};

/// After so long without a request, what was shown before says nothing of now.
const STALE: Duration = Duration::from_secs(60);
/// Evidence is shown up to here: beyond, a number of JSON would not hold it.
const MOST: f64 = 1e12;

/// What keeps a pass from being given, whatever the metrics say. `silent` is how long nothing came; `None`: ever.
pub(super) fn doubts(
    silent: Option<Duration>,
    blocks: u64,
    lost_ratio: f64,
    settings: &Settings,
) -> Vec<String> {
    let Some(silent) = silent else {
        return vec!["no request was compared: no data is no pass".into()];
    };
    let mut doubts = Vec::new();
    if silent > STALE {
        doubts.push(format!("no request was compared for {} s", silent.as_secs()));
    }
    if blocks < settings.min_blocks {
        let needed = settings.min_blocks;
        doubts.push(format!("{blocks} of the {needed} seconds with requests that a pass needs"));
    }
    if lost_ratio > settings.max_lost {
        let (lost, most) = (lost_ratio * 100.0, settings.max_lost * 100.0);
        doubts.push(format!("{lost:.1}% of the requests could not be compared, more than {most}%"));
    }
    doubts
}

/// A proven harm goes before everything, a doubt before a pass.
pub(super) fn conclude<'a>(
    claims: impl Iterator<Item = &'a Claim> + Clone,
    doubts: Vec<String>,
) -> (Outcome, Vec<String>) {
    let lines = |finding| {
        let whys = claims.clone().filter(move |claim| claim.finding == finding);
        whys.map(|claim| format!("{}: {}", claim.metric, claim.why)).collect::<Vec<_>>()
    };
    let worse = lines(Finding::Worse);
    if !worse.is_empty() {
        return (Outcome::Fail, worse);
    }
    let open = [doubts, lines(Finding::Open), lines(Finding::Unjudged)].concat();
    if open.is_empty() { (Outcome::Pass, lines(Finding::Fine)) } else { (Outcome::Inconclusive, open) }
}

/// A logarithm of evidence as evidence.
pub(super) fn shown(log_evidence: f64) -> f64 {
    log_evidence.exp().min(MOST)
}
