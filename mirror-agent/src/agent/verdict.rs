//! What the agent says of v2.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use mirror_common::turn::{measure, outcome};

use super::Agent;
use crate::judge::{Arm, Outcome, Verdict};
use crate::service::{Service, V1, V2};

impl Agent {
    /// The verdict on a service, or on the only one: since the start, or of the last `window`.
    ///
    /// # Errors
    ///
    /// When there is no such service, there are several and none is named, or the window is longer than the history.
    pub fn verdict(&self, service: Option<&str>, window: Option<Duration>) -> Result<Verdict> {
        match self.chosen(service)?.as_slice() {
            [one] => Ok(self.with_abort(one, verdict(one, window)?)),
            _ => bail!("several services run here; name one with service: {}", self.names()),
        }
    }

    /// A guard that has stopped the mirror because of v2 has said all there is to say; any other keeps v2 from passing no more
    /// than the evidence does.
    pub(super) fn with_abort(&self, service: &Service, mut verdict: Verdict) -> Verdict {
        if let Some(breach) = self.abort_of(service) {
            verdict.reasons.insert(0, format!("stopped by a guard ({}): {}", breach.reason, breach.why));
            if breach.reason.blames_v2() {
                verdict.verdict = Outcome::Fail;
            }
        }
        verdict
    }

    /// Tells the judges what was lost, and what the kernel has counted.
    pub(super) fn inform_judges(&self) {
        let now = Instant::now();
        for service in self.services.iter() {
            service.judging.note_losses(now, &service.ledger.counts());
            service.judging.look(now, || [V1, V2].map(|version| self.arm(service, version)));
            if let Ok(verdict) = verdict(service, None) {
                announce(service, &self.with_abort(service, verdict));
            }
        }
    }

    fn arm(&self, service: &Service, version: u8) -> Arm {
        let ttfb = |outcome| self.kernel.histograms.read(service.index, version, measure::TTFB, outcome);
        Arm {
            requests: self.kernel.counts.turns(service.index, version).map_or(0, |turns| turns.started),
            errors: ttfb(outcome::ERROR).count(),
            ttfb: ttfb(outcome::OK).slots.to_vec(),
        }
    }
}

/// Says what has changed since the last look.
fn announce(service: &Service, verdict: &Verdict) {
    let news = service.judging.news(verdict);
    if let Some(known) = news.calibrated {
        let (bias, allowance) = (known.bias_s * 1e6, known.allowance_s * 1e6);
        tracing::info!(
            service = service.name,
            "calibrated: our own way to v1 is {bias:+.0} µs slower than the users'; v2 is allowed {allowance:.0} µs"
        );
    }
    let reason = verdict.reasons.first().map_or("", String::as_str);
    match news.verdict {
        Some(Outcome::Fail) => tracing::warn!(service = service.name, "v2: FAIL: {reason}"),
        Some(other) => tracing::info!(service = service.name, "v2: {other}: {reason}"),
        None => {}
    }
}

/// What is said of a service now.
pub(super) fn verdict(service: &Service, window: Option<Duration>) -> Result<Verdict> {
    Ok(service.judging.verdict(&service.name, Instant::now(), window)?)
}
