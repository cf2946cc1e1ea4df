//! Asks v2 what the clients asked v1: real connections, one for each of theirs, in order, within the blast radius.

mod client;
mod lane;
mod limiter;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::differences::Record;
use crate::ledger::{End, Shed};
use crate::pipeline::{Output, Selected};
use crate::service::Service;
use crate::stream::ConnectionId;
use lane::{Job, Lane};
use limiter::Limiter;

/// Mark of our own sockets, by which a tap knows them. "mirr" in ASCII, to be told from other people's marks.
pub const OWN_MARK: u32 = 0x6d69_7272;
/// The header that tells v2 that a request is a copy.
pub const MARKER: (&str, &str) = ("x-mirror-shadow", "1");
/// Requests of one client connection that wait. One more is shed.
const LANE_QUEUE: usize = 64;
/// Bytes that all waiting requests of a service may hold, with v1's answers. More is shed.
const QUEUED_BYTES: usize = 128 << 20;

/// Everything that asks one service's v2.
pub struct Target {
    /// The service.
    pub service: Arc<Service>,
    limiter: Limiter,
    stopped: AtomicBool,
    /// `lane --exchanges that differ--> the file writer`, where one is wanted.
    records: Option<mpsc::Sender<Record>>,
}

impl Target {
    /// The replayer of one service. `records` gets every exchange that differs; when it is full, the newest is left
    /// out of the file, never out of the totals.
    pub fn new(service: Arc<Service>, records: Option<mpsc::Sender<Record>>) -> Arc<Self> {
        let limiter = Limiter::new(&service.limits, QUEUED_BYTES);
        Arc::new(Target { service, limiter, stopped: AtomicBool::new(false), records })
    }

    /// Sheds everything that waits and everything that comes.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Takes requests again.
    pub fn resume(&self) {
        self.stopped.store(false, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// One worker's way to the replayer: knows which lane a client connection has.
pub struct Replayer {
    targets: Arc<[Arc<Target>]>,
    runtime: Handle,
    /// `worker --requests--> lane`, one channel for each client connection that has had one to replay.
    lanes: HashMap<ConnectionId, mpsc::Sender<Job>>,
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
        let job = Job { exchange, ticket, _room: room };
        let lane = match self.lanes.get(&connection).filter(|lane| !lane.is_closed()) {
            Some(lane) => lane.clone(),
            None => match self.open(connection, &target) {
                Some(lane) => lane,
                None => return job.ticket.end(End::Shed(Shed::Queue)),
            },
        };
        if let Err(TrySendError::Full(job) | TrySendError::Closed(job)) = lane.try_send(job) {
            job.ticket.end(End::Shed(Shed::Queue));
        }
    }

    fn open(&mut self, connection: ConnectionId, target: &Arc<Target>) -> Option<mpsc::Sender<Job>> {
        let permit = target.limiter.connection()?;
        let (job_tx, job_rx) = mpsc::channel(LANE_QUEUE);
        self.runtime.spawn(Lane::new(target.clone(), permit).run(job_rx));
        self.lanes.insert(connection, job_tx.clone());
        Some(job_tx)
    }
}
