//! Probes at work: what is due is sent to both versions, and what came of it is kept.
//!
//! They are there to observe, so no guard of a service, pause or share of 0 stops them; `kill` does, and what stops everything.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use tokio::runtime::Handle;

use super::Agent;
use crate::config::Config;
use crate::probe::{PROPOSED_MAX, Proposal, Schedule, Spec, Tally};
use crate::replay::Prober;
use crate::service::Service;
use crate::status::probes::Probe;
use crate::time::Nanos;

/// How often it is looked whether one is due. They are spread over their intervals anyway.
pub const LOOK: Duration = Duration::from_millis(50);

/// What an agent knows of its probes.
pub struct Probing {
    probes: Vec<Entry>,
    schedule: Mutex<Schedule>,
    started: Instant,
    /// By service: whether somebody has killed it.
    killed: Vec<AtomicBool>,
    /// Where they are sent from.
    replay: Handle,
}

struct Entry {
    service: u8,
    probe: Spec,
    prober: Arc<Prober>,
    tally: Mutex<Tally>,
}

impl Probing {
    /// The probes of all services, to be sent from `replay`.
    ///
    /// # Errors
    ///
    /// When one cannot be sent.
    pub fn new(config: &Config, replay: Handle) -> Result<Probing> {
        let mut probes = Vec::new();
        let mut slots = Vec::new();
        for (index, service) in (0..).zip(&config.services) {
            for probe in &service.probes {
                let prober = Prober::new(probe, service.v1, service.v2).map_err(|why| anyhow!(why));
                let prober = prober.with_context(|| format!("probe {} of {}", probe.name, service.name))?;
                slots.push((format!("{}/{}", service.name, probe.name), probe.every));
                let (probe, prober) = (probe.clone(), Arc::new(prober));
                probes.push(Entry { service: index, probe, prober, tally: Mutex::default() });
            }
        }
        Ok(Probing {
            schedule: Mutex::new(Schedule::new(slots, Nanos(0))),
            killed: config.services.iter().map(|_| AtomicBool::new(false)).collect(),
            started: Instant::now(),
            probes,
            replay,
        })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.probes.is_empty()
    }

    /// Somebody has killed a service, or lets it go on.
    pub(super) fn set_killed(&self, service: &Service, is_killed: bool) {
        if let Some(killed) = self.killed.get(usize::from(service.index)) {
            killed.store(is_killed, Ordering::Relaxed);
        }
    }

    fn now(&self) -> Nanos {
        Nanos(u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

impl Agent {
    /// Sends what is due, and does not wait for it.
    pub fn send_probes(self: &Arc<Self>) {
        let due = lock(&self.probing.schedule).take_due(self.probing.now());
        for index in due {
            let agent = self.clone();
            self.probing.replay.spawn(async move { agent.send_probe(index).await });
        }
    }

    /// Sends one that is out by the schedule; what was not sent is not counted.
    async fn send_probe(&self, index: usize) {
        if let Some(entry) = self.probing.probes.get(index).filter(|entry| !self.is_silent(entry.service)) {
            let run = entry.prober.ask().await;
            lock(&entry.tally).note(run);
        }
        lock(&self.probing.schedule).give_back(index);
    }

    fn is_silent(&self, service: u8) -> bool {
        let killed = self.probing.killed.get(usize::from(service));
        self.kernel.control.is_killed() || killed.is_some_and(|killed| killed.load(Ordering::Relaxed))
    }

    /// Sends a probe now, of one service or of each that has one of that name, and waits for it.
    ///
    /// # Errors
    ///
    /// When there is none, it is out already, or the service is killed.
    pub fn probe_once(self: &Arc<Self>, service: Option<&str>, name: &str) -> Result<()> {
        let chosen: Vec<_> = self.chosen(service)?.iter().map(|service| service.index).collect();
        let is_meant = |entry: &Entry| chosen.contains(&entry.service) && entry.probe.name == name;
        let probes = self.probing.probes.iter().enumerate();
        let found: Vec<_> = probes
            .filter(|(_, entry)| is_meant(entry))
            .map(|(index, entry)| (index, entry.service))
            .collect();
        if found.is_empty() {
            let names: Vec<_> = self.probing.probes.iter().map(|entry| entry.probe.name.as_str()).collect();
            bail!(
                "no such probe: {name}; there is: {}",
                if names.is_empty() { "none".into() } else { names.join(", ") }
            );
        }
        if found.iter().any(|(_, service)| self.is_silent(*service)) {
            bail!("not sent: the mirror was stopped, and so were the probes; `resume` lets them go on");
        }
        let mut sent = Vec::new();
        for (index, _) in found {
            if !lock(&self.probing.schedule).take(index) {
                bail!("probe {name} is being sent right now");
            }
            let agent = self.clone();
            sent.push(self.probing.replay.spawn(async move { agent.send_probe(index).await }));
        }
        sent.into_iter()
            .try_for_each(|run| self.probing.replay.block_on(run))
            .context("the probe has panicked")
    }

    /// What each version made of the probes of a service.
    pub(super) fn probes(&self, service: &Service) -> Vec<Probe> {
        let own = self.probing.probes.iter().filter(|entry| entry.service == service.index);
        own.map(|entry| Probe::new(&entry.probe, &lock(&entry.tally))).collect()
    }

    /// Probes of what users of a service ask most often, by service.
    ///
    /// # Errors
    ///
    /// When there is no such service.
    pub fn propose_probes(&self, service: Option<&str>) -> Result<Vec<(String, Vec<Proposal>)>> {
        let propose = |service: &Service| {
            let most = service.popular().most(PROPOSED_MAX);
            (service.name.clone(), Proposal::all(most))
        };
        Ok(self.chosen(service)?.into_iter().map(propose).collect())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
