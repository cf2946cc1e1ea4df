//! The faults of one service, and what its requests to v2 meet of them.
//!
//! All of it is here, in our own process, on our own connections to v2: nothing outlives us, and no user's byte passes
//! by. Without an experiment a request costs one relaxed load.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::client::Answered;
use crate::chaos::{Coin, Fault, Kind, Sample};
use crate::ledger::V2Failure;

/// From here on a status says that the server failed (RFC 9110, section 15.6).
const SERVER_ERROR: u16 = 500;

/// The faults of one service.
pub struct Faults {
    /// An experiment runs: requests are counted, whether they meet a fault or not.
    is_watched: AtomicBool,
    in_force: watch::Sender<Option<InForce>>,
    lanes: AtomicU64,
    steps: AtomicU64,
    met: [AtomicU64; Kind::NAMES.len()],
    active: AtomicU64,
    overflow: AtomicU64,
    seen: Mutex<Sample>,
}

/// A fault, for as long as it lasts.
#[derive(Clone, Copy, Debug)]
struct InForce {
    fault: Fault,
    coin: Coin,
    max_active: u64,
    /// It ends then, whatever becomes of whoever put it in force.
    until: Instant,
    /// Tells one from the next.
    number: u64,
}

/// What was counted since the agent started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that met a fault, by [`Kind::index`].
    pub met: [u64; Kind::NAMES.len()],
    /// Requests that a fault holds now.
    pub active: u64,
    /// Requests that went unharmed, because the most were held already.
    pub overflow: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Faults {
            is_watched: AtomicBool::new(false),
            in_force: watch::Sender::new(None),
            lanes: AtomicU64::new(0),
            steps: AtomicU64::new(0),
            met: Default::default(),
            active: AtomicU64::new(0),
            overflow: AtomicU64::new(0),
            seen: Mutex::default(),
        }
    }
}

impl Faults {
    /// Begins to count requests.
    pub fn begin(&self) {
        self.is_watched.store(true, Ordering::Relaxed);
    }

    /// Puts a fault in force, in place of any other, for its duration. Connections that `coin` chooses meet it, at their
    /// next request, and at most `max_active` requests at once.
    pub fn put(&self, fault: Fault, coin: Coin, max_active: u32) {
        let until = Instant::now() + fault.duration;
        self.in_force.send_modify(|now| {
            let number = self.steps.fetch_add(1, Ordering::Relaxed);
            *now = Some(InForce { fault, coin, max_active: max_active.into(), until, number });
        });
    }

    /// Ends the fault that is in force: whatever it holds goes on at once.
    pub fn clear(&self) {
        self.in_force.send_replace(None);
    }

    /// Ends the fault and the counting.
    pub fn end(&self) {
        self.clear();
        self.is_watched.store(false, Ordering::Relaxed);
    }

    /// What was counted of v2 while experiments ran: as its caller saw it, until the end of each answer.
    pub fn seen(&self) -> Sample {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the faults did so far.
    pub fn counts(&self) -> Counts {
        Counts {
            met: std::array::from_fn(|kind| self.met[kind].load(Ordering::Relaxed)),
            active: self.active.load(Ordering::Relaxed),
            overflow: self.overflow.load(Ordering::Relaxed),
        }
    }

    /// The number of one more lane.
    pub(super) fn number(&self) -> u64 {
        self.lanes.fetch_add(1, Ordering::Relaxed)
    }

    /// The fault that this lane's requests meet now, if they do.
    pub(super) fn of(&self, lane: u64) -> Option<Kind> {
        self.is_watched.load(Ordering::Relaxed).then(|| self.chosen(lane)).flatten().map(|now| now.fault.kind)
    }

    /// Begins a request of a lane; `None` while there is no experiment.
    #[inline]
    pub(super) fn watch(&self, lane: u64) -> Option<Watched<'_>> {
        if !self.is_watched.load(Ordering::Relaxed) {
            return None;
        }
        Some(Watched { faults: self, begun: Instant::now(), met: self.meet(lane) })
    }

    fn chosen(&self, lane: u64) -> Option<InForce> {
        let now = (*self.in_force.borrow())?;
        (now.coin.chooses(lane, now.fault.share) && Instant::now() < now.until).then_some(now)
    }

