//! The blast radius: how much of v2 may be used at once and in a second.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mirror_common::policy::{admit, cost};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;

/// How far the rate may run ahead: a quarter of a second's worth at once.
const BURST_NS: u64 = 250_000_000;
/// Unit of the memory budget: a semaphore counts to 2^32 at most.
const PAGE: usize = 1024;
/// How often one who waits for a rate looks. Far less than the burst, so that no part of the rate is lost by it.
const LOOK: Duration = Duration::from_millis(1);

/// The limits of one service's replay.
pub struct Limiter {
    started: Instant,
    requests: Rate,
    bytes: Option<Rate>,
    in_flight: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    pages: u32,
    /// Where those who wait for a rate stand in line: only the first looks at the clock.
    line: tokio::sync::Mutex<()>,
    /// How many wait for a connection, and what calls on one who has one and does not use it.
    waiting: AtomicUsize,
    wanted: Notify,
}

/// Counts one who waits, until dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Limiter {
    /// The limits as configured, and `queued` bytes for what waits.
    pub fn new(limits: &Limits, queued: usize) -> Self {
        let pages = u32::try_from(queued / PAGE).unwrap_or(u32::MAX);
        Limiter {
            started: Instant::now(),
            requests: Rate::new(limits.rps.into()),
            bytes: limits.bytes_per_second.map(Rate::new),
            in_flight: Arc::new(Semaphore::new(limits.in_flight as usize)),
            connections: Arc::new(Semaphore::new(limits.connections as usize)),
            memory: Arc::new(Semaphore::new(pages as usize)),
            pages,
            line: tokio::sync::Mutex::new(()),
            waiting: AtomicUsize::new(0),
            wanted: Notify::new(),
        }
    }

    /// Whether a request of `bytes` is within both rates now.
    pub fn admit(&self, bytes: usize) -> bool {
        let now = 1 + u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.requests.admit(now, 1) && self.bytes.as_ref().is_none_or(|rate| rate.admit(now, bytes as u64))
    }

    /// A place among the requests in flight.
    pub fn in_flight(&self) -> Option<OwnedSemaphorePermit> {
        self.in_flight.clone().try_acquire_owned().ok()
    }

    /// A place among the connections.
    pub fn connection(&self) -> Option<OwnedSemaphorePermit> {
        self.connections.clone().try_acquire_owned().ok()
    }

    /// Room for something of `bytes` that waits.
    pub fn room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let pages = u32::try_from(bytes / PAGE + 1).ok()?;
        self.memory.clone().try_acquire_many_owned(pages).ok()
    }

    /// [`Limiter::admit`], waited for.
    pub async fn wait_to_admit(&self, bytes: usize) {
        let _first = self.line.lock().await;
        while !self.admit(bytes) {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// [`Limiter::in_flight`], waited for; `None` never.
    pub async fn wait_in_flight(&self) -> Option<OwnedSemaphorePermit> {
        self.in_flight.clone().acquire_owned().await.ok()
    }

    /// [`Limiter::connection`], waited for; `None` never. Who holds one and does not use it is called upon.
    pub async fn wait_connection(&self) -> Option<OwnedSemaphorePermit> {
        if let Some(permit) = self.connection() {
            return Some(permit);
        }
        let waiting = Waiting::new(&self.waiting);
        self.wanted.notify_one();
        let permit = self.connections.clone().acquire_owned().await.ok();
        drop(waiting);
        // Two calls may have been heard as one.
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.wanted.notify_one();
        }
        permit
    }

    /// Returns when somebody waits for a connection.
    pub async fn connection_wanted(&self) {
        loop {
            self.wanted.notified().await;
            if self.waiting.load(Ordering::SeqCst) > 0 {
                return;
            }
        }
    }

    /// [`Limiter::room`], waited for; `None` never. What is larger than all the room there is waits for all of it.
    pub async fn wait_for_room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let pages = u32::try_from(bytes / PAGE + 1).unwrap_or(u32::MAX).min(self.pages);
        self.memory.clone().acquire_many_owned(pages).await.ok()
    }
}

impl Waiting<'_> {
    fn new(waiting: &AtomicUsize) -> Waiting<'_> {
        waiting.fetch_add(1, Ordering::SeqCst);
        Waiting(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A rate with a burst.
struct Rate {
    cost: u64,
    arrival: Mutex<u64>,
}

impl Rate {
    fn new(per_second: u64) -> Self {
        Rate { cost: cost(per_second), arrival: Mutex::new(0) }
    }

    fn admit(&self, now: u64, units: u64) -> bool {
        let mut arrival = self.arrival.lock().unwrap_or_else(PoisonError::into_inner);
        match admit(*arrival, now, units, self.cost, BURST_NS) {
            Some(next) => {
                *arrival = next;
                true
            }
            None => false,
        }
    }
}
