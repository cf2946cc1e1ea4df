//! What was counted of both versions, and sums over a phase of an experiment.

use crate::judge::statistics::quantile;
use crate::latency::Latency;

/// Requests of one version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Those that ended.
    pub requests: u64,
    /// Those of them that failed.
    pub errors: u64,
    /// How long those took that did not fail.
    pub latency: Latency,
}

/// Everything that was counted up to some moment; nothing in it ever falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// v1, as the kernel timed it at the tap: time to the first byte.
    pub v1: Sample,
    /// v2, as its caller saw it, faults and all: time to the end of the answer.
    pub v2: Sample,
    /// Requests that met a fault.
    pub met: u64,
    /// The verdict on v2 is FAIL.
    pub is_failed: bool,
}

impl Sample {
    /// What came since `earlier`.
    pub fn since(&self, earlier: &Sample) -> Sample {
        let mut latency = self.latency;
        for (slot, before) in latency.slots.iter_mut().zip(earlier.latency.slots) {
            *slot = slot.saturating_sub(before);
        }
        latency.sum_ns = latency.sum_ns.wrapping_sub(earlier.latency.sum_ns);
        Sample {
            requests: self.requests.saturating_sub(earlier.requests),
            errors: self.errors.saturating_sub(earlier.errors),
            latency,
        }
    }

    /// Adds another one.
    pub fn add(&mut self, other: &Sample) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.latency.merge(&other.latency);
    }

    /// The share of requests that failed; 0 without any.
    pub fn error_ratio(&self) -> f64 {
        if self.requests == 0 { 0.0 } else { self.errors as f64 / self.requests as f64 }
    }

    /// Whether its p99 can be told.
    pub fn tells_p99(&self) -> bool {
        self.latency.count() >= quantile::fewest_samples(0.99)
    }

    /// The slot of its p99.
    pub fn p99_slot(&self) -> usize {
        let beyond = self.latency.count() / 100;
        let mut above = self.latency.count();
        self.latency
            .slots
            .iter()
            .position(|count| {
                above -= count;
                above <= beyond
            })
            .unwrap_or(0)
    }
}

/// One version over a phase: the sum, and the second that was worst.
///
/// Requests of one stall are not independent of each other, and of a stall every machine has some: what is said of a
/// tail must hold without the worst second too.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    /// Everything.
    pub all: Sample,
    worst: Latency,
    slow_above: usize,
}

impl Window {
    /// Nothing yet. The worst second will be the one with the most answers above that slot.
    pub fn new(slow_above: usize) -> Window {
        Window { slow_above, ..Window::default() }
    }

    /// Adds what came in about a second.
    pub fn add(&mut self, second: &Sample) {
        let slow = |latency: &Latency| latency.slots.iter().skip(self.slow_above + 1).sum::<u64>();
        if slow(&second.latency) > slow(&self.worst) {
            self.worst = second.latency;
        }
        self.all.add(second);
    }

    /// How long answers took, but for those of the worst second.
    pub fn without_worst(&self) -> Latency {
        let worst = Sample { latency: self.worst, ..Sample::default() };
        self.all.since(&worst).latency
    }
}
