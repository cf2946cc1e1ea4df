//! The composition root: builds the parts, connects them, and takes them down in the right order.

mod config_file;
mod fences;
mod preflight;
pub(crate) mod records;
mod shutdown;

use std::fs::File;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mirror_common::flow::{Endpoint, role};
use mirror_common::policy::paused;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::watch;

use crate::agent::guarding::{self, Guarding};
use crate::agent::probing::{self, Probing};
use crate::agent::{self, Agent, Load, Targeting};
use crate::config::{self, Config, Role, ShadowInterface};
use crate::control::{self, Socket};
use crate::intake::ring::Ring;
use crate::intake::{Counters, worker};
use crate::kernel::cost::Sampler;
use crate::kernel::fence::Fence;
use crate::kernel::flows::CROWDED;
use crate::kernel::lease::Lease;
use crate::kernel::pulse::Pulse;
use crate::kernel::shadow::{Shadow, check_not_tapped};
use crate::kernel::stats::Switch;
use crate::kernel::tunnel::Tunnel;
use crate::kernel::wanted::Wanted;
use crate::kernel::watch::Watch;
use crate::kernel::{Kernel, forward, object};
use crate::pipeline::Pipeline;
use crate::replay::{self, OWN_MARK, Replayer, Target};
use crate::rights;
use crate::service::{Service, V1, V2};
use config_file::Watch as FileWatch;
use shutdown::{Signal, Signals};

/// How often the flow table is swept.
const SWEEP: Duration = Duration::from_secs(30);
/// How often the kernel is asked what it has to tell.
const EVENTS: Duration = Duration::from_millis(200);
/// How often preflights and ramps move.
const RAMPS: Duration = Duration::from_secs(1);
/// How long requests that are with v2 may take to end when the agent stops.
const DRAIN: Duration = Duration::from_secs(10);

/// Mirrors until stopped. `load` reads flags and the file again, and `file` is looked at for changes.
///
/// # Errors
///
/// When anything that is needed cannot be had. Nothing is attached then.
pub fn run(config: &Config, file: Option<&Path>, load: Load) -> Result<()> {
    let signals = Signals::new()?;
    preflight::check(config)?;
    let switch = Switch::start().inspect_err(|error| tracing::info!("{error:#}")).ok();
    let mut watch = file.map(FileWatch::new);
    let targeting = Targeting::new(config.clone(), file.map(|_| load));
    let guarding = Guarding::new(config)?;
    let mut doors = Doors::open(config)?;
    let parts = Parts::build(config)?;
    rights::drop_others()?;
    let replay = runtime(config.workers)?;
    let running = Running::start(config, parts, (switch, targeting, guarding), &mut doors, replay.handle())?;
    let result = running.until_stopped(config, &signals, &mut watch);
    let agent = running.stop(&doors);
    if let Some(summary) = &mut doors.summary {
        serde_json::to_writer_pretty(&mut *summary, &agent.status()?).context("write the summary")?;
    }
    result
}

/// What others connect to and what we write to: opened first, so that a port that is taken stops us before anything is
/// attached.
struct Doors {
    socket: Socket,
    listen: Option<TcpListener>,
    summary: Option<File>,
    differences: Option<File>,
}

impl Doors {
    fn open(config: &Config) -> Result<Self> {
        let create = |path: &std::path::PathBuf| {
            File::create(path).with_context(|| format!("write {}", path.display()))
        };
        let bind = |address| TcpListener::bind(address).with_context(|| format!("listen on {address}"));
        // The socket first: an agent that lives behind it must not find its files emptied.
        Ok(Doors {
            socket: Socket::bind(&config.control)?,
            listen: config.listen.map(bind).transpose()?,
            summary: config.summary.as_ref().map(create).transpose()?,
            differences: config.differences.as_ref().map(create).transpose()?,
        })
    }
}

/// What needs every capability.
struct Parts {
    fences: Vec<Option<Fence>>,
    kernel: Kernel,
    shadow: Shadow,
    rings: Vec<Ring>,
    services: Arc<[Arc<Service>]>,
}