    fn meet(&self, lane: u64) -> Option<Met> {
        let now = self.chosen(lane)?;
        let one_more = |active| (active < now.max_active).then_some(active + 1);
        if self.active.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_err() {
            self.overflow.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let kind = now.fault.kind;
        let nth = self.met[kind.index()].fetch_add(1, Ordering::Relaxed);
        let late = match kind {
            Kind::Delay { latency, jitter } => now.coin.delay(lane, nth, latency, jitter),
            _ => Duration::ZERO,
        };
        Some(Met { kind, late, ends: now.until, number: now.number, in_force: self.in_force.subscribe() })
    }
}

/// A request to v2 while an experiment runs.
pub struct Watched<'a> {
    faults: &'a Faults,
    begun: Instant,
    /// The fault that it met.
    pub met: Option<Met>,
}

impl Watched<'_> {
    /// It has ended so.
    pub fn end(self, answer: &Result<Answered, V2Failure>) {
        let took = self.begun.elapsed();
        let mut seen = self.faults.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.requests += 1;
        match answer {
            Ok(answered) if answered.response.status < SERVER_ERROR => seen.latency.record(took),
            _ => seen.errors += 1,
        }
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if self.met.is_some() {
            self.faults.active.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// The fault that a request met.
pub struct Met {
    /// What goes wrong.
    pub kind: Kind,
    late: Duration,
    ends: Instant,
    number: u64,
    in_force: watch::Receiver<Option<InForce>>,
}

impl Met {
    /// Holds the request back, before a byte of it goes.
    pub async fn hold(&self) {
        match self.kind {
            Kind::Delay { .. } => self.until(Instant::now() + self.late).await,
            Kind::Blackhole => self.until_off().await,
            _ => {}
        }
    }

    /// Returns at `then`, or when the fault ends, if that is before.
    pub async fn until(&self, then: Instant) {
        tokio::select! {
            () = sleep_until(then) => {}
            () = self.until_off() => {}
        }
    }

    /// Returns when the fault has ended.
    pub async fn until_off(&self) {
        let mut in_force = self.in_force.clone();
        let ours = |now: &Option<InForce>| now.is_some_and(|now| now.number == self.number);
        tokio::select! {
            () = sleep_until(self.ends) => {}
            _ = in_force.wait_for(|now| !ours(now)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Share;

    fn fault(kind: Kind, duration: Duration) -> Fault {
        Fault { kind, share: Share::FULL, duration }
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn without_an_experiment_nothing_is_met_or_counted() {
        let faults = Faults::default();
        faults.put(fault(Kind::Abort, HOUR), Coin::new(0), 10);
        assert!(faults.watch(0).is_none() && faults.of(0).is_none());
        assert_eq!(faults.counts(), Counts::default());
    }

    #[tokio::test]
    async fn one_more_than_may_be_held_goes_unharmed_and_is_counted() {
        let faults = Faults::default();
        faults.begin();
        assert!(faults.watch(0).unwrap().met.is_none());
        faults.put(fault(Kind::Blackhole, HOUR), Coin::new(0), 2);
        let held = [faults.watch(0).unwrap(), faults.watch(1).unwrap()];
        assert!(held.iter().all(|watched| watched.met.is_some()));
        assert!(faults.watch(2).unwrap().met.is_none());
        assert_eq!(faults.counts(), Counts { met: [0, 0, 0, 2, 0], active: 2, overflow: 1 });
        drop(held);
        assert_eq!(faults.counts().active, 0);
        let broken = faults.watch(2).unwrap();
        assert!(broken.met.is_some());
        broken.end(&Err(V2Failure::Timeout));
        assert_eq!((faults.counts().active, faults.seen().requests, faults.seen().errors), (0, 1, 1));
    }

    /// A fault of an hour: these end by what is done, or never.
    #[tokio::test]
    async fn what_a_fault_holds_goes_on_when_it_is_cleared_or_another_takes_its_place() {
        let faults = Faults::default();
        faults.begin();
        for clears in [true, false] {
            faults.put(fault(Kind::Blackhole, HOUR), Coin::new(0), 10);
            let watched = faults.watch(0).unwrap();
            let end = async {
                tokio::task::yield_now().await;
                if clears {
                    faults.clear();
                    faults.put(fault(Kind::Blackhole, HOUR), Coin::new(0), 10);
                } else {
                    faults.end();
                }
            };
            tokio::join!(watched.met.as_ref().unwrap().hold(), end);
        }
        assert!(faults.watch(0).is_none());
    }

    #[tokio::test]
    async fn a_fault_ends_with_its_duration_though_nobody_ends_it() {
        let faults = Faults::default();
        faults.begin();
        faults.put(fault(Kind::Blackhole, Duration::from_millis(20)), Coin::new(0), 10);
        let watched = faults.watch(0).unwrap();
        watched.met.as_ref().unwrap().hold().await;
        assert!(faults.watch(0).unwrap().met.is_none());
        assert_eq!(faults.of(0), None);
    }
}
