//! Is v2 worse, no worse, or not known? Pairs of answers and a `now` in, a verdict out.
//!
//! ```text
//! pair ─► block: one second of pairs ─► account: votes, evidence ─► claims ─► verdict
//!   │        └ counts by metric and by field                          │
//!   └─ second answers ─► calibration: what our own way costs ─────────┘
//! ```
//!
//! A block of one second has one vote, however many requests are in it: requests of one stall are not independent of
//! each other, seconds nearly are.

mod account;
mod block;
mod calibration;
mod claims;
mod conclusion;
mod differences;
mod fields;
mod settings;
pub mod statistics;
mod tail;
mod unpaired;
mod verdict;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

pub use settings::{Again, Settings};
pub use unpaired::{Arm, Unpaired};
pub use verdict::{Calibrated, Claim, FieldClaim, FieldFinding, Finding, Outcome, Verdict, Votes};

use crate::compare::Field;
use crate::time::Nanos;
use account::Account;
use block::{Block, Metric};
use calibration::Calibration;
use fields::Fields;
use tail::Tail;

/// How long the past is kept: the longest window. The verdict since the start does not need it.
pub const HISTORY: Duration = Duration::from_secs(30 * 60);
/// One vote a second: longer than a stall that hits one of two identical versions, short enough for a verdict in seconds.
const BLOCK: Duration = Duration::from_secs(1);

/// A request that v1 answered and v2 was asked too.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// What v1 did.
    pub v1: Leg,
    /// What v2 did.
    pub v2: Leg,
    /// Where v2's answer differs from v1's, sorted; empty if v2 did not answer.
    pub differs: &'a [Field],
    /// What came of asking a second time, where that was done.
    pub second: Option<Second<'a>>,
}

/// What one version did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leg {
    /// It gave no proper answer, or one with a status from 500.
    pub is_error: bool,
    /// Last byte of the request to the first of the answer, where that is certain.
    pub ttfb: Option<Duration>,
}

/// A second answer to a request, by v1 or by v2.
#[derive(Clone, Copy, Debug)]
pub struct Second<'a> {
    /// How long it took, over our own way to that version.
    pub ttfb: Option<Duration>,
    /// Where it differs from that version's first answer, sorted.
    pub differs: &'a [Field],
}

/// Judges one service.
#[derive(Debug)]
pub struct Judge {
    settings: Settings,
    started: Nanos,
    /// The block that is being filled.
    open: Block,
    /// Those before it that were not empty, oldest first.
    history: VecDeque<Block>,
    /// All of them since the start.
    all: Account,
    fields: Fields,
    calibration: Calibration,
    tail: Tail,
}

/// A window that reaches further back than the past is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong(pub Duration);

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a window of {:?} is longer than the history, which goes back {HISTORY:?}", self.0)
    }
}

impl std::error::Error for TooLong {}

impl Judge {
    /// A judge that has seen nothing.
    pub fn new(settings: Settings, now: Nanos) -> Judge {
        Judge {
            started: now,
            open: Block::default(),
            history: VecDeque::new(),
            all: Account::new(&settings),
            fields: Fields::default(),
            calibration: Calibration::new(&settings),
            tail: Tail::new(settings.tail),
            settings,
        }
    }

    /// Takes a pair whose last answer was whole just now.
    pub fn pair(&mut self, now: Nanos, pair: &Pair<'_>) {
        self.tick(now);
        self.open.pairs += 1;
        self.open.count(Metric::Errors, pair.v2.is_error, pair.v1.is_error);
        self.latency(pair);
        self.differences(pair);
    }

    /// Takes a request that v1 answered and for which v2 accepted no connection: an error of v2's, if it is there at all.
    pub fn unreached(&mut self, now: Nanos, v1: Leg) {
        let v2 = Leg { is_error: true, ttfb: None };
        self.pair(now, &Pair { v1, v2, differs: &[], second: None });
        self.open.unreached += 1;
    }

    /// Notes that of `seen` more requests `lost` could not be compared, though they should have been.
    pub fn losses(&mut self, now: Nanos, seen: u64, lost: u64) {
        self.tick(now);
        self.open.seen += seen;
        self.open.lost += lost;
    }

