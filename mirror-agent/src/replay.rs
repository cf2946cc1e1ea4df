//! Asks v2 what the clients asked v1: real connections, one for each of theirs, in order, within the blast radius.
//!
//! ```text
//! clones ──► Replayer (sheds) ─┐
//!                              ├─► lanes, one a connection ─► peers: v2, and v1 if it is asked again
//! files ───► Feed (waits) ─────┘
//! ```

mod client;
mod faults;
mod feed;
mod judged;
mod lane;
mod limiter;
mod pace;
mod peer;
mod probe;
mod prober;
mod server;
mod timings;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use mirror_common::policy::PROBE_BIT;
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

use crate::config::Speed;
use crate::differences::Record;
use crate::ledger::{End, Shed};
use crate::pipeline::{Output, Selected};
use crate::service::Service;
use crate::stream::ConnectionId;
use lane::{Job, Lane};
use limiter::Limiter;
use server::Server;

pub use faults::{Counts as FaultCounts, Faults};
pub use feed::Feed;
pub use probe::probe;
pub use prober::Prober;
pub use timings::{Phases, Times, Timings};

/// Mark of our own sockets, by which a tap knows them. "mirr" in ASCII, to be told from other people's marks.
pub const OWN_MARK: u32 = 0x6d69_7272;
/// Mark of the sockets of probes: a tap neither clones nor times them, whichever version they ask.
pub const PROBE_MARK: u32 = OWN_MARK ^ PROBE_BIT;
/// Requests of one client connection that wait. One more is shed.
const LANE_QUEUE: usize = 64;
/// Bytes that all waiting requests of a service may hold, with v1's answers. More is shed.
const QUEUED_BYTES: usize = 128 << 20;

/// Everything that asks one service's v2.
pub struct Target {
    /// The service.
    pub service: Arc<Service>,
    /// What was timed of a capture's replay. Live traffic is timed by the kernel.
    pub timings: Timings,
    /// What goes wrong on the way to v2, because an experiment wants it to.
    pub faults: Faults,
    limiter: Limiter,
    stopped: watch::Sender<bool>,
    /// `lane --exchanges that differ--> the file writer`, where one is wanted.
    records: Option<mpsc::Sender<Record>>,
    v2: Arc<Server>,
    /// v1, where it is asked too: instead of the answers of a capture, or a second time.
    v1: Option<Arc<Server>>,
    /// `None` for live traffic.
    terms: Option<Terms>,
}

/// How a capture is replayed, where that is not as live traffic is.
#[derive(Debug)]
pub struct Terms {
    /// How fast. At [`Speed::Max`] requests wait for the limits; at any other they keep their time, and what is over a
    /// limit is shed.
    pub speed: Speed,
    /// Where v1 is asked again; `None`: its answers are those of the capture.
    pub against: Option<SocketAddr>,
}

impl Target {
    /// The replayer of one service. `records` gets every exchange that differs; when it is full, the newest is left
    /// out of the file, never out of the totals.
    pub fn new(service: Arc<Service>, records: Option<mpsc::Sender<Record>>) -> Arc<Self> {
        Arc::new(Target::of(service, records, None))
    }

    /// The replayer of a capture: nothing in it is left out of `records`, which may make it late.
    pub fn for_captures(
        service: Arc<Service>,
        records: Option<mpsc::Sender<Record>>,
        terms: Terms,
    ) -> Arc<Self> {
        Arc::new(Target::of(service, records, Some(terms)))
    }

    fn of(service: Arc<Service>, records: Option<mpsc::Sender<Record>>, terms: Option<Terms>) -> Self {
        let must_mark = terms.is_none(); // whoever replays a file may have no rights, and taps nothing
        let server = |name, address| Arc::new(Server::new(name, address, must_mark));
        Target {
            faults: Faults::default(),
            limiter: Limiter::new(&service.limits, QUEUED_BYTES),
            stopped: watch::Sender::new(false),
            records,
            v2: server("v2", service.v2),
            v1: match &terms {
                Some(terms) => terms.against,
                None => service.judging.asks_v1().then(|| reachable(service.v1)),
            }
            .map(|address| server("v1", address)),
            timings: Timings::default(),
            service,
            terms,
        }
    }

