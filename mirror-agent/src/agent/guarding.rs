//! The guards at work: four times a second it is looked at what was counted, and what is breached is stopped.
//!
//! They run on a thread of their own, and `kill` needs none of their locks.

mod abort;
mod climb;
mod kept;
mod observe;
mod preflight;
mod report;
mod watched;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;

pub use preflight::Probe;

use super::Agent;
use crate::config::{AgentGuards, Config};
use crate::guard::process::{Process, Usage};
use crate::guard::{Breach, Reason};
use crate::kernel::clock;
use crate::service::Service;
use crate::time::Nanos;
use kept::KeptFile;
use watched::Watched;

/// How often the guards look.
pub const LOOK: Duration = Duration::from_millis(250);
/// How often fences are proven.
pub const PROOF: Duration = Duration::from_secs(30);
/// Nobody has asked for the metrics yet.
const NEVER: u64 = u64::MAX;

/// What the guards of a whole agent remember.
pub struct Guarding {
    config: AgentGuards,
    started: Instant,
    process: Mutex<Process>,
    /// By service.
    watched: Vec<Mutex<Watched>>,
    /// By service: within which time, in nanoseconds, an answer is good.
    bounds: Vec<Option<u64>>,
    /// What stopped everything, and what stopped each service.
    aborted: Mutex<(Option<Breach>, Vec<Option<Breach>>)>,
    counts: Mutex<BTreeMap<Reason, u64>>,
    abort_latency_ns: AtomicU64,
    /// When the metrics were last asked for, in nanoseconds since the start.
    scraped: AtomicU64,
    kept: Option<KeptFile>,
    /// Where the metrics are served, in words.
    served: String,
}

impl Guarding {
    /// Guards for what `config` says, with what was kept of an earlier run.
    ///
    /// # Errors
    ///
    /// When the state cannot be kept, or what was kept cannot be read.
    pub fn new(config: &Config) -> Result<Guarding> {
        let needs_file =
            config.services.iter().any(|service| !service.ramp.is_empty() || service.slo.is_some());
        let kept = needs_file.then(|| KeptFile::open(&config.guards.state)).transpose()?;
        let before = kept.as_ref().map(KeptFile::read).transpose()?.unwrap_or_default();
        let watched = config.services.iter().map(|service| {
            let kept = before.services.get(&service.name).cloned().unwrap_or_default();
            Mutex::new(Watched::new(service, config.guards.preflight, kept))
        });
        Ok(Guarding {
            process: Mutex::new(Process::new(config.guards.limits, Nanos(0))),
            watched: watched.collect(),
            bounds: config.services.iter().map(bound).collect(),
            aborted: Mutex::new((None, vec![None; config.services.len()])),
            counts: Mutex::default(),
            abort_latency_ns: AtomicU64::new(NEVER),
            scraped: AtomicU64::new(NEVER),
            started: Instant::now(),
            kept,
            served: config.listen.map_or_else(|| "the control socket".into(), |listen| listen.to_string()),
            config: config.guards.clone(),
        })
    }

    /// Somebody has asked for the metrics.
    pub fn note_scrape(&self) {
        self.scraped.store(self.now().0, Ordering::Relaxed);
    }

    fn now(&self) -> Nanos {
        Nanos(u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn watched(&self, service: &Service) -> Option<MutexGuard<'_, Watched>> {
        self.watched.get(usize::from(service.index)).map(lock)
    }

    fn bound(&self, service: &Service) -> Option<u64> {
        self.bounds.get(usize::from(service.index)).copied().flatten()
    }

    fn usage(&self) -> Usage {
        let (cpu, memory) = super::cost::process().unwrap_or_default();
        let scraped = self.scraped.load(Ordering::Relaxed);
        Usage {
            cpu: Duration::from_secs_f64(cpu.max(0.0)),
            memory,
            scraped: (scraped != NEVER).then_some(Nanos(scraped)),
        }
    }

    /// Which guard of the agent as a whole is breached.
    fn breach(&self, now: Nanos) -> Option<Breach> {
        let kill_file = &self.config.kill_file;
        if kill_file.exists() {
            return Some(Breach::new(Reason::KillFile, format!("{} is there", kill_file.display())));
        }
        lock(&self.process).look(now, &self.usage())
    }
}

impl Agent {
    /// What the guards do each time: stops what is breached, and moves what rises.
    pub fn guard(&self) {
        let (evidence, now) = (clock::monotonic(), self.guarding.now());
        if let Some(breach) = self.guarding.breach(now).filter(|_| !self.is_aborted(None)) {
            self.abort(None, breach, evidence);
        }
        let lost = self.intake_status().map_or(0, |intake| intake.link_dropped + intake.ring_dropped);
        for service in self.services.iter() {
            if let Err(error) = self.guard_service(service, now, evidence, lost) {
                tracing::error!(service = service.name, "the guards cannot look: {error:#}");
            }
        }
    }

    fn guard_service(&self, service: &Service, now: Nanos, evidence: u64, lost: u64) -> Result<()> {
        let policy = self.kernel.policy(service.index)?;
        let (seen, arm) = self.observe(service, &policy, lost)?;
        let held = self.held(service, &policy);
        let Some(mut watched) = self.guarding.watched(service) else { return Ok(()) };
        let breach = watched.look(now, unix_time(), &seen, &arm, held.is_none());
        let wants_mirror = watched.wants_mirror();
        drop(watched);
        // What is not mirrored is not what harms v1, and is not stopped twice.
        if let Some(breach) = breach.filter(|_| held.is_none()) {
            self.abort(Some(service), breach, evidence);
            return Ok(());
        }
        self.set_switchback(service, &policy, wants_mirror)
    }

    /// Calls from inside each fence, which must fail. It waits for a process, 2 s at most.
    pub fn prove_fences(&self) {
        for service in self.services.iter() {
            let Some(fence) = self.fence(service.index) else { continue };
            let evidence = clock::monotonic();
            let Err(lost) = fence.prove() else { continue };
            tracing::error!(service = service.name, "the fence is lost: {}", lost.reason);
            if !self.is_aborted(Some(service)) {
                self.abort(Some(service), Breach::new(Reason::FenceLost, lost.reason), evidence);
            }
        }
    }

    /// What is done about once a second: preflights, ramps, and what is kept of them.
    pub fn guard_slowly(&self, probe: &Probe) {
        for service in self.services.iter() {
            self.check_preflight(service, probe);
            if let Err(error) = self.climb(service) {
                tracing::error!(service = service.name, "the ramp cannot move: {error:#}");
            }
        }
        self.keep(false);
    }
}

fn bound(service: &crate::config::Service) -> Option<u64> {
    let latency = service.slo.as_ref()?.latency?;
    u64::try_from(latency.as_nanos()).ok()
}

/// Since the Unix epoch: budgets outlive the process, and its clock.
fn unix_time() -> Nanos {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
