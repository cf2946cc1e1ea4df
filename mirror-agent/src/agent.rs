//! The running agent: its parts, and what it does by itself.

mod chaos;
mod cost;
mod explain;
pub mod guarding;
pub mod probing;
mod reload;
mod report;
mod targeting;
mod verbs;
mod verdict;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Result, bail};
use mirror_common::count::{Packet, SideCount};

pub use chaos::{Begun, Chaos};
pub use targeting::{Load, Targeting};

use guarding::Guarding;
use probing::Probing;

use crate::differences::Record;
use crate::intake::Counters;
use crate::intake::balance::Balance;
use crate::intake::worker::Forget;
use crate::kernel::Kernel;
use crate::kernel::cost::Sampler;
use crate::kernel::fence::Fence;
use crate::kernel::shadow::Shadow;
use crate::replay::Target;
use crate::service::Service;

/// Everything that runs.
pub struct Agent {
    /// The kernel side.
    pub kernel: Kernel,
    /// The services by index.
    pub services: Arc<[Arc<Service>]>,
    /// Their replayers by index.
    pub targets: Arc<[Arc<Target>]>,
    /// What the intake read.
    pub intake: Arc<Counters>,
    /// The fences around v2, by service.
    pub fences: Vec<Option<Fence>>,
    /// The shadow interface.
    pub shadow: Shadow,
    /// Measures the kernel programs.
    pub sampler: Sampler,
    /// Whom the mirror takes.
    pub targeting: Targeting,
    /// The guards.
    pub guarding: Guarding,
    /// The experiments with faults on the way to v2.
    pub chaos: Chaos,
    /// The probes.
    pub probing: Probing,
    /// `agent --services to forget--> worker`, one for each.
    workers: Vec<SyncSender<Forget>>,
    started: Instant,
    balance: Mutex<Balance>,
    losses: Mutex<Losses>,
    kill_latency_ns: AtomicU64,
    /// Pauses and kills so far: a `resume` that takes its time must not undo a later one.
    stops: AtomicU64,
    has_stopped: AtomicBool,
}

/// What an agent is made of; each as the field of that name.
pub struct Parts {
    /// The kernel side.
    pub kernel: Kernel,
    /// The fences around v2, by service.
    pub fences: Vec<Option<Fence>>,
    /// The shadow interface.
    pub shadow: Shadow,
    /// Measures the kernel programs.
    pub sampler: Sampler,
    /// Whom the mirror takes.
    pub targeting: Targeting,
    /// The guards.
    pub guarding: Guarding,
    /// The probes.
    pub probing: Probing,
    /// The services by index.
    pub services: Arc<[Arc<Service>]>,
    /// Their replayers by index.
    pub targets: Arc<[Arc<Target>]>,
    /// What the intake read.
    pub intake: Arc<Counters>,
    /// `agent --services to forget--> worker`, one for each.
    pub workers: Vec<SyncSender<Forget>>,
}

/// Clones that were lost, as of the last look.
#[derive(Default)]
struct Losses {
    count: u64,
    growing: bool,
}

impl Losses {
    /// Takes the count of this look; says whether a time of losses has just ended.
    fn have_ended(&mut self, count: u64) -> bool {
        let was_growing = std::mem::replace(&mut self.growing, count > self.count);
        self.count = count;
        was_growing && !self.growing
    }
}

/// No kill yet.
const NEVER: u64 = u64::MAX;

impl Agent {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            kernel,
            fences,
            shadow,
            sampler,
            targeting,
            guarding,
            probing,
            services,
            targets,
            intake,
            workers,
        } = parts;
        Agent {
            kernel,
            services,
            targets,
            intake,
            fences,
            shadow,
            sampler,
            targeting,
            guarding,
            chaos: Chaos::default(),
            probing,
            workers,
            started: Instant::now(),
            balance: Mutex::default(),
            losses: Mutex::default(),
            kill_latency_ns: AtomicU64::new(NEVER),
            stops: AtomicU64::new(0),
            has_stopped: AtomicBool::new(false),
        }
    }

    /// What is done about once a second.
    pub fn chores(&self) {
        self.sampler.tick();
        self.inform_judges();
        let cloned = self.cloned().unwrap_or(0);
        self.balance.lock().unwrap_or_else(PoisonError::into_inner).note(self.started.elapsed(), cloned);
        // Connections that miss something in both directions cannot always be followed on: they are joined anew.
        if self.losses.lock().unwrap_or_else(PoisonError::into_inner).have_ended(self.lost().unwrap_or(0)) {
            tracing::info!("clones were lost, and are no longer; open connections are joined anew");
            self.rejoin_all();
        }
    }

    /// The fence around a service's v2, if it has one.
    pub fn fence(&self, service: u8) -> Option<&Fence> {
        self.fences.get(usize::from(service))?.as_ref()
    }

    /// Lines for the config that would allow what the fence of a service, or the only fence, does not.
    ///
    /// # Errors
    ///
    /// When there is no such service or it has no fence, there are several and none is named, or the kernel refuses.
    pub fn fence_proposal(&self, service: Option<&str>) -> Result<String> {
        let fences = self.chosen(service)?.into_iter().filter_map(|service| self.fence(service.index));
        match fences.collect::<Vec<_>>().as_slice() {
            [] => bail!("no fence there; the config gives one to a service under fence"),
            [one] => one.proposal(),
            _ => bail!("several services have a fence; name one with --service: {}", self.names()),
        }
    }

    /// Tells the workers which connections a cap has cut: what they have of those is no longer worth anything.
    pub fn forget_cut(&self) {
        let mut events = self.kernel.events();
        while let Some(cut) = events.next_cut() {
            // A worker that is too busy for the order finds out when the connection falls silent.
            self.workers.iter().for_each(|worker| _ = worker.try_send(Forget::Connection(cut.ends)));
        }
    }

    /// Clones that were not made, or lost on their way.
    fn lost(&self) -> Result<u64> {
        let failed = self.sum(|count| count.packets[Packet::CloneFailed as usize])?;
        let intake = self.intake_status()?;
        Ok(failed + intake.link_dropped + intake.ring_dropped)
    }

    /// Nothing runs any more: from here on the ledgers must balance to the last frame.
    pub fn set_stopped(&self) {
        self.has_stopped.store(true, Ordering::Relaxed);
    }

    /// Requests that are with the replayers.
    pub fn replaying(&self) -> u64 {
        self.services.iter().map(|service| service.ledger.counts().replaying).sum()
    }

    /// The newest differences of every service.
    pub fn differences(&self) -> Vec<Record> {
        self.services.iter().flat_map(|service| service.differences.newest()).collect()
    }

    fn cloned(&self) -> Result<u64> {
        self.sum(|count| count.packets[Packet::Cloned as usize])
    }

    fn sum(&self, of: impl Fn(&SideCount) -> u64) -> Result<u64> {
        self.services.iter().map(|service| Ok(of(&self.kernel.counts.service(service.index)?))).sum()
    }
}
