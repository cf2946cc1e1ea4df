//! Experiments: one at a time, held by a lease, and over when this process is.

mod running;

use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mirror_common::turn::{measure, outcome};
use serde::{Deserialize, Serialize};

use super::Agent;
use crate::chaos::{Experiment, Journal, LEASE, Sample, Totals};
use crate::config::{Errors, Role};
use crate::judge::Outcome;
use crate::replay::Target;
use crate::service::V1;
use running::Running;

/// How often it is looked whether a fault or a lease is over.
const BEAT: Duration = Duration::from_millis(50);
/// Experiments whose journals are kept.
const KEPT: usize = 20;

/// What the agent knows of its experiments.
#[derive(Default)]
pub struct Chaos(Mutex<Experiments>);

#[derive(Default)]
struct Experiments {
    begun: u64,
    running: Option<Running>,
    keeper: Option<JoinHandle<()>>,
    /// No more of them: the agent stops.
    is_closed: bool,
    /// The oldest first, each with where its faults were.
    ended: VecDeque<(Journal, Arc<Target>)>,
}

/// The answer to an experiment that was begun.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Begun {
    /// Its number: whoever asks for the journal with it keeps the experiment alive.
    pub id: u64,
    /// How long it lives from one such question to the next, in seconds.
    pub lease_s: f64,
}

impl Agent {
    /// Reads an experiment.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with its text, whose file is called `name`.
    pub fn read_experiment(&self, name: &str, text: &str) -> Result<Experiment, Errors> {
        let services: Vec<&str> = self.services.iter().map(|service| service.name.as_str()).collect();
        Experiment::parse(name, text, &services)
    }

    /// Begins an experiment: it goes on while somebody asks for its journal with its number.
    ///
    /// # Errors
    ///
    /// When another one runs, the service does not mirror or has no room for it, or the kernel refuses a thread.
    pub fn begin_chaos(self: &Arc<Self>, experiment: Experiment) -> Result<Begun> {
        let found = self.targets.iter().find(|target| target.service.name == experiment.service);
        let target = found.with_context(|| format!("service {} does not run", experiment.service))?.clone();
        let mut experiments = self.chaos.lock(); // a kill stops the target first, and then waits here
        check(&target, &experiment)?;
        if let Some(running) = &experiments.running {
            bail!("an experiment runs already: {}", running.runner.experiment().title);
        }
        if experiments.is_closed {
            bail!("the agent stops");
        }
        let id = experiments.begun + 1;
        let keeper = Arc::downgrade(self);
        let keeper = Builder::new().name("chaos".into()).spawn(move || keep(&keeper, id));
        experiments.keeper = Some(keeper.context("start a thread for it")?);
        tracing::warn!(service = experiment.service, "experiment {id} begins: {}", experiment.title);
        experiments.begun = id;
        let totals = self.totals(&target);
        experiments.running = Some(Running::new(id, experiment, target, totals));
        Ok(Begun { id, lease_s: LEASE.as_secs_f64() })
    }

    /// The journals, the newest first. `renew` is the number of an experiment that its keeper still wants.
    pub fn journals(&self, renew: Option<u64>) -> Vec<Journal> {
        let mut experiments = self.chaos.lock();
        let running = experiments.running.as_mut().map(|running| {
            if renew == Some(running.id) {
                running.renew();
            }
            running.journal()
        });
        let is_free = running.is_none();
        let ended = experiments.ended.iter().rev().map(|(journal, target)| {
            let mut journal = journal.clone();
            // What was held when it ended may take a moment to go on.
            journal.faults.active = if is_free { target.faults.counts().active } else { 0 };
            journal
        });
        running.into_iter().chain(ended).collect()
    }

    /// Ends the experiment that runs, at once; says whether there was one.
    pub fn stop_chaos(&self, why: impl Display) -> bool {
        let mut experiments = self.chaos.lock();
        let Some(running) = &mut experiments.running else { return false };
        running.stop(&why.to_string());
        experiments.retire();
        true
    }

    /// The agent stops: ends the experiment that runs, and begins no other.
    pub fn close_chaos(&self) {
        self.stop_chaos("the agent stopped");
        let mut experiments = self.chaos.lock();
        experiments.is_closed = true;
        let keeper = experiments.keeper.take();
        drop(experiments);
        // Whoever drops the agent last takes everything down: that must not be a thread that dies with the process.
        let _ = keeper.map(JoinHandle::join);
    }

    /// Goes on with an experiment; says whether it is over.
    fn beat_chaos(&self, id: u64) -> bool {
        let mut experiments = self.chaos.lock();
        let Some(running) = experiments.running.as_mut().filter(|running| running.id == id) else {
            return true;
        };
        let target = running.target.clone();
        running.beat(|| self.totals(&target));
        let is_over = running.runner.is_ended();
        if is_over {
            experiments.retire();
        }
        is_over
    }

    fn totals(&self, target: &Target) -> Totals {
        let service = &target.service;
        let ttfb = |outcome| self.kernel.histograms.read(service.index, V1, measure::TTFB, outcome);
        let by_outcome = [outcome::OK, outcome::ERROR, outcome::UNKNOWN].map(ttfb);
        let [ok, errors, unknown] = &by_outcome;
        let v1 = Sample {
            requests: ok.count() + errors.count() + unknown.count(),
            errors: errors.count(),
            latency: *ok,
        };
        let verdict = super::verdict::verdict(service, None);
        Totals {
            v1,
            v2: target.faults.seen(),
            met: target.faults.counts().met.iter().sum(),
            is_failed: verdict.is_ok_and(|verdict| verdict.verdict == Outcome::Fail),
        }
    }
}

/// Whether the service has something that may meet a fault, and room beside it for what does not.
fn check(target: &Target, experiment: &Experiment) -> Result<()> {
    let (name, most) = (&experiment.service, experiment.radius.max_active);
    let in_flight = target.service.limits.in_flight;
    if target.is_stopped() {
        bail!("service {name} was killed: nothing is asked of its v2 until `resume`");
    }
    if target.service.v2_role == Role::Observed {
        bail!("v2 of service {name} serves users: only what a shadow gets may meet a fault");
    }
    if most >= in_flight {
        bail!("max_active {most} leaves no room for others: {in_flight} requests may be in flight");
    }
    Ok(())
}

/// Keeps an experiment going until it is over, or the agent is.
fn keep(agent: &Weak<Agent>, id: u64) {
    loop {
        std::thread::sleep(BEAT);
        if agent.upgrade().is_none_or(|agent| agent.beat_chaos(id)) {
            return;
        }
    }
}

impl Chaos {
    fn lock(&self) -> MutexGuard<'_, Experiments> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Experiments {
    /// Puts the one that has ended among the others.
    fn retire(&mut self) {
        let Some(running) = self.running.take() else { return };
        running.target.faults.end();
        let journal = running.journal();
        let ending = journal.ending.map_or("", |ending| ending.as_str());
        tracing::warn!(service = journal.service, "experiment {} {ending}: {}", journal.id, journal.why);
        if self.ended.len() == KEPT {
            self.ended.pop_front();
        }
        self.ended.push_back((journal, running.target));
    }
}
