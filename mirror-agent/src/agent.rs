//! The running agent: what it can be asked and told.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mirror_common::count::{Packet, SideCount, Skip};
use mirror_common::policy::{ServicePolicy, cost};
use mirror_common::turn::{Ambiguous, measure, outcome};

use crate::config::{Caps, Share};
use crate::differences::Record;
use crate::exchange::Unmirrorable;
use crate::intake::Counters;
use crate::intake::balance::Balance;
use crate::intake::worker::Forget;
use crate::kernel::shadow::Shadow;
use crate::kernel::{Kernel, clock, counts};
use crate::latency::Latency;
use crate::ledger::{Shed, V2Failure};
use crate::replay::Target;
use crate::select::Unselected;
use crate::service::{Service, V1, V2, VERSIONS};
use crate::status::{self, Imbalance, Intake, Quantiles, State, Status, by_name};

/// How far a kernel bucket may run ahead: a quarter of a second's worth at once.
const BURST: Duration = Duration::from_millis(250);
/// After a kill, the last clone is looked for once every program that was running has ended for certain.
const SETTLE: Duration = Duration::from_millis(20);

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
    /// The shadow interface.
    pub shadow: Shadow,
    /// `agent --services to forget--> worker`, one for each.
    workers: Vec<Mutex<Sender<Forget>>>,
    started: Instant,
    balance: Mutex<Balance>,
    losses: Mutex<Losses>,
    kill_latency_ns: AtomicU64,
    has_stopped: AtomicBool,
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

/// How long the workers may take to forget.
const REJOIN: Duration = Duration::from_secs(1);
/// No kill yet.
const NEVER: u64 = u64::MAX;

impl Agent {
    /// Puts the parts together.
    pub fn new(
        kernel: Kernel,
        shadow: Shadow,
        services: Arc<[Arc<Service>]>,
        targets: Arc<[Arc<Target>]>,
        intake: Arc<Counters>,
        workers: Vec<Sender<Forget>>,
    ) -> Self {
        Agent {
            kernel,
            services,
            targets,
            intake,
            shadow,
            workers: workers.into_iter().map(Mutex::new).collect(),
            started: Instant::now(),
            balance: Mutex::default(),
            losses: Mutex::default(),
            kill_latency_ns: AtomicU64::new(NEVER),
            has_stopped: AtomicBool::new(false),
        }
    }