impl Parts {
    /// Attached, but without a lease: nothing is cloned yet.
    fn build(config: &Config) -> Result<Self> {
        let started = Instant::now();
        let services: Result<Vec<_>> = (0..)
            .zip(&config.services)
            .map(|(index, service)| Ok(Arc::new(Service::new(index, service, started)?)))
            .collect();
        let fences = fences::start(config)?;
        let kernel = Kernel::load()?;
        if let Some(name) = config.shadow_interface.as_ref().and_then(ShadowInterface::existing) {
            check_not_tapped(name, &config.interfaces)?;
        }
        let ports: Vec<u16> = config.services.iter().flat_map(|one| [one.v1.port(), one.v2.port()]).collect();
        let shadow = kernel.shadow(config.shadow_interface.as_ref(), &ports)?;
        let rings = open_rings(&shadow, config.workers)?;
        kernel.control.set_own_mark(OWN_MARK);
        for (index, service) in (0..).zip(&config.services) {
            let endpoint = |version, role| Endpoint { service: index, version, role, zero: 0 };
            kernel.add_endpoint(service.v1, endpoint(V1, role::PRIMARY))?;
            let v2_role = match service.v2_role {
                Role::Shadow => role::SHADOW,
                Role::Observed => role::OBSERVED,
            };
            kernel.add_endpoint(service.v2, endpoint(V2, v2_role))?;
        }
        kernel.replace_rules(&config.services)?;
        hold(&kernel, config)?;
        let wanted = Wanted::new(&config.interfaces)?.without(&shadow.name);
        kernel.want(wanted, config.on_displaced)?;
        Ok(Parts { fences, kernel, shadow, rings, services: services?.into() })
    }
}

fn open_rings(shadow: &Shadow, workers: usize) -> Result<Vec<Ring>> {
    // Rings of one namespace that name the same group share; the process id keeps two agents apart.
    let group = (workers > 1).then(|| std::process::id() as u16);
    shadow.at_reading_end(|interface, outgoing| {
        (0..workers).map(|_| Ring::open(interface, outgoing, group)).collect::<Result<Vec<_>>>()
    })
}

fn runtime(workers: usize) -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers.min(2))
        .thread_name("replay")
        .enable_all()
        .build()
        .context("start the replayer's threads")
}

/// The agent at work.
struct Running {
    agent: Arc<Agent>,
    workers: Vec<JoinHandle<Result<()>>>,
    stop_workers: Arc<AtomicBool>,
    stop_control: watch::Sender<bool>,
    control: JoinHandle<()>,
    lease: Lease,
    pulses: Vec<Pulse>,
    watch: Watch,
}

impl Running {
    fn start(
        config: &Config,
        parts: Parts,
        (switch, targeting, guarding): (Option<Switch>, Targeting, Guarding),
        doors: &mut Doors,
        replay: &Handle,
    ) -> Result<Self> {
        let Parts { fences, kernel, shadow, rings, services } = parts;
        let records = doors.differences.take().map(|file| records::start(file, replay));
        let targets: Arc<[_]> =
            services.iter().map(|one| Target::new(one.clone(), records.clone())).collect();
        let intake = Arc::new(Counters::default());
        intake.set_longest(shadow.tunnel().map_or(0, Tunnel::longest_frame));
        let stop_workers = Arc::new(AtomicBool::new(false));
        let (forget_txs, forget_rxs): (Vec<_>, Vec<_>) =
            rings.iter().map(|_| sync_channel(worker::ORDERS)).unzip();
        let workers = rings.into_iter().zip(forget_rxs).map(|(ring, forget_rx)| {
            let mut replayer = Replayer::new(targets.clone(), replay.clone());
            let (pipeline, intake, stop) =
                (Pipeline::new(services.clone()), intake.clone(), stop_workers.clone());
            let run = move || {
                worker::run(ring, pipeline, &intake, &forget_rx, &stop, |output| replayer.take(output))
            };
            std::thread::Builder::new().name("intake".into()).spawn(run).context("start an intake thread")
        });
        let workers = workers.collect::<Result<Vec<_>>>()?;
        let sampler = Sampler::new(switch, programs(&kernel, &shadow)?);
        let agent = Arc::new(Agent::new(agent::Parts {
            kernel,
            fences,
            shadow,
            sampler,
            targeting,
            guarding,
            probing: Probing::new(config, replay.clone())?,
            services: services.clone(),
            targets: targets.clone(),
            intake: intake.clone(),
            workers: forget_txs,
        }));
        let (stop_control, stop) = watch::channel(false);
        let (lapsed, told) = (agent.clone(), agent.clone());
        let events = Pulse::start("events", EVENTS, move || told.forget_cut())?;
        let mut pulses = vec![events];
        pulses.extend(start_guards(&agent, replay)?);
        pulses.extend(start_probes(&agent)?);
        let lease = Lease::take(&agent.kernel.control, move || lapsed.rejoin_all())?;
        let watched = agent.clone();
        let watch = Watch::start(move |heard| watched.kernel.look(heard))?;
        // Whoever gets an answer may rely on it that cloning has begun.
        let control = control::server::serve(agent.clone(), &doors.socket, doors.listen.take(), &stop)?;
        let shares: Vec<_> =
            config.services.iter().map(|one| format!("{} {}", one.name, one.share)).collect();
        tracing::info!(interfaces = ?config.interfaces, mechanism = agent.kernel.mechanism.as_str(),
            shadow = agent.shadow.name, "mirroring {}", shares.join(", "));
        Ok(Running { agent, workers, stop_workers, stop_control, control, lease, watch, pulses })
    }

