//! An experiment as it runs: totals and a `now` in, the fault in force out.
//!
//! ```text
//! before ─► step 1 ─► … ─► step n ─► after ─► ended
//!   │          └── deviated, aborted ──►┘
//!   └─ no steady state, or not enough traffic ──► ended
//! ```

mod looks;
mod told;

use std::collections::VecDeque;
use std::time::Duration;

use super::check::Both;
use super::experiment::Experiment;
use super::fault::Fault;
use super::journal::{Ending, Step};
use super::sample::{Sample, Totals, Window};

/// How often the totals are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The last looks of which errors are counted apart.
const RECENT: usize = 5;

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

    fn end_step(&mut self, now: Duration) {
        if let Some(step) = self.steps.last_mut() {
            step.ended_s.get_or_insert(now.as_secs_f64());
        }
    }

    fn begin_after(&mut self, now: Duration) {
        self.end_step(now);
        (self.phase, self.began) = (At::After, now);
    }

    fn finish(&mut self, now: Duration, ending: Ending, why: String) {
        self.end_step(now);
        self.end = Some((ending, why));
        (self.phase, self.began, self.looked) = (At::Ended, now, now);
    }
}
