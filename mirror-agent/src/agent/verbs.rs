//! What the agent can be told.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mirror_common::limits::RULES;
use mirror_common::policy::paused;

use super::{Agent, targeting};
use crate::config::{self, Share};
use crate::intake::worker::Forget;
use crate::kernel::clock;
use crate::service::Service;
use crate::status::RingState;

/// After a kill, the last clone is looked for once every program that was running has ended for certain.
const SETTLE: Duration = Duration::from_millis(20);
/// How long the workers may take to forget.
const REJOIN: Duration = Duration::from_secs(1);

impl Agent {
    /// Sets the share of a service, or of the only one; or of a ring, of one service or of all that name it. It holds until
    /// the next reload. Connections that are open keep what was decided for them, but a share of 0 stops them too.
    ///
    /// # Errors
    ///
    /// When there is no such service or ring, or there are several services and none is named.
    pub fn set_share(&self, service: Option<&str>, ring: Option<&str>, share: Share) -> Result<()> {
        let chosen = self.chosen(service)?;
        if ring.is_none() && self.has_ramp(&chosen) {
            bail!("the share follows a ramp; `pause` holds it");
        }
        if service.is_none() && ring.is_none() && chosen.len() > 1 {
            bail!("several services run here; name one with --service: {}", self.names());
        }
        let _one_at_a_time = self.targeting.begin_change();
        let mut found = false;
        for service in chosen {
            found |= self.set_share_of(service, ring, share)?;
        }
        match ring {
            Some(ring) if !found => bail!("no rule names ring {ring}; rules name: {}", self.ring_names()),
            _ => Ok(()),
        }
    }

    /// The share of a service, as its ramp says.
    pub(super) fn set_ramp_share(&self, service: &Service, ppm: u32) -> Result<()> {
        let _one_at_a_time = self.targeting.begin_change();
        self.set_share_of(service, None, Share::from_ppm(ppm).unwrap_or(Share::ZERO)).map(|_| ())
    }

    fn has_ramp(&self, chosen: &[&Service]) -> bool {
        let config = self.targeting.config();
        let of = |service: &&Service| config.services.get(usize::from(service.index));
        chosen.iter().filter_map(of).any(|config| !config.ramp.is_empty())
    }

    /// Whether the service has such a rule.
    fn set_share_of(&self, service: &Service, ring: Option<&str>, share: Share) -> Result<bool> {
        let Some(mut config) = self.targeting.config().services.get(usize::from(service.index)).cloned()
        else {
            return Ok(false);
        };
        let named = |rule: &&mut config::Rule| ring.is_some() && rule.ring.as_deref() == ring;
        let mut shares: Vec<&mut Share> = match ring {
            None => vec![&mut config.share],
            Some(_) => config.rules.iter_mut().filter(named).map(|rule| &mut rule.share).collect(),
        };
        if shares.is_empty() {
            return Ok(false);
        }
        if shares.iter().any(|before| before.ppm() == 0) && share.ppm() > 0 {
            self.rejoin(service);
        }
        shares.iter_mut().for_each(|to| **to = share);
        let table = self.kernel.rules().table(service.index);
        let indices = (0..config.rules.len()).filter(|index| {
            ring.is_some() && config.rules.get(*index).is_some_and(|rule| rule.ring.as_deref() == ring)
        });
        let slots: Vec<u8> = match ring {
            None => targeting::slots(&table, None),
            Some(_) => indices.flat_map(|index| targeting::slots(&table, Some(index))).collect(),
        };
        self.kernel.change_policy(service.index, |policy| {
            let rules = policy.rules_in_force();
            slots.iter().for_each(|slot| rules[usize::from(*slot) % RULES].share_ppm = share.ppm());
        })?;
        if let Some(to) = self.targeting.config().services.get_mut(usize::from(service.index)) {
            *to = config;
        }
        Ok(true)
    }

    /// Stops cloning of a ring, for every service, by one store to kernel memory. A kill and a pause of a ring differ in
    /// nothing but in what the status says: what was cloned is replayed.
    ///
    /// # Errors
    ///
    /// When no rule names such a ring.
    pub fn stop_ring(&self, ring: &str, state: RingState) -> Result<()> {
        let number = self.ring_number(ring)?;
        self.kernel.control.set_ring_killed(number, true);
        let mut stopped = self.targeting.stopped();
        self.stops.fetch_add(1, Ordering::SeqCst);
        stopped.insert(ring.to_owned(), state);
        self.kernel.control.set_ring_killed(number, true); // a resume may have been faster than the lock
        Ok(())
    }

    /// Goes on with a ring.
    ///
    /// # Errors
    ///
    /// When no rule names such a ring, or a pause or kill came meanwhile: the later word holds.
    pub fn resume_ring(&self, ring: &str) -> Result<()> {
        let number = self.ring_number(ring)?;
        let stops = self.stops.load(Ordering::SeqCst);
        let config = self.targeting.config().clone();
        for (service, config) in self.services.iter().zip(&config.services) {
            if config.rules.iter().any(|rule| rule.ring.as_deref() == Some(ring)) {
                self.rejoin(service);
            }
        }
        let mut stopped = self.targeting.stopped();
        if self.stops.load(Ordering::SeqCst) != stops {
            bail!("not resumed: a pause or a kill came meanwhile");
        }
        stopped.remove(ring);
        self.kernel.control.set_ring_killed(number, false);
        Ok(())
    }

