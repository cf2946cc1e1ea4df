//! An experiment that runs: its runner, and the faults that it puts in force.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::chaos::{Counts, Experiment, Journal, Kind, LEASE, Runner, Totals};
use crate::replay::{FaultCounts, Target};
use crate::status::by_name;

/// An experiment that runs.
pub(super) struct Running {
    pub(super) id: u64,
    pub(super) runner: Runner,
    began: Instant,
    began_s: f64,
    pub(super) target: Arc<Target>,
    /// What the faults had done before.
    before: FaultCounts,
    /// The step whose fault was put in force last.
    in_force: Option<usize>,
    lease: Instant,
}

impl Running {
    /// Begins it now, when this much had been counted.
    pub(super) fn new(id: u64, experiment: Experiment, target: Arc<Target>, totals: Totals) -> Running {
        target.faults.begin();
        let began = Instant::now();
        Running {
            id,
            runner: Runner::new(experiment, totals),
            began,
            began_s: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            before: target.faults.counts(),
            target,
            in_force: None,
            lease: began,
        }
    }

    /// Somebody still wants it.
    pub(super) fn renew(&mut self) {
        self.lease = Instant::now();
    }

    /// Goes on with it: ends it if nobody wants it any more, and puts in force what the runner says.
    pub(super) fn beat(&mut self, totals: impl FnOnce() -> Totals) {
        if self.lease.elapsed() > LEASE {
            self.stop("whoever ran it is gone");
        }
        self.runner.tick(self.began.elapsed(), totals);
        self.apply();
    }

    /// Ends it at once.
    pub(super) fn stop(&mut self, why: &str) {
        self.target.faults.clear(); // first of all
        self.runner.stop(self.began.elapsed(), why);
    }

    /// Puts in force what the runner says.
    fn apply(&mut self) {
        let (step, faults) = (self.runner.in_force(), &self.target.faults);
        let number = step.map(|(number, ..)| number);
        if number == self.in_force {
            return;
        }
        self.in_force = number;
        match step {
            Some((_, fault, _)) => {
                let experiment = self.runner.experiment();
                tracing::info!(service = experiment.service, "{} for {}", fault.kind.as_str(), fault.share);
                faults.put(fault, experiment.coin, experiment.radius.max_active);
            }
            None => faults.clear(),
        }
    }

    /// Its journal so far.
    pub(super) fn journal(&self) -> Journal {
        let now = self.target.faults.counts();
        let met: Vec<u64> = now.met.iter().zip(self.before.met).map(|(now, before)| now - before).collect();
        let faults = Counts {
            met: by_name(Kind::NAMES, &met),
            active: now.active,
            overflow: now.overflow - self.before.overflow,
        };
        self.runner.journal(self.id, self.began_s, self.began.elapsed(), faults)
    }
}
