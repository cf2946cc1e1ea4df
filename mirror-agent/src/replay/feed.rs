//! From capture files to the lanes: every request gets the time when it is due, and the file waits while there is no room.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use super::lane::{Job, Lane};
use super::{Target, Terms};
use crate::exchange::Exchange;
use crate::ledger::{End, Shed};
use crate::pipeline::{Output, Selected};
use crate::stream::ConnectionId;
use crate::time::Nanos;

/// What a waiting job costs besides its messages: its place in a queue, and its share of a lane.
const JOB: usize = 2048;
/// A time that does not come, for what is due after the end of the clock.
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// The way of a capture to its replayer. It is read ahead of the schedule as far as memory allows, because a request
/// is only known to be whole, and answered, long after it was due.
pub struct Feed {
    target: Arc<Target>,
    runtime: Handle,
    /// `file --requests--> lane`, one channel for each client connection that has had one to replay. They are bounded
    /// by the room that each request takes.
    lanes: HashMap<ConnectionId, mpsc::Sender<Job>>,
    /// When the replay began, and the time in the capture that this stands for.
    begun: Option<(Instant, Nanos)>,
    /// Each lane holds one until it ends.
    at_work: mpsc::Sender<()>,
    all_ended: mpsc::Receiver<()>,
}

impl Feed {
    /// A way to `target`, whose lanes run on `runtime`.
    pub fn new(target: Arc<Target>, runtime: Handle) -> Self {
        let (at_work, all_ended) = mpsc::channel(1);
        Feed { target, runtime, lanes: HashMap::new(), begun: None, at_work, all_ended }
    }

    /// Takes what the pipeline puts out, of a capture whose first request came at `first`. Waits for room, but not
    /// beyond a [`Target::stop`].
    pub fn take(&mut self, output: Output, first: Nanos) {
        match output {
            Output::Closed(connection) => {
                self.lanes.remove(&connection); // the lane ends when its queue is empty
            }
            Output::Replay(connection, selected) => self.enqueue(connection, selected, first),
        }
    }

    /// Whether nothing more will be sent.
    pub fn is_stopped(&self) -> bool {
        self.target.is_stopped()
    }

    /// Waits until everything that was taken has ended.
    pub fn finish(self) {
        let Feed { runtime, lanes, at_work, mut all_ended, .. } = self;
        drop((lanes, at_work));
        runtime.block_on(all_ended.recv());
    }

    fn enqueue(&mut self, connection: ConnectionId, selected: Selected, first: Nanos) {
        let Selected { exchange, ticket, .. } = selected;
        let Some(room) = self.room(&exchange) else { return ticket.end(End::Shed(Shed::Stopped)) };
        let due = self.due(exchange.request.started, first);
        let job = Job { exchange, ticket, due, _room: room };
        let lane = match self.lanes.get(&connection) {
            Some(lane) => lane,
            None => {
                let lane = self.open();
                self.lanes.entry(connection).or_insert(lane)
            }
        };
        if let Err(unsent) = lane.try_send(job) {
            unsent.into_inner().ticket.end(End::Shed(Shed::Queue)); // it is gone, which only a bug does to it
        }
    }

    /// Room for an exchange, waited for; `None` when everything is stopped.
    fn room(&self, exchange: &Exchange) -> Option<tokio::sync::OwnedSemaphorePermit> {
        let target = &self.target;
        let size = exchange.request.allocated() + exchange.response.allocated() + JOB;
        if target.is_stopped() {
            return None;
        }
        target.limiter.room(size).or_else(|| {
            self.runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = target.until_stopped() => None,
                    room = target.limiter.wait_for_room(size) => room,
                }
            })
        })
    }

    /// Absolute: no request is due after the one before it, but each at its own time since the first.
    fn due(&mut self, at: Nanos, first: Nanos) -> Option<Instant> {
        let Some(Terms { speed, .. }) = &self.target.terms else { return None };
        let (start, first) = *self.begun.get_or_insert_with(|| (Instant::now(), first));
        let after = speed.due(at.since(first))?;
        Some(start.checked_add(after).unwrap_or(start + NEVER))
    }

    fn open(&self) -> mpsc::Sender<Job> {
        let (job_tx, job_rx) = mpsc::channel(Semaphore::MAX_PERMITS);
        let (lane, at_work) = (Lane::new(self.target.clone(), None), self.at_work.clone());
        self.runtime.spawn(async move {
            lane.run(job_rx).await;
            drop(at_work);
        });
        job_tx
    }
}