    fn ring_number(&self, ring: &str) -> Result<u8> {
        let number = self.kernel.rules().ring(ring);
        number.with_context(|| format!("no rule names ring {ring}; rules name: {}", self.ring_names()))
    }

    fn ring_names(&self) -> String {
        let names: Vec<_> = self.rings().into_iter().map(|ring| ring.name).collect();
        if names.is_empty() { "none".into() } else { names.join(", ") }
    }

    /// Stops cloning for a service or for all; what was cloned is still replayed.
    ///
    /// # Errors
    ///
    /// When there is no such service.
    pub fn pause(&self, service: Option<&str>) -> Result<()> {
        self.stops.fetch_add(1, Ordering::SeqCst);
        let pause = |service: &Service| self.set_paused(service, paused::ASKED, true);
        self.chosen(service)?.into_iter().try_for_each(pause)
    }

    /// Sets or clears one reason for which a service is paused.
    pub(super) fn set_paused(&self, service: &Service, reason: u32, is_paused: bool) -> Result<()> {
        self.kernel.change_policy(service.index, |policy| {
            policy.paused = if is_paused { policy.paused | reason } else { policy.paused & !reason };
        })
    }

    /// Goes on after a pause, a kill or an abort. `spend` is why the mirror may spend more of v1's error budget than it was
    /// to.
    ///
    /// # Errors
    ///
    /// When there is no such service, a guard would stop it again at once, or another pause or kill came meanwhile: the
    /// later word holds.
    pub fn resume(&self, service: Option<&str>, spend: Option<&str>) -> Result<()> {
        let stops = self.stops.load(Ordering::SeqCst);
        let chosen = self.chosen(service)?;
        self.rearm(&chosen, spend)?;
        chosen.iter().for_each(|service| self.rejoin(service));
        let stopped_meanwhile = || self.stops.load(Ordering::SeqCst) != stops;
        if !stopped_meanwhile() {
            for service in chosen {
                self.targets[usize::from(service.index)].resume();
                self.probing.set_killed(service, false);
                self.set_paused(service, paused::ASKED, false)?;
            }
            self.kernel.control.set_killed(false);
            if !stopped_meanwhile() {
                return Ok(());
            }
            self.kill(service)?; // it came between our two looks, and may have been undone
        }
        bail!("not resumed: a pause or a kill came meanwhile")
    }

    /// Stops cloning at once, by one store to kernel memory, then stops the replayer. Returns the time from the command
    /// to the last clone.
    ///
    /// # Errors
    ///
    /// When there is no such service.
    pub fn kill(&self, service: Option<&str>) -> Result<Duration> {
        let commanded = clock::monotonic();
        let latency = self.stop_cloning(service)?.saturating_sub(commanded);
        self.chosen(service)?.iter().for_each(|service| self.probing.set_killed(service, true));
        self.kill_latency_ns.store(latency, Ordering::Relaxed);
        tracing::warn!(latency_us = latency / 1000, "killed: nothing is cloned until `resume`");
        Ok(Duration::from_nanos(latency))
    }

    /// Stops cloning and replaying; answers when the last clone was made, on the kernel's clock.
    pub(super) fn stop_cloning(&self, service: Option<&str>) -> Result<u64> {
        self.stops.fetch_add(1, Ordering::SeqCst);
        let chosen = self.chosen(service)?;
        match service {
            None => self.kernel.control.set_killed(true),
            Some(_) => self.pause(service)?,
        }
        chosen.iter().for_each(|service| self.targets[usize::from(service.index)].stop());
        self.stop_chaos("the mirror was stopped");
        std::thread::sleep(SETTLE);
        let last = chosen.iter().filter_map(|service| self.kernel.counts.service(service.index).ok());
        Ok(last.map(|count| count.last_clone).max().unwrap_or(0))
    }

    /// Before cloning goes on after a while without: connections that were followed lack what passed meanwhile, and are
    /// forgotten, to be joined at their next request.
    pub(super) fn rejoin(&self, service: &Service) {
        let (done_tx, done_rx) = channel();
        for worker in &self.workers {
            let forget = Forget::Service { service: service.index.into(), done: done_tx.clone() };
            let _ = worker.try_send(forget);
        }
        drop(done_tx);
        if done_rx.recv_timeout(REJOIN) == Err(RecvTimeoutError::Timeout) {
            tracing::debug!("a worker is busy; connections of {} will show gaps", service.name);
        }
    }

    /// The lease had lapsed: nothing was cloned for a while.
    pub fn rejoin_all(&self) {
        self.services.iter().for_each(|service| self.rejoin(service));
    }

    pub(super) fn chosen(&self, name: Option<&str>) -> Result<Vec<&Service>> {
        let chosen = |service: &&Service| name.is_none_or(|name| name == service.name);
        let chosen: Vec<_> = self.services.iter().map(AsRef::as_ref).filter(chosen).collect();
        if chosen.is_empty() {
            bail!("no such service: {}; there is: {}", name.unwrap_or_default(), self.names());
        }
        Ok(chosen)
    }

    pub(super) fn names(&self) -> String {
        self.services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}
