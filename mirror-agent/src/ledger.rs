//! The ledger of requests: every request that is seen ends in exactly one bucket.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::chaos::Kind;
use crate::exchange::Unmirrorable;
use crate::select::Unselected;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// v2 answered, and its answer was compared with v1's.
    Compared,
    /// v2 did not answer as HTTP demands.
    V2Failed(V2Failure),
    /// A limit of the blast radius kept it from v2.
    Shed(Shed),
    /// The config did not ask for it.
    Unselected(Unselected),
    /// It could not be read whole, so it could not be copied.
    Unmirrorable(Unmirrorable),
    /// v1 never answered it.
    V1Unanswered,
    /// It met a fault that we made on its way to v2: whatever v2 did says nothing of v2.
    Faulted(Kind),
}

/// How v2 failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum V2Failure {
    /// No connection.
    Connect,
    /// No whole answer in time.
    Timeout,
    /// The connection broke before the answer was whole.
    Reset,
    /// The answer is no HTTP/1, or more than we read.
    Malformed,
}

impl V2Failure {
    /// The names, by value.
    pub const NAMES: [&'static str; 4] = ["connect", "timeout", "reset", "malformed"];
}

/// Which limit shed a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Shed {
    /// Requests or bytes per second.
    Rate,
    /// Requests in flight at once.
    Inflight,
    /// A queue was full: of one connection, or of connections.
    Queue,
    /// The mirror was stopped while it waited.
    Stopped,
}

impl Shed {
    /// The names, by value.
    pub const NAMES: [&'static str; 4] = ["rate", "inflight", "queue", "stopped"];
}

/// The counts of one service. `decoding` and `replaying` are kept by who holds the requests, and not derived from the
/// buckets: a request that got lost between two holders shows as an imbalance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests whose head was read, or that were recognised as unreadable.
    pub seen: u64,
    /// Requests compared.
    pub compared: u64,
    /// By [`V2Failure`].
    pub v2_failed: [u64; V2Failure::NAMES.len()],
    /// By [`Shed`].
    pub shed: [u64; Shed::NAMES.len()],
    /// By [`Unselected`].
    pub unselected: [u64; Unselected::ALL.len()],
    /// By [`Unmirrorable`].
    pub unmirrorable: [u64; Unmirrorable::ALL.len()],
    /// Requests that v1 never answered.
    pub v1_unanswered: u64,
    /// Requests that met a fault of ours, by [`Kind::index`].
    pub faulted: [u64; Kind::NAMES.len()],
    /// Requests that wait for their end in a connection that is being decoded.
    pub decoding: u64,
    /// Requests that are with the replayer.
    pub replaying: u64,
}

impl Counts {
    /// Requests that have not ended.
    pub fn in_progress(&self) -> u64 {
        self.decoding + self.replaying
    }

    /// Requests seen that no bucket holds; 0 in a balanced ledger.
    pub fn imbalance(&self) -> i64 {
        let ended = self.compared
            + self.v2_failed.iter().sum::<u64>()
            + self.shed.iter().sum::<u64>()
            + self.unselected.iter().sum::<u64>()
            + self.unmirrorable.iter().sum::<u64>()
            + self.faulted.iter().sum::<u64>()
            + self.v1_unanswered;
        self.seen.wrapping_sub(ended + self.in_progress()) as i64
    }

    fn end(&mut self, end: End) {
        let bucket = match end {
            End::Compared => &mut self.compared,
            End::V2Failed(how) => &mut self.v2_failed[how as usize],
            End::Shed(why) => &mut self.shed[why as usize],
            End::Unselected(why) => &mut self.unselected[why as usize],
            End::Unmirrorable(why) => &mut self.unmirrorable[why as usize],
            End::V1Unanswered => &mut self.v1_unanswered,
            End::Faulted(kind) => &mut self.faulted[kind.index()],
        };
        *bucket += 1;
    }
}

/// One service's ledger. Each step of a request is one change under the lock, so that it balances at any moment.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Counts>);

impl Ledger {
    /// The counts now.
    pub fn counts(&self) -> Counts {
        *self.lock()
    }

    /// Starts a change that a decoder makes.
    pub fn change(&self) -> Change<'_> {
        Change(self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change of the ledger that others see whole or not at all.
pub struct Change<'a>(MutexGuard<'a, Counts>);

impl Change<'_> {
    /// A request was seen.
    pub fn seen(&mut self) {
        self.0.seen += 1;
    }

    /// A request ended where it was decoded.
    pub fn ended(&mut self, end: End) {
        self.0.end(end);
    }

    /// A request goes to the replayer.
    pub fn handed_over(&mut self) {
        self.0.replaying += 1;
    }

    /// A connection held `before` open requests and now holds `after`.
    pub fn decoding(&mut self, before: usize, after: usize) {
        self.0.decoding = (self.0.decoding + after as u64).saturating_sub(before as u64);
    }
}

/// A request that the replayer holds. It must be ended: one that is dropped instead shows as an imbalance.
#[derive(Debug)]
pub struct Ticket {
    ledger: std::sync::Arc<Ledger>,
    is_ended: bool,
}

impl Ticket {
    /// The ticket of a request that was [`Change::handed_over`].
    pub fn new(ledger: std::sync::Arc<Ledger>) -> Self {
        Ticket { ledger, is_ended: false }
    }

    /// Ends the request.
    pub fn end(mut self, end: End) {
        self.is_ended = true;
        let mut counts = self.ledger.lock();
        counts.replaying = counts.replaying.saturating_sub(1);
        counts.end(end);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.is_ended {
            let mut counts = self.ledger.lock();
            counts.replaying = counts.replaying.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_request_that_is_lost_unbalances_the_ledger() {
        let ledger = Arc::new(Ledger::default());
        for _ in 0..2 {
            let mut change = ledger.change();
            change.seen();
            change.handed_over();
        }
        assert_eq!(ledger.counts().imbalance(), 0);
        Ticket::new(ledger.clone()).end(End::Compared);
        assert_eq!((ledger.counts().imbalance(), ledger.counts().in_progress()), (0, 1));
        drop(Ticket::new(ledger.clone()));
        assert_eq!((ledger.counts().imbalance(), ledger.counts().in_progress()), (1, 0));
    }
}
