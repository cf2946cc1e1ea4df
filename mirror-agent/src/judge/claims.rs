//! What is said of each metric, by what was counted.

use std::time::Duration;

use super::account::{Account, Tally};
use super::block::Metric;
use super::conclusion::{conclude, doubts, shown};
use super::statistics::bernoulli_interval;
use super::{Claim, Finding, Judge, Verdict};
use crate::time::Nanos;

/// Requests after which the interval of a share of errors is tightest: some minutes of a busy service's mirror.
const SENSITIVE_TO: f64 = 10_000.0;

impl Judge {
    pub(super) fn judge(&self, service: &str, now: Nanos, account: &Account, span: Duration) -> Verdict {
        let claims = vec![
            self.errors(account),
            self.latency_claim(account),
            self.tail_claim(account),
            self.differences_claim(account),
        ];
        let lost_ratio = if account.seen == 0 { 0.0 } else { account.lost as f64 / account.seen as f64 };
        let silent = account.last.map(|last| Duration::from_secs(self.second(now).saturating_sub(last)));
        let doubts = doubts(silent, account.blocks, lost_ratio, &self.settings);
        let (verdict, reasons) = conclude(claims.iter(), doubts);
        Verdict {
            service: service.to_owned(),
            verdict,
            reasons,
            span_s: span.as_secs_f64(),
            blocks: account.blocks,
            pairs: account.pairs,
            alpha: self.settings.alpha,
            claims,
            fields: self.fields_claimed(account),
            calibration: self.calibration.known(),
            lost_ratio,
        }
    }

    /// A v2 that was never there, such as a canary without pods, has not been seen to fail.
    fn errors(&self, account: &Account) -> Claim {
        let tally = account.tally(Metric::Errors);
        if account.pairs > 0 && account.unreached == account.pairs {
            let why = format!("v2 accepted no connection for any of {} requests", account.pairs);
            return self.unjudged(account, "errors", tally, why);
        }
        let (worse, better) = (tally.votes.pairs_worse, tally.votes.pairs_better);
        let (low, high) = bernoulli_interval(worse, tally.votes.pairs, self.settings.alpha, SENSITIVE_TO);
        let shares = format!("{:.2}% to {:.2}% of all", low * 100.0, high * 100.0);
        let shares = if worse == 0 { String::new() } else { format!(" ({shares})") };
        let what = format!(
            "v2 failed {worse} requests that v1 answered{shares}, v1 failed {better} that v2 answered"
        );
        self.claim(account, "errors", tally, tally.bound.log_evidence(), &what)
    }

    fn latency_claim(&self, account: &Account) -> Claim {
        let tally = account.tally(Metric::Latency);
        let margin = self.settings.slower * 100.0;
        let (worse, all) = (tally.votes.pairs_worse, tally.votes.pairs);
        let what = match self.calibration.known() {
            Some(known) => {
                let allowance = Duration::from_secs_f64(known.allowance_s.max(0.0));
                format!("v2 was more than {margin}% and {allowance:.1?} slower in {worse} of {all} requests")
            }
            None => return self.unjudged(account, "latency", tally, self.uncalibrated()),
        };
        self.claim(account, "latency", tally, tally.fewer, &what)
    }

    fn tail_claim(&self, account: &Account) -> Claim {
        let tally = account.tally(Metric::Tail);
        if !self.calibration.is_known() {
            return self.unjudged(account, "tail", tally, self.uncalibrated());
        }
        let Some(bound) = self.tail.bound() else {
            let why = format!("the bound is learned from {} more answers of v1", self.tail.missing());
            return Claim { finding: Finding::Open, ..self.unjudged(account, "tail", tally, why) };
        };
        let (worse, better) = (tally.votes.pairs_worse, tally.votes.pairs_better);
        let what = format!("over {bound:.1?} went {worse} requests with v2 alone, {better} with v1 alone");
        self.claim(account, "tail", tally, tally.bound.log_evidence(), &what)
    }

    /// Why times are not compared.
    fn uncalibrated(&self) -> String {
        match self.calibration.missing() {
            Some(missing) => format!("our own way to v1 is still being measured, by {missing} more requests"),
            None => {
                "how much slower our own way is than the users' is unknown: ask v1 again (second_answers)"
                    .into()
            }
        }
    }

    pub(super) fn claim(
        &self,
        account: &Account,
        metric: &str,
        tally: &Tally,
        fine: f64,
        what: &str,
    ) -> Claim {
        let needed = Account::needed(&self.settings);
        let finding = if tally.worst >= needed.ln() {
            Finding::Worse
        } else if self.is_fine(account, tally, fine) {
            Finding::Fine
        } else {
            Finding::Open
        };
        let why = if finding == Finding::Open {
            format!("{what}: {}", self.open_because(account, tally, fine))
        } else {
            what.to_owned()
        };
        Claim {
            metric: metric.to_owned(),
            finding,
            why,
            votes: tally.votes,
            evidence: shown(tally.worst),
            needed,
            evidence_fine: shown(fine),
            needed_fine: 1.0 / self.settings.alpha,
        }
    }

    /// A pass needs each metric to be fine, so each may be wrong with probability alpha. What leans towards worse is not
    /// passed, however small it must be, unless it is negligible.
    pub(super) fn is_fine(&self, account: &Account, tally: &Tally, fine: f64) -> bool {
        let is_shown = tally.votes.pairs > 0 && fine >= -self.settings.alpha.ln();
        is_shown && (tally.lean <= 1e-9 || account.is_negligible(tally))
    }

    pub(super) fn open_because(&self, account: &Account, tally: &Tally, fine: f64) -> String {
        if tally.votes.pairs == 0 {
            return "nothing to go by yet".into();
        }
        if tally.lean > 1e-9 && !account.is_negligible(tally) {
            return format!(
                "it leans towards worse, evidence {:.1} of {:.0}",
                shown(tally.lean),
                Account::needed(&self.settings)
            );
        }
        format!("evidence that it is no worse is {:.1} of {:.0}", shown(fine), 1.0 / self.settings.alpha)
    }

    pub(super) fn unjudged(&self, account: &Account, metric: &str, tally: &Tally, why: String) -> Claim {
        Claim { finding: Finding::Unjudged, why, ..self.claim(account, metric, tally, f64::NEG_INFINITY, "") }
    }
}
