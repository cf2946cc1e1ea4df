//! An experiment as it runs: totals and a `now` in, the fault in force out.
//!
//! ```text
//! before ─► step 1 ─► … ─► step n ─► after ─► ended
//!   │          └── deviated, aborted ──►┘
//!   └─ no steady state, or not enough traffic ──► ended
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::check::{Both, breaks_now, is_broken, shown, unknown_before, unknown_during};
use super::experiment::{Experiment, Limit};
use super::fault::Fault;
use super::journal::{Counts, Ending, Journal, Phase, State, Step};
use super::sample::{Sample, Totals, Window};

/// How often the totals are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The last looks of which errors are counted apart.
const RECENT: usize = 5;
/// How many times the baseline is waited for enough traffic.
const PATIENCE: u32 = 6;

/// A running experiment. All times are since it began.
#[derive(Debug)]
pub struct Runner {
    experiment: Experiment,
    phase: At,
    began: Duration,
    looked: Duration,
    totals: Totals,
    before: (Both, Duration),
    during: (Both, Duration),
    after: (Both, Duration),
    recent: VecDeque<[Sample; 2]>,
    steps: Vec<Step>,
    end: Option<(Ending, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Before,
    Step(usize),
    After,
    Ended,
}

impl Runner {
    /// An experiment that begins at zero, when this much had been counted.
    pub fn new(experiment: Experiment, totals: Totals) -> Runner {
        Runner {
            experiment,
            phase: At::Before,
            began: Duration::ZERO,
            looked: Duration::ZERO,
            totals,
            before: Default::default(),
            during: Default::default(),
            after: Default::default(),
            recent: VecDeque::new(),
            steps: Vec::new(),
            end: None,
        }
    }

    /// What it runs.
    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    /// The step whose fault is in force, by its number from 0, and when it ends.
    pub fn in_force(&self) -> Option<(usize, Fault, Duration)> {
        let At::Step(step) = self.phase else { return None };
        self.experiment.method.get(step).map(|fault| (step, *fault, self.began + fault.duration))
    }

    /// Whether it is over.
    pub fn is_ended(&self) -> bool {
        self.phase == At::Ended
    }

    /// Goes on. `totals` is asked about once a second, and when a phase ends; call it more often than that.
    pub fn tick(&mut self, now: Duration, totals: impl FnOnce() -> Totals) {
        let is_over = now.saturating_sub(self.began) >= self.length();
        if self.is_ended() || (!is_over && now.saturating_sub(self.looked) < LOOK) {
            return;
        }
        self.take(now, totals());
        match self.phase {
            At::Before => self.look_before(now, is_over),
            At::Step(_) => self.look_during(now, is_over),
            At::After if is_over => self.conclude(now),
            At::After | At::Ended => {}
        }
    }

    /// Ends it at once.
    pub fn stop(&mut self, now: Duration, why: &str) {
        if !self.is_ended() {
            self.finish(now, Ending::Aborted, why.to_owned());
        }
    }

    /// How long the phase is.
    fn length(&self) -> Duration {
        match self.phase {
            At::Before => self.experiment.baseline,
            At::Step(step) => self.experiment.method.get(step).map_or(Duration::ZERO, |fault| fault.duration),
            At::After => self.experiment.wait,
            At::Ended => Duration::MAX,
        }
    }

    /// Adds what came since the last look to its phase.
    fn take(&mut self, now: Duration, totals: Totals) {
        let (v1, v2) = (totals.v1.since(&self.totals.v1), totals.v2.since(&self.totals.v2));
        let span = now.saturating_sub(self.looked);
        if let Some(step) = self.steps.last_mut().filter(|step| step.ended_s.is_none()) {
            step.met += totals.met.saturating_sub(self.totals.met);
        }
        // The first half of the wait is for whatever the faults have left to settle.
        let is_settling = self.looked.saturating_sub(self.began) < self.experiment.wait / 2;
        let (both, time) = match self.phase {
            At::Before => &mut self.before,
            At::Step(_) => &mut self.during,
            At::After if !is_settling => &mut self.after,
            At::After | At::Ended => {
                (self.looked, self.totals) = (now, totals);
                return;
            }
        };
        both.v1.add(&v1);
        both.v2.add(&v2);
        both.is_failed = totals.is_failed;
        *time += span;
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back([v1, v2]);
        (self.looked, self.totals) = (now, totals);
    }