    /// Sheds everything that waits and everything that comes.
    pub fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// Takes requests again.
    pub fn resume(&self) {
        self.stopped.send_replace(false);
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }

    /// The versions that no connection could be made to, a line each.
    pub fn unreached(&self) -> Vec<String> {
        self.v1.iter().chain([&self.v2]).filter_map(|server| server.unreached()).collect()
    }

    /// Returns when it is stopped.
    async fn until_stopped(&self) {
        let _ = self.stopped.subscribe().wait_for(|is_stopped| *is_stopped).await;
    }

    /// Whether requests wait for the limits.
    fn waits(&self) -> bool {
        self.terms.as_ref().is_some_and(|terms| terms.speed == Speed::Max)
    }
}

/// Where to connect to a v1 that listens there. Any address of this host is its own too.
fn reachable(v1: SocketAddr) -> SocketAddr {
    match v1.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), v1.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), v1.port()),
        _ => v1,
    }
}

/// One worker's way to the replayer: knows which lane a client connection has.
pub struct Replayer {
    targets: Arc<[Arc<Target>]>,
    runtime: Handle,
    /// `worker --requests--> lane`, one channel for each client connection that has had one to replay, with its number.
    lanes: HashMap<ConnectionId, (mpsc::Sender<Job>, u64)>,
}

impl Replayer {
    /// A way to `targets` (by service index) whose lanes run on `runtime`.
    pub fn new(targets: Arc<[Arc<Target>]>, runtime: Handle) -> Self {
        Replayer { targets, runtime, lanes: HashMap::new() }
    }

    /// Takes what the pipeline puts out. Never waits: what finds no room is shed.
    pub fn take(&mut self, output: Output) {
        match output {
            Output::Closed(connection) => {
                self.lanes.remove(&connection); // the lane ends when its queue is empty
            }
            Output::Replay(connection, selected) => self.enqueue(connection, selected),
        }
    }

    fn enqueue(&mut self, connection: ConnectionId, selected: Selected) {
        let Some(target) = self.targets.get(selected.service).cloned() else { return };
        let Selected { exchange, ticket, .. } = selected;
        if target.is_stopped() {
            return ticket.end(End::Shed(Shed::Stopped));
        }
        let size = exchange.request.wire.len() + exchange.response.body.kept.len();
        let Some(room) = target.limiter.room(size) else { return ticket.end(End::Shed(Shed::Queue)) };
        let job = Job { exchange, ticket, due: None, _room: room };
        let (lane, number) = match self.lanes.get(&connection).filter(|(lane, _)| !lane.is_closed()) {
            Some(lane) => lane.clone(),
            None => match self.open(connection, &target) {
                Some(lane) => lane,
                None => return job.ticket.end(End::Shed(Shed::Queue)),
            },
        };
        if let Err(TrySendError::Full(job) | TrySendError::Closed(job)) = lane.try_send(job) {
            // Behind a request that a fault holds, no queue is long enough: that is no loss of ours.
            job.ticket.end(target.faults.of(number).map_or(End::Shed(Shed::Queue), End::Faulted));
        }
    }

    fn open(&mut self, connection: ConnectionId, target: &Arc<Target>) -> Option<(mpsc::Sender<Job>, u64)> {
        let permit = target.limiter.connection()?;
        let (job_tx, job_rx) = mpsc::channel(LANE_QUEUE);
        let lane = Lane::new(target.clone(), Some(permit));
        let opened = (job_tx, lane.number);
        self.runtime.spawn(lane.run(job_rx));
        self.lanes.insert(connection, opened.clone());
        Some(opened)
    }
}
