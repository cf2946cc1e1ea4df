//! What the figures of each phase say: go on, stop, and how it ended.

use std::time::Duration;

use super::{At, Runner};
use crate::chaos::check::{Both, breaks_now, is_broken, shown, unknown_before, unknown_during};
use crate::chaos::experiment::{Bound, Limit};
use crate::chaos::journal::Ending;
use crate::chaos::sample::Sample;

/// How many times the baseline is waited for enough traffic.
const PATIENCE: u32 = 6;

impl Runner {
    pub(super) fn look_before(&mut self, now: Duration, is_over: bool) {
        let limits = || self.experiment.hypothesis.iter().chain(&self.experiment.abort);
        let before = &self.before.0;
        if let Some(limit) = limits().find(|limit| is_broken_before(limit, before)) {
            let why = format!("no steady state to begin with: {limit} does not hold");
            return self.finish(now, Ending::Refused, why);
        }
        if !is_over {
            return;
        }
        match limits().find_map(|limit| unknown_before(limit, &before.of(limit.metric).all)) {
            None => self.begin_step(now, 0),
            Some(why) if now >= self.experiment.baseline * PATIENCE => {
                self.finish(
                    now,
                    Ending::Inconclusive,
                    format!("not enough traffic before the faults: {why}"),
                );
            }
            Some(_) => {}
        }
    }

    pub(super) fn look_during(&mut self, now: Duration, is_over: bool) {
        let At::Step(step) = self.phase else { return };
        let (before, during) = (&self.before.0, &self.during.0);
        let recent = self.recent();
        let stops = |limit: &&Limit| {
            is_broken(limit, before, during) || breaks_now(limit, &recent.of(limit.metric).all)
        };
        let aborts = self.experiment.abort.iter().find(stops).map(|limit| (Ending::Aborted, *limit));
        let deviates = || {
            let broken = |limit: &&Limit| is_broken(limit, before, during);
            self.experiment.hypothesis.iter().find(broken).map(|limit| (Ending::Deviated, *limit))
        };
        if let Some((ending, limit)) = aborts.or_else(deviates) {
            self.end = Some((ending, self.why(&limit, during)));
            self.begin_after(now);
        } else if is_over {
            self.end_step(now);
            self.begin_step(now, step + 1);
        }
    }

    /// The last seconds.
    fn recent(&self) -> Both {
        let mut recent = Both::default();
        for [v1, v2] in &self.recent {
            recent.v1.all.add(v1);
            recent.v2.all.add(v2);
        }
        recent
    }

    /// The faults are over and had time to be over.
    pub(super) fn conclude(&mut self, now: Duration) {
        let (before, during, after) = (&self.before.0, &self.during.0, &self.after.0);
        let met: u64 = self.steps.iter().map(|step| step.met).sum();
        let broken = |limit: &&Limit| is_broken(limit, before, after);
        let limits = self.experiment.hypothesis.iter();
        let (ending, why) = if let Some(end) = self.end.take() {
            end
        } else if let Some(limit) = limits.clone().find(broken) {
            let wait = humantime::format_duration(self.experiment.wait);
            let why = format!("not back {wait} after the last fault: {}", self.why(limit, after));
            (Ending::Deviated, why)
        } else if met == 0 {
            (Ending::Inconclusive, "no request met a fault".to_owned())
        } else if let Some(why) =
            limits.clone().find_map(|limit| unknown_during(limit, &during.of(limit.metric).all))
        {
            (Ending::Inconclusive, format!("not enough traffic during the faults: {why}"))
        } else if after.v1.all.requests == 0 {
            (Ending::Inconclusive, "v1 answered no request after the faults".to_owned())
        } else {
            (Ending::Completed, "the hypothesis held".to_owned())
        };
        self.finish(now, ending, why);
    }

    /// A broken limit, with the figures that break it.
    fn why(&self, limit: &Limit, now: &Both) -> String {
        let (before, seen) = (self.before.0.of(limit.metric).all, now.of(limit.metric).all);
        let errors = |sample: &Sample| format!("{} of {}", sample.errors, sample.requests);
        match limit.bound {
            Bound::NotFail => "the verdict on v2 is FAIL".to_owned(),
            Bound::Share(_) => {
                format!("{limit} is broken: {} failed, {} before", errors(&seen), errors(&before))
            }
            _ => format!("{limit} is broken: {}, {} before", shown(&seen), shown(&before)),
        }
    }
}

/// What grows has nothing to grow from yet.
fn is_broken_before(limit: &Limit, before: &Both) -> bool {
    !matches!(limit.bound, Bound::Growth(_)) && is_broken(limit, &Both::default(), before)
}
