//! The word for one metric.

use super::LogEvidence;
use super::config::{Allowed, Metric};
use super::point::Point;
use super::request::Pair;
use super::result::{Class, Evidence, Metadata, MetricResult, Series, Stats};
use super::votes::{Side, Tally};
use crate::contracts::WhenInconclusive;

/// From this evidence of harm on, a metric leans to harm too far to pass.
const DOUBT: f64 = 10.0;

/// What all metrics of a request are held against.
pub struct Judge {
    log_evidence: LogEvidence,
    needed: f64,
    needed_fine: f64,
    when_inconclusive: WhenInconclusive,
}

/// A word, why, and whether it alone fails the canary.
struct Said {
    class: Class,
    why: String,
    critical: bool,
}

impl Judge {
    /// `claims` times can harm be seen in the request. A pass needs no such correction: it speaks of
    /// one metric.
    pub fn new(
        log_evidence: LogEvidence,
        alpha: f64,
        claims: u64,
        when_inconclusive: WhenInconclusive,
    ) -> Self {
        Judge {
            log_evidence,
            needed: claims.max(1) as f64 / alpha,
            needed_fine: 1.0 / alpha,
            when_inconclusive,
        }
    }

    /// The result of one metric.
    pub fn metric(&self, pair: &Pair, config: &Metric) -> MetricResult {
        let pairs = paired(pair, config.replace_missing);
        let tallies: Vec<(&Allowed, Tally)> =
            config.sides.iter().map(|side| (side, side.bound.tally(&pairs, self.log_evidence))).collect();
        let said = self.say(pair, config, &pairs, &tallies);
        let (control, experiment) = (Stats::of(&pair.values.control), Stats::of(&pair.values.experiment));
        MetricResult {
            name: pair.name.clone(),
            id: pair.id.clone(),
            tags: pair.tags.clone(),
            classification: said.class,
            classification_reason: said.why,
            groups: config.groups.clone(),
            experiment_metadata: Series { stats: experiment },
            control_metadata: Series { stats: control },
            result_metadata: Metadata {
                ratio: experiment.ratio_to(&control),
                pairs: pairs.len() as u64,
                evidence: tallies.iter().map(|(allowed, tally)| self.evidence(allowed, tally)).collect(),
            },
            critical: said.critical,
            muted: config.muted,
        }
    }

    fn say(&self, pair: &Pair, config: &Metric, pairs: &[(f64, f64)], tallies: &[(&Allowed, Tally)]) -> Said {
        if pairs.is_empty() {
            let failed = config.must_have_data && !config.critical;
            let class = if failed { Class::NodataFailMetric } else { Class::Nodata };
            let why = format!("{}: there is no point in time with a number of both", pair.name);
            return Said { class, why, critical: config.critical };
        }
        let harmful = |(allowed, tally): &&(&Allowed, Tally)| {
            tally.harm >= self.needed.ln() && allowed.bound.share_reached(tally)
        };
        if let Some((allowed, tally)) = tallies.iter().find(harmful) {
            return self.harm(pair, config, pairs, allowed, tally);
        }
        let measured = |points: &[Point]| points.iter().any(|point| point.0.is_some());
        let both = measured(&pair.values.control) && measured(&pair.values.experiment);
        let fine = |(_, tally): &(&Allowed, Tally)| {
            tally.fine >= self.needed_fine.ln() && tally.harm_now < DOUBT.ln()
        };
        if both && tallies.iter().all(fine) {
            let why = format!("{}: within the allowance in {}", pair.name, counts(tallies));
            return Said { class: Class::Pass, why, critical: false };
        }
        // As many pairs as would have been called harmful, had all of them been.
        let enough = (self.log_evidence)(pairs.len() as u64, 0) >= self.needed.ln();
        if both && enough && self.when_inconclusive == WhenInconclusive::Advance {
            let why = format!("{}: not shown to be harmful, nor to be fine; {}", pair.name, counts(tallies));
            return Said { class: Class::Pass, why, critical: false };
        }
        let why = format!("{}: inconclusive, within the allowance in {}", pair.name, counts(tallies));
        Said { class: Class::Nodata, why, critical: config.critical }
    }

    fn harm(
        &self,
        pair: &Pair,
        config: &Metric,
        pairs: &[(f64, f64)],
        allowed: &Allowed,
        tally: &Tally,
    ) -> Said {
        let beyond = allowed.critical.tally(pairs, self.log_evidence);
        let critical =
            config.critical && beyond.harm >= self.needed.ln() && allowed.critical.share_reached(&beyond);
        let all = tally.beyond + tally.at + tally.within;
        let why = format!(
            "{}: {} in {} of {all} points, evidence {:.3e} where {:.0} is enough",
            pair.name,
            match allowed.bound.side {
                Side::High => "above what is allowed",
                Side::Low => "below what is allowed",
            },
            tally.beyond,
            plain(tally.harm),
            self.needed
        );
        let class = match allowed.bound.side {
            Side::High => Class::High,
            Side::Low => Class::Low,
        };
        Said { class, why, critical }
    }

    fn evidence(&self, allowed: &Allowed, tally: &Tally) -> Evidence {
        Evidence {
            side: allowed.bound.side,
            beyond: tally.beyond,
            at: tally.at,
            within: tally.within,
            evidence: plain(tally.harm),
            needed: self.needed,
            evidence_fine: plain(tally.fine),
            needed_fine: self.needed_fine,
        }
    }
}

/// Out of the logarithm, and finite: JSON has no infinity.
fn plain(log: f64) -> f64 {
    log.min(700.0).exp()
}

fn counts(tallies: &[(&Allowed, Tally)]) -> String {
    let each = tallies.iter().map(|(_, tally)| {
        format!("{} of {} points", tally.at + tally.within, tally.beyond + tally.at + tally.within)
    });
    each.collect::<Vec<_>>().join(" and ")
}

/// Control and experiment at the same index. A time without a number on either side is no pair, even if what is missing
/// counts as 0: nothing was measured.
fn paired(pair: &Pair, replace_missing: bool) -> Vec<(f64, f64)> {
    let both = pair.values.control.iter().zip(&pair.values.experiment);
    both.filter_map(|points| match points {
        (Point(Some(control)), Point(Some(experiment))) => Some((*control, *experiment)),
        (Point(Some(control)), Point(None)) if replace_missing => Some((*control, 0.0)),
        (Point(None), Point(Some(experiment))) if replace_missing => Some((0.0, *experiment)),
        _ => None,
    })
    .collect()
}