    fn until_stopped(&self, config: &Config, signals: &Signals, watch: &mut Option<FileWatch>) -> Result<()> {
        let started = Instant::now();
        let mut swept: Option<Instant> = None;
        loop {
            let signal = signals.wait(Duration::from_secs(1).min(left(config, started)));
            // A terminal that hangs up ends what runs on flags alone; what has a file reads it again.
            let asked = signal == Some(Signal::SIGHUP) && watch.is_some();
            if signal.is_some() && !asked || left(config, started).is_zero() {
                return Ok(());
            }
            if watch.as_mut().is_some_and(|watch| watch.has_changed(asked)) || asked {
                let _ = self.agent.reload(); // it has said why not
            }
            if self.workers.iter().any(JoinHandle::is_finished) {
                bail!("an intake thread has ended: the mirror stops, v1 goes on");
            }
            self.agent.chores();
            let crowded = self.agent.kernel.entries().is_ok_and(|entries| entries > CROWDED as u64);
            if swept.is_none_or(|last| last.elapsed() >= SWEEP) || crowded {
                swept = Some(Instant::now());
                let result = self.agent.kernel.flows().sweep();
                tracing::debug!(?result, "swept the flow table");
                if result.evicted > 0 {
                    tracing::warn!(
                        result.evicted,
                        "the flow table was crowded: connections had to make room"
                    );
                }
            }
        }
    }

    /// In the order in which a byte travels: no more clones, intake read to its end, replay drained, and only then the
    /// taps off, so that v2's last turns are timed too.
    fn stop(self, _doors: &Doors) -> Arc<Agent> {
        tracing::info!("stopping");
        self.agent.close_chaos();
        drop(self.lease);
        drop(self.pulses);
        self.agent.keep(true);
        self.stop_workers.store(true, Ordering::Release);
        for worker in self.workers {
            match worker.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!("{error:#}"),
                Err(_) => tracing::error!("an intake thread panicked"),
            }
        }
        shutdown::drain(&self.agent, DRAIN);
        drop(self.watch); // or it would miss the taps
        self.agent.kernel.untap();
        self.agent.set_stopped();
        let _ = self.stop_control.send(true);
        let _ = self.control.join();
        self.agent
    }
}

/// What must wait for its preflight clones nothing from the start.
fn hold(kernel: &Kernel, config: &Config) -> Result<()> {
    let waits =
        |service: &config::Service| service.v2_role == Role::Shadow && config.guards.preflight.is_some();
    for (index, _) in (0..).zip(&config.services).filter(|(_, service)| waits(service)) {
        kernel.change_policy(index, |policy| policy.paused |= paused::PREFLIGHT)?;
    }
    Ok(())
}

/// The guards, and what moves more slowly. Threads of their own: a v2 that does not answer a probe, and a process that tries a
/// fence, must not keep a guard waiting.
fn start_guards(agent: &Arc<Agent>, replay: &Handle) -> Result<[Pulse; 3]> {
    let (guarded, climbing, fenced, replay) = (agent.clone(), agent.clone(), agent.clone(), replay.clone());
    let probe = move |v2| replay.block_on(replay::probe(v2));
    Ok([
        Pulse::start("guards", guarding::LOOK, move || guarded.guard())?,
        Pulse::start("ramps", RAMPS, move || climbing.guard_slowly(&probe))?,
        Pulse::start("fences", guarding::PROOF, move || fenced.prove_fences())?,
    ])
}

/// The probes, if there are any.
fn start_probes(agent: &Arc<Agent>) -> Result<Option<Pulse>> {
    if agent.probing.is_empty() {
        return Ok(None);
    }
    let agent = agent.clone();
    Ok(Some(Pulse::start("probes", probing::LOOK, move || agent.send_probes())?))
}

/// The kernel programs that run here.
fn programs(kernel: &Kernel, shadow: &Shadow) -> Result<Vec<(&'static str, OwnedFd)>> {
    let mut programs = kernel.programs()?;
    if let Some(tunnel) = shadow.tunnel() {
        let forward = tunnel.program().try_clone().context("copy a descriptor")?;
        programs.retain(|(name, _)| *name != object::DRAIN);
        programs.push((forward::NAME, forward));
    }
    Ok(programs)
}

fn left(config: &Config, started: Instant) -> Duration {
    config.run_for.map_or(Duration::MAX, |run_for| run_for.saturating_sub(started.elapsed()))
}
