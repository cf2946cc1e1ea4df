//! The bound that few requests should exceed: given, or learned from v1.

use std::time::Duration;

/// Values that a p99 needs: `4 p/(1-p)`, so that four are expected above it.
const NEEDED: usize = 400;
/// How many of them are above the p99.
const ABOVE: usize = NEEDED / 100;

/// The bound of the tail.
#[derive(Debug)]
pub(super) enum Tail {
    /// v1's first values, in no order.
    Learning(Vec<Duration>),
    /// It stays as it is: a bound that followed v1 would forget how v1 was.
    Known(Duration),
}

impl Tail {
    pub(super) fn new(given: Option<Duration>) -> Tail {
        given.map_or_else(|| Tail::Learning(Vec::new()), Tail::Known)
    }

    /// Takes a time of v1's; the bound, once there is one.
    pub(super) fn note(&mut self, v1: Duration) -> Option<Duration> {
        match self {
            Tail::Known(bound) => Some(*bound),
            Tail::Learning(values) => {
                values.push(v1);
                if values.len() == NEEDED {
                    values.sort_unstable();
                    // Twice the p99: near the p99 itself both versions exceed it by chance, which drowns what is new.
                    let bound = values.get(NEEDED - 1 - ABOVE).copied().unwrap_or_default() * 2;
                    *self = Tail::Known(bound);
                }
                None
            }
        }
    }

    pub(super) fn bound(&self) -> Option<Duration> {
        match self {
            Tail::Known(bound) => Some(*bound),
            Tail::Learning(_) => None,
        }
    }

    /// Values that are still missing.
    pub(super) fn missing(&self) -> usize {
        match self {
            Tail::Known(_) => 0,
            Tail::Learning(values) => NEEDED - values.len(),
        }
    }
}
