//! What the agent can be told.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Result, bail};

use super::Agent;
use crate::config::Share;
use crate::intake::worker::Forget;
use crate::kernel::clock;
use crate::service::Service;

/// After a kill, the last clone is looked for once every program that was running has ended for certain.
const SETTLE: Duration = Duration::from_millis(20);
/// How long the workers may take to forget.
const REJOIN: Duration = Duration::from_secs(1);

impl Agent {
    /// Sets the share of a service, or of the only one. Connections that are open keep what was decided for them, but a
    /// share of 0 stops them too.
    ///
    /// # Errors
    ///
    /// When there is no such service, or there are several and none is named.
    pub fn set_share(&self, service: Option<&str>, share: Share) -> Result<()> {
        let chosen = self.chosen(service)?;
        if service.is_none() && chosen.len() > 1 {
            bail!("several services run here; name one with --service: {}", self.names());
        }
        for service in chosen {
            if self.kernel.policy(service.index)?.share_ppm() == 0 {
                self.rejoin(service);
            }
            self.kernel.change_policy(service.index, |policy| policy.set_share_ppm(share.ppm()))?;
        }
        Ok(())
    }

    /// Stops cloning for a service or for all; what was cloned is still replayed.
    ///
    /// # Errors
    ///
    /// When there is no such service.
    pub fn pause(&self, service: Option<&str>) -> Result<()> {
        self.stops.fetch_add(1, Ordering::SeqCst);
        let pause = |service: &Service| self.kernel.change_policy(service.index, |policy| policy.paused = 1);
        self.chosen(service)?.into_iter().try_for_each(pause)
    }

    /// Goes on after a pause or a kill.
    ///
    /// # Errors
    ///
    /// When there is no such service, or another pause or kill came meanwhile: the later word holds.
    pub fn resume(&self, service: Option<&str>) -> Result<()> {
        let stops = self.stops.load(Ordering::SeqCst);
        let chosen = self.chosen(service)?;
        chosen.iter().for_each(|service| self.rejoin(service));
        let stopped_meanwhile = || self.stops.load(Ordering::SeqCst) != stops;
        if !stopped_meanwhile() {
            for service in chosen {
                self.targets[usize::from(service.index)].resume();
                self.kernel.change_policy(service.index, |policy| policy.paused = 0)?;
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
        self.stops.fetch_add(1, Ordering::SeqCst);
        let chosen = self.chosen(service)?;
        match service {
            None => self.kernel.control.set_killed(true),
            Some(_) => self.pause(service)?,
        }
        chosen.iter().for_each(|service| self.targets[usize::from(service.index)].stop());
        std::thread::sleep(SETTLE);
        let last = chosen.iter().filter_map(|service| self.kernel.counts.service(service.index).ok());
        let last = last.map(|count| count.last_clone).max().unwrap_or(0);
        let latency = last.saturating_sub(commanded);
        self.kill_latency_ns.store(latency, Ordering::Relaxed);
        tracing::warn!(latency_us = latency / 1000, "killed: nothing is cloned until `resume`");
        Ok(Duration::from_nanos(latency))
    }

    /// Before cloning goes on after a while without: connections that were followed lack what passed meanwhile, and are
    /// forgotten, to be joined at their next request.
    fn rejoin(&self, service: &Service) {
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

    fn chosen(&self, name: Option<&str>) -> Result<Vec<&Service>> {
        let chosen = |service: &&Service| name.is_none_or(|name| name == service.name);
        let chosen: Vec<_> = self.services.iter().map(AsRef::as_ref).filter(chosen).collect();
        if chosen.is_empty() {
            bail!("no such service: {}; there is: {}", name.unwrap_or_default(), self.names());
        }
        Ok(chosen)
    }

    fn names(&self) -> String {
        self.services.iter().map(|service| service.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}
