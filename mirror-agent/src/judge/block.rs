//! One second of pairs, counted.

use std::collections::BTreeMap;

/// What is counted of every pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Metric {
    /// No answer, or a status from 500.
    Errors,
    /// Slower than the margin allows, against not so: every pair votes.
    Latency,
    /// Over the bound.
    Tail,
    /// Over the bound when v1 is asked again: what our own way does to the tail.
    Way,
    /// Differs from v1's answer at all, noise or not.
    Same,
    /// Of those asked a second time: differs where the second answer does not.
    Again,
}

impl Metric {
    /// How many there are.
    pub(super) const COUNT: usize = 6;
}

/// The pairs of one second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// Which, since the judge's start.
    pub(super) second: u64,
    pub(super) pairs: u64,
    /// Those of them for which v2 accepted no connection.
    pub(super) unreached: u64,
    /// By [`Metric`].
    pub(super) counts: [Count; Metric::COUNT],
    /// By the number of a field.
    pub(super) fields: BTreeMap<u16, FieldCount>,
    /// Requests that should have been compared.
    pub(super) seen: u64,
    /// Those of them that were not.
    pub(super) lost: u64,
}

/// Pairs by who did worse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) worse: u64,
    pub(super) better: u64,
    pub(super) pairs: u64,
}

/// Requests in whose answers one field differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FieldCount {
    /// v2's from v1's.
    pub(super) differing: u32,
    /// Of those asked twice: v2's, and not the second answer.
    pub(super) only_v2: u32,
    /// The second answer, and not v2's.
    pub(super) only_again: u32,
    /// Both.
    pub(super) both: u32,
}

impl Block {
    pub(super) fn is_empty(&self) -> bool {
        self.pairs == 0 && self.seen == 0
    }

    /// Counts a pair in which v2, v1, both or neither did badly.
    pub(super) fn count(&mut self, metric: Metric, v2: bool, v1: bool) {
        let count = &mut self.counts[metric as usize];
        count.pairs += 1;
        count.worse += u64::from(v2 && !v1);
        count.better += u64::from(v1 && !v2);
    }

    /// Counts a pair that speaks for one of the two in any case.
    pub(super) fn vote(&mut self, metric: Metric, is_worse: bool) {
        self.count(metric, is_worse, !is_worse);
    }
}
