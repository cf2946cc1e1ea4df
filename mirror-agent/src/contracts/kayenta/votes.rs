//! How two series vote, and what the votes show.

use serde::Serialize;

use super::LogEvidence;

/// Which way the experiment may be off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Side {
    /// Above the control.
    High,
    /// Below it.
    Low,
}

/// How far off is too far.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    pub side: Side,
    /// Experiment over control; from 1 up for high, from 1 down to 0 for low.
    pub ratio: f64,
    /// The share of pairs that must be beyond it, whatever the evidence; 0 means any.
    pub share: f64,
}

/// The votes against one bound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Pairs beyond the bound.
    pub beyond: u64,
    /// Pairs exactly at it, such as no errors against no errors: they say nothing of harm.
    pub at: u64,
    /// Pairs within it.
    pub within: u64,
    /// Log of the evidence that it is crossed more often than not, the highest so far.
    pub harm: f64,
    /// The same at the end.
    pub harm_now: f64,
    /// Log of the evidence that it is kept more often than not, at the end.
    pub fine: f64,
}

impl Side {
    /// The ratio of a margin.
    pub fn ratio(self, margin: f64) -> f64 {
        match self {
            Side::High => 1.0 + margin,
            Side::Low => 1.0 - margin,
        }
    }

    /// A configured ratio. One on the other side of 1 allows nothing.
    pub fn clamp(self, ratio: f64) -> f64 {
        match self {
            Side::High => ratio.max(1.0),
            Side::Low => ratio.min(1.0),
        }
    }

    /// Of a probability that the experiment is above the control, the share that is on this side.
    pub fn share(self, above: f64) -> f64 {
        match self {
            Side::High => above,
            Side::Low => 1.0 - above,
        }
    }
}

impl Bound {
    /// How far `experiment` is beyond what is allowed of `control`, if above 0. The distance is a part of the control's
    /// size, so that the bound of a negative control lies on the right side of it.
    fn excess(self, control: f64, experiment: f64) -> f64 {
        let limit = control + control.abs() * (self.ratio - 1.0);
        match self.side {
            Side::High => experiment - limit,
            Side::Low => limit - experiment,
        }
    }

    /// Counts the pairs' votes in their order. Harm is looked at after every vote, as in a running analysis.
    pub fn tally(self, pairs: &[(f64, f64)], log_evidence: LogEvidence) -> Tally {
        let mut tally = Tally::default();
        for &(control, experiment) in pairs {
            let excess = self.excess(control, experiment);
            if excess > 0.0 {
                tally.beyond += 1;
                // Evidence rises with no other vote.
                tally.harm = tally.harm.max(log_evidence(tally.beyond, tally.within));
            } else if excess < 0.0 {
                tally.within += 1;
            } else {
                tally.at += 1;
            }
        }
        tally.harm_now = log_evidence(tally.beyond, tally.within);
        tally.fine = log_evidence(tally.within + tally.at, tally.beyond);
        tally
    }

    /// Whether the share of pairs beyond the bound is what it must be; a pair at it counts half.
    pub fn share_reached(self, tally: &Tally) -> bool {
        let all = tally.beyond + tally.at + tally.within;
        (tally.beyond as f64 + tally.at as f64 / 2.0) >= self.share * all as f64
    }
}
