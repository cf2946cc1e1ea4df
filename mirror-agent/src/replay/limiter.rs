//! The blast radius: how much of v2 may be used at once and in a second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use mirror_common::policy::{admit, cost};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;

/// How far the rate may run ahead: a quarter of a second's worth at once.
const BURST_NS: u64 = 250_000_000;
/// Unit of the memory budget: a semaphore counts to 2^32 at most.
const PAGE: usize = 1024;

/// The limits of one service's replay.
pub struct Limiter {
    started: Instant,
    requests: Rate,
    bytes: Option<Rate>,
    in_flight: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    memory: Arc<Semaphore>,
}

impl Limiter {
    /// The limits as configured, and `queued` bytes for what waits.
    pub fn new(limits: &Limits, queued: usize) -> Self {
        Limiter {
            started: Instant::now(),
            requests: Rate::new(limits.rps.into()),
            bytes: limits.bytes_per_second.map(Rate::new),
            in_flight: Arc::new(Semaphore::new(limits.in_flight as usize)),
            connections: Arc::new(Semaphore::new(limits.connections as usize)),
            memory: Arc::new(Semaphore::new(queued / PAGE)),
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
