//! What is said of two versions that share the users' traffic.

use super::super::conclusion::{conclude, doubts, shown};
use super::super::statistics::quantile;
use super::super::{Claim, Finding, Outcome, Verdict, Votes};
use super::{Account, Arm, Looked, QUANTILES, Unpaired};
use crate::time::Nanos;

/// Errors and the quantiles share alpha.
const FAMILIES: f64 = 3.0;
/// Evidence at which a split is broken: the usual level of 0.001 for a sample ratio mismatch.
const BROKEN: f64 = 1000.0;
/// Buckets by which v2's quantile may be higher and still pass: √2 times. Two are lost to what buckets hide, and one
/// more would pass nothing in a reasonable time.
const MARGIN: usize = 4;

impl Unpaired {
    pub(super) fn judge(&self, service: &str, now: Nanos, from: &Looked, account: &Account) -> Verdict {
        let arms = [0, 1].map(|arm| self.now.arms[arm].since(&from.arms[arm]));
        let quantiles = (0..QUANTILES.len()).map(|index| self.quantile(index, &arms, account));
        let mut said = vec![self.split_claim(&arms, account), self.errors(&arms, account)];
        said.extend(quantiles);
        let blocks = self.now.blocks.saturating_sub(from.blocks);
        let last = self.now.last.filter(|last| *last > from.at);
        let doubts = doubts(last.map(|last| now.since(last)), blocks, 0.0, &self.settings);
        let is_broken = said.first().is_some_and(|split| split.finding == Finding::Worse);
        let (verdict, reasons) = if is_broken {
            let reasons = said.iter().take(1).map(|split| format!("split: {}", split.why)).collect();
            (Outcome::Inconclusive, reasons)
        } else {
            conclude(said.iter().skip(usize::from(self.split.is_none())), doubts)
        };
        Verdict {
            service: service.to_owned(),
            verdict,
            reasons,
            span_s: now.since(from.at).as_secs_f64(),
            blocks,
            pairs: arms.iter().map(|arm| arm.requests).sum(),
            alpha: self.settings.alpha,
            claims: said,
            fields: Vec::new(),
            calibration: None,
            lost_ratio: 0.0,
        }
    }

    /// It is no harm of v2's if the split is broken, but nothing else can be said then: who was left out is not known.
    fn split_claim(&self, [v1, v2]: &[Arm; 2], account: &Account) -> Claim {
        let all = (v1.requests + v2.requests).max(1) as f64;
        let percent = v2.requests as f64 / all * 100.0;
        let (finding, why) = match self.split {
            None => (
                Finding::Unjudged,
                format!("v2 gets {percent:.2}% of the requests; split says how many it should"),
            ),
            Some(split) if account.split >= BROKEN.ln() => {
                let said = split * 100.0;
                (
                    Finding::Worse,
                    format!(
                        "v2 gets {percent:.2}% of the requests instead of {said}%: compare nothing by it"
                    ),
                )
            }
            Some(split) => (
                Finding::Fine,
                format!("v2 gets {percent:.2}% of the requests, {}% are asked for", split * 100.0),
            ),
        };
        Claim {
            metric: "split".into(),
            finding,
            why,
            votes: votes(v2.requests, v1.requests, v1.requests + v2.requests),
            evidence: shown(account.split),
            needed: BROKEN,
            evidence_fine: 0.0,
            needed_fine: 0.0,
        }
    }

    fn errors(&self, [v1, v2]: &[Arm; 2], account: &Account) -> Claim {
        let all = v1.answered() + v2.answered();
        let [of_v1, of_v2] = [v1, v2].map(|arm| arm.error_ratio() * 100.0);
        let what = format!("v1 failed {} requests ({of_v1:.2}%), v2 {} ({of_v2:.2}%)", v1.errors, v2.errors);
        let leans = v2.error_ratio() > v1.error_ratio();
        let fine = if leans { f64::NEG_INFINITY } else { account.bound.log_evidence() };
        self.claim("errors", account.errors, fine, votes(v2.errors, v1.errors, all), what)
    }

    fn quantile(&self, index: usize, [v1, v2]: &[Arm; 2], account: &Account) -> Claim {
        let (name, p) = QUANTILES[index];
        let fewest = quantile::fewest_samples(p);
        let [n1, n2] = [v1, v2].map(|arm| arm.ttfb.iter().sum::<u64>());
        let votes = votes(0, 0, n1 + n2);
        if n1.min(n2) < fewest {
            let why =
                format!("it takes {fewest} answers of each version, and there are {n1} of v1 and {n2} of v2");
            return Claim { finding: Finding::Open, ..self.claim(name, 0.0, f64::NEG_INFINITY, votes, why) };
        }
        let shifted: Vec<u64> = std::iter::repeat_n(0, MARGIN).chain(v1.ttfb.iter().copied()).collect();
        let fine = quantile::quantile_log_evidence(&v2.ttfb, &shifted, p);
        let what = format!("of {n1} answers of v1 and {n2} of v2");
        self.claim(name, account.quantiles[index], fine, votes, what)
    }

    fn claim(&self, metric: &str, worst: f64, fine: f64, votes: Votes, what: String) -> Claim {
        let (needed, needed_fine) = (FAMILIES / self.settings.alpha, 1.0 / self.settings.alpha);
        let finding = if worst >= needed.ln() {
            Finding::Worse
        } else if fine >= needed_fine.ln() {
            Finding::Fine
        } else {
            Finding::Open
        };
        let why = match finding {
            Finding::Open => format!(
                "{what}: evidence that v2 is worse is {:.1} of {needed:.0}, that it is not {:.1} of {needed_fine:.0}",
                shown(worst),
                shown(fine)
            ),
            _ => what,
        };
        Claim {
            metric: metric.to_owned(),
            finding,
            why,
            votes,
            evidence: shown(worst),
            needed,
            evidence_fine: shown(fine),
            needed_fine,
        }
    }
}

fn votes(worse: u64, better: u64, all: u64) -> Votes {
    Votes { pairs_worse: worse, pairs_better: better, pairs: all, ..Votes::default() }
}