    /// Lets time pass: closes the blocks that are over.
    pub fn tick(&mut self, now: Nanos) {
        let second = self.second(now);
        if second <= self.open.second {
            return;
        }
        let closed = std::mem::replace(&mut self.open, Block { second, ..Block::default() });
        if !closed.is_empty() {
            self.all.add(&closed);
            self.calibration.settle();
            self.history.push_back(closed);
        }
        let oldest = second.saturating_sub(HISTORY.as_secs());
        while self.history.front().is_some_and(|block| block.second < oldest) {
            self.history.pop_front();
        }
    }

    /// What is said now, of everything since the start, or of the last `window` alone.
    ///
    /// # Errors
    ///
    /// When the window is longer than [`HISTORY`].
    pub fn verdict(
        &mut self,
        service: &str,
        now: Nanos,
        window: Option<Duration>,
    ) -> Result<Verdict, TooLong> {
        self.tick(now);
        let Some(window) = window else {
            return Ok(self.judge(service, now, &self.all, now.since(self.started)));
        };
        if window > HISTORY {
            return Err(TooLong(window));
        }
        let span = window.min(now.since(self.started));
        let first = self.second(now).saturating_sub(window.as_secs().max(1));
        let mut account = Account::new(&self.settings);
        self.history.iter().filter(|block| block.second >= first).for_each(|block| account.add(block));
        Ok(self.judge(service, now, &account, span))
    }

    /// Whether the bias of our own way to v1 is not known well yet: until it is, every request that may be asked again should be.
    pub fn wants_calibration(&self) -> bool {
        self.settings.again == Again::V1 && self.calibration.is_wanting()
    }

    /// Whether a difference in this field is noise, as things stand.
    pub fn is_noise(&self, field: &Field) -> bool {
        let finding = |id| self.all.finding(id, self.fields.get(id), &self.settings);
        self.fields.id(field).is_some_and(|id| finding(id) == FieldFinding::Noise)
    }

    fn second(&self, now: Nanos) -> u64 {
        now.since(self.started).as_secs() / BLOCK.as_secs()
    }

    /// Failures have no latency: a fast error is no fast answer, and a slow one is counted already.
    fn latency(&mut self, pair: &Pair<'_>) {
        let Some(v1) = pair.v1.ttfb.filter(|_| !pair.v1.is_error) else { return };
        let again = pair.second.and_then(|second| second.ttfb).filter(|_| self.settings.again == Again::V1);
        if let Some(again) = again {
            self.calibration.note(v1, again); // whatever v2 did
        }
        let bound = self.tail.note(v1);
        let Some(v2) = pair.v2.ttfb.filter(|_| !pair.v2.is_error) else { return };
        let Some(allowed) = self.calibration.allowed(v1) else { return };
        self.open.vote(Metric::Latency, v2 > allowed);
        let Some(bound) = bound else { return };
        let Some(late) = self.calibration.late(bound) else { return };
        // Each by the bound of its own way: if only v2's were moved, what is the same would be counted as better.
        self.open.count(Metric::Tail, v2 > late && v1 <= bound, v1 > bound && v2 <= late);
        if let Some(again) = again {
            self.open.count(Metric::Way, again > late && v1 <= bound, v1 > bound && again <= late);
        }
    }

    fn differences(&mut self, pair: &Pair<'_>) {
        if pair.v2.is_error && pair.differs.is_empty() {
            return; // that it failed is counted already
        }
        self.open.count(Metric::Same, !pair.differs.is_empty(), false);
        for field in pair.differs {
            if let Some(count) = self.fields.count(field, &mut self.open) {
                count.differing += 1;
            }
        }
        let Some(second) = &pair.second else { return };
        let has = |fields: &[Field], field: &Field| fields.binary_search(field).is_ok();
        let only = |of: &[Field], not: &[Field]| of.iter().any(|field| !has(not, field));
        let (v2, again) = (only(pair.differs, second.differs), only(second.differs, pair.differs));
        // Both at once is what two answers that both differ from the first look like: no side is worse.
        self.open.count(Metric::Again, v2, again);
        for field in pair.differs {
            let Some(count) = self.fields.count(field, &mut self.open) else { continue };
            if has(second.differs, field) { count.both += 1 } else { count.only_v2 += 1 }
        }
        for field in second.differs.iter().filter(|field| !has(pair.differs, field)) {
            let Some(count) = self.fields.count(field, &mut self.open) else { continue };
            count.only_again += 1;
        }
    }
}