    /// The kernel's policy for a service.
    pub fn policy(share: Share, caps: &Caps) -> ServicePolicy {
        ServicePolicy {
            share_ppm: share.ppm(),
            packet_cost: caps.packets_per_second.map_or(0, cost),
            byte_cost: caps.bytes_per_second.map_or(0, cost),
            connection_cost: caps.connections_per_second.map_or(0, cost),
            burst: BURST.as_nanos() as u64,
            ..ServicePolicy::default()
        }
    }

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
            if self.kernel.policy(service.index)?.share_ppm == 0 {
                self.rejoin(service);
            }
            self.change(service, |policy| policy.share_ppm = share.ppm())?;
        }
        Ok(())
    }

    /// Stops cloning for a service or for all; what was cloned is still replayed.
    ///
    /// # Errors
    ///
    /// When there is no such service.
    pub fn pause(&self, service: Option<&str>) -> Result<()> {
        self.chosen(service)?
            .into_iter()
            .try_for_each(|service| self.change(service, |policy| policy.paused = 1))
    }

    /// Goes on after a pause or a kill.
    ///
    /// # Errors
    ///
    /// When there is no such service.
    pub fn resume(&self, service: Option<&str>) -> Result<()> {
        for service in self.chosen(service)? {
            self.rejoin(service);
            self.targets[usize::from(service.index)].resume();
            self.change(service, |policy| policy.paused = 0)?;
        }
        self.kernel.control.set_killed(false);
        Ok(())
    }

    /// Stops cloning at once, by one store to kernel memory, then stops the replayer. Returns the time from the command
    /// to the last clone.
    ///
    /// # Errors
    ///
    /// When there is no such service.
    pub fn kill(&self, service: Option<&str>) -> Result<Duration> {
        let commanded = clock::monotonic();
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
            let forget = Forget { service: service.index.into(), done: done_tx.clone() };
            let _ = worker.lock().unwrap_or_else(PoisonError::into_inner).send(forget);
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

    fn change(&self, service: &Service, act: impl FnOnce(&mut ServicePolicy)) -> Result<()> {
        let mut policy = self.kernel.policy(service.index)?;
        act(&mut policy);
        self.kernel.set_policy(service.index, policy)
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

    /// What is done about once a second.
    pub fn chores(&self) {
        let cloned = self.cloned().unwrap_or(0);
        self.balance.lock().unwrap_or_else(PoisonError::into_inner).note(self.started.elapsed(), cloned);
        // Connections that miss something in both directions cannot always be followed on: they are joined anew.
        if self.losses.lock().unwrap_or_else(PoisonError::into_inner).have_ended(self.lost().unwrap_or(0)) {
            tracing::info!("clones were lost, and are no longer; open connections are joined anew");
            self.rejoin_all();
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

    /// The status now.
    ///
    /// # Errors
    ///
    /// When the kernel's counters cannot be read.
    pub fn status(&self) -> Result<Status> {
        let intake = self.intake_status()?;
        let imbalance = self.intake_imbalance(&intake);
        let services = self.services.iter().map(|service| self.service_status(service, imbalance));
        Ok(Status { services: services.collect::<Result<_>>()?, agent: self.agent_status(intake)? })
    }

    fn agent_status(&self, intake: Intake) -> Result<status::Agent> {
        let taps = self.kernel.taps().into_iter().map(|tap| status::Tap {
            interface: tap.interface,
            hook: tap.hook.into(),
            mechanism: tap.mechanism.as_str().into(),
            position: tap.position,
            followers: tap.followers,
        });
        let kill_latency = self.kill_latency_ns.load(Ordering::Relaxed);
        Ok(status::Agent {
            version: env!("CARGO_PKG_VERSION").into(),
            taps: taps.collect(),
            shadow_interface: self.shadow.name.clone(),
            intake,
            skipped_packets: by_name(Skip::NAMES, &self.kernel.counts.skips()?.packets),
            kill_latency_s: (kill_latency != NEVER).then_some(kill_latency as f64 * 1e-9),
        })
    }

    /// What was accounted for is read before what was cloned, so that nothing seems to come from nowhere.
    fn intake_status(&self) -> Result<Intake> {
        let (read, ring_dropped, dropped) =
            (self.intake.read(), self.intake.ring_dropped(), self.shadow.dropped());
        let refused =
            self.sum(|count| count.link_refused).context("read the clones that the link refused")?;
        Ok(Intake {
            read,
            ring_dropped,
            link_dropped: dropped.saturating_sub(refused),
            cloned: self.cloned()?,
        })
    }

    fn intake_imbalance(&self, intake: &Intake) -> i64 {
        if self.has_stopped.load(Ordering::Relaxed) {
            return Balance::final_imbalance(intake);
        }
        self.balance.lock().unwrap_or_else(PoisonError::into_inner).imbalance(self.started.elapsed(), intake)
    }

    fn service_status(&self, service: &Service, intake_imbalance: i64) -> Result<status::Service> {
        let count = self.kernel.counts.service(service.index)?;
        let policy = self.kernel.policy(service.index)?;
        let requests = service.ledger.counts();
        let versions = VERSIONS.iter().zip([V1, V2]);
        let turns =
            versions.clone().map(|(name, version)| Ok(((*name).into(), self.turns(service, version)?)));
        let latency = versions.map(|(name, version)| ((*name).into(), self.latencies(service, version)));
        Ok(status::Service {
            name: service.name.clone(),
            share: Share::from_ppm(policy.share_ppm).unwrap_or(Share::ZERO).to_string(),
            state: self.state(&policy),
            packets: count.packets.into(),
            bytes: count.bytes.into(),
            requests: requests_status(&requests),
            differences: service.differences.totals(),
            turns: turns.collect::<Result<_>>()?,
            latency: latency.collect(),
            ledger_imbalance: Imbalance {
                kernel: counts::imbalance(&count),
                intake: intake_imbalance,
                requests: requests.imbalance(),
            },
        })
    }

    fn state(&self, policy: &ServicePolicy) -> State {
        if self.has_stopped.load(Ordering::Relaxed) {
            State::Stopped
        } else if self.kernel.control.is_killed() {
            State::Killed
        } else if policy.paused != 0 {
            State::Paused
        } else if policy.share_ppm == 0 {
            State::Off
        } else {
            State::Mirroring
        }
    }

    fn turns(&self, service: &Service, version: u8) -> Result<status::Turns> {
        let count = self.kernel.counts.turns(service.index, version)?;
        let ambiguous = by_name(Ambiguous::NAMES, &count.ambiguous);
        let ambiguous = ambiguous.into_iter().filter(|(name, _)| !name.is_empty()).collect();
        Ok(status::Turns { started: count.started, recorded: count.recorded, ambiguous })
    }

    fn latencies(&self, service: &Service, version: u8) -> status::Latencies {
        let of = |measure| Quantiles::from(&self.latency(service.index, version, measure));
        status::Latencies { ttfb: of(measure::TTFB), total: of(measure::TOTAL) }
    }

    /// One version's latencies, all outcomes together.
    fn latency(&self, service: u8, version: u8, measure: u8) -> Latency {
        let mut sum = Latency::default();
        for outcome in 0..outcome::COUNT as u8 {
            sum.merge(&self.kernel.histograms.read(service, version, measure, outcome));
        }
        sum
    }
}

fn requests_status(counts: &crate::ledger::Counts) -> status::Requests {
    status::Requests {
        seen: counts.seen,
        compared: counts.compared,
        v2_failed: by_name(V2Failure::NAMES, &counts.v2_failed),
        shed: by_name(Shed::NAMES, &counts.shed),
        unselected: by_name(Unselected::ALL.map(Unselected::as_str), &counts.unselected),
        unmirrorable: by_name(Unmirrorable::ALL.map(Unmirrorable::as_str), &counts.unmirrorable),
        v1_unanswered: counts.v1_unanswered,
        in_progress: counts.in_progress(),
    }
}