    fn look_before(&mut self, now: Duration, is_over: bool) {
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

    fn begin_step(&mut self, now: Duration, step: usize) {
        let Some(fault) = self.experiment.method.get(step) else { return self.begin_after(now) };
        if step == 0 {
            let [v1, v2] = [&self.before.0.v1, &self.before.0.v2].map(|one| Window::new(one.all.p99_slot()));
            self.during.0 = Both { v1, v2, is_failed: false };
            self.after.0 = self.during.0;
            self.recent.clear();
        }
        self.steps.push(Step {
            fault: fault.kind.as_str().to_owned(),
            share: fault.share.to_string(),
            began_s: now.as_secs_f64(),
            ended_s: None,
            met: 0,
        });
        (self.phase, self.began) = (At::Step(step), now);
    }

    fn look_during(&mut self, now: Duration, is_over: bool) {
        let At::Step(step) = self.phase else { return };
        let (before, during) = (&self.before.0, &self.during.0);
        let recent = self.recent();
        let stops =
            |limit: &&Limit| is_broken(limit, before, during) || breaks_now(limit, recent.of_limit(limit));
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

    fn recent(&self) -> Recent {
        let mut recent = Recent::default();
        for [v1, v2] in &self.recent {
            recent.0.v1.all.add(v1);
            recent.0.v2.all.add(v2);
        }
        recent
    }

    fn end_step(&mut self, now: Duration) {
        if let Some(step) = self.steps.last_mut() {
            step.ended_s.get_or_insert(now.as_secs_f64());
        }
    }

    fn begin_after(&mut self, now: Duration) {
        self.end_step(now);
        (self.phase, self.began) = (At::After, now);
    }

    /// The faults are over and had time to be over.
    fn conclude(&mut self, now: Duration) {
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

    fn finish(&mut self, now: Duration, ending: Ending, why: String) {
        self.end_step(now);
        self.end = Some((ending, why));
        (self.phase, self.began, self.looked) = (At::Ended, now, now);
    }

    /// A broken limit, with the figures that break it.
    fn why(&self, limit: &Limit, now: &Both) -> String {
        let (before, seen) = (self.before.0.of(limit.metric).all, now.of(limit.metric).all);
        let errors = |sample: &Sample| format!("{} of {}", sample.errors, sample.requests);
        match limit.bound {
            super::Bound::NotFail => "the verdict on v2 is FAIL".to_owned(),
            super::Bound::Share(_) => {
                format!("{limit} is broken: {} failed, {} before", errors(&seen), errors(&before))
            }
            _ => format!("{limit} is broken: {}, {} before", shown(&seen), shown(&before)),
        }
    }

    /// The journal so far. `id` and `began_s` are its own, `faults` what they did since.
    pub fn journal(&self, id: u64, began_s: f64, now: Duration, faults: Counts) -> Journal {
        let phases = [("before", &self.before), ("during", &self.during), ("after", &self.after)];
        let steady = phases.into_iter().filter(|(_, (_, time))| !time.is_zero());
        Journal {
            id,
            title: self.experiment.title.clone(),
            service: self.experiment.service.clone(),
            began_s,
            elapsed_s: if self.is_ended() { self.began } else { now }.as_secs_f64(),
            phase: match self.phase {
                At::Before => Phase::Before,
                At::Step(_) => Phase::Method,
                At::After => Phase::After,
                At::Ended => Phase::Ended,
            },
            ending: self.end.as_ref().filter(|_| self.is_ended()).map(|(ending, _)| *ending),
            why: self.end.as_ref().map_or_else(String::new, |(_, why)| why.clone()),
            steady: steady.map(|(name, state)| (name.to_owned(), figures(state))).collect::<BTreeMap<_, _>>(),
            hypothesis: self.experiment.hypothesis.iter().map(Limit::to_string).collect(),
            method: self.steps.clone(),
            faults,
        }
    }
}

/// The last seconds.
#[derive(Default)]
struct Recent(Both);

impl Recent {
    fn of_limit(&self, limit: &Limit) -> &Sample {
        &self.0.of(limit.metric).all
    }
}

/// What grows has nothing to grow from yet.
fn is_broken_before(limit: &Limit, before: &Both) -> bool {
    !matches!(limit.bound, super::Bound::Growth(_)) && is_broken(limit, &Both::default(), before)
}

fn figures((both, time): &(Both, Duration)) -> State {
    State { seconds: time.as_secs_f64(), v1: (&both.v1.all).into(), v2: (&both.v2.all).into() }
}
