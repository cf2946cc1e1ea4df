//! What a replay came to: the object of `--format json`. Its keys are those of the status, where they mean the same.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::reader::Read;
use crate::cli::Replay;
use crate::differences::{Record, Totals};
use crate::replay::{Phases, Target};
use crate::service::VERSIONS;
use crate::status::{Latencies, Quantiles, Requests};

/// What a replay came to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Summary {
    /// Files that were named.
    pub(super) files: usize,
    /// v2.
    pub(super) to: String,
    /// v1, where it was asked too.
    pub(super) against: Option<String>,
    /// As typed: `1x`, `max`.
    pub(super) speed: String,
    /// From the first byte read to the last answer.
    pub(super) elapsed_s: f64,
    /// Frames in the files.
    pub(super) frames: Frames,
    /// The ledger of requests.
    pub(super) requests: Requests,
    /// Differences by part.
    pub(super) differences: Totals,
    /// Differences that rules hid, by the rule's name.
    pub(super) hidden_differences: BTreeMap<String, u64>,
    /// Bodies that could not be decoded, by version and reason.
    pub(super) undecodable_bodies: BTreeMap<String, BTreeMap<String, u64>>,
    /// Exchanges with at least one.
    pub(super) exchanges_that_differ: u64,
    /// Latencies by version.
    pub(super) latency: BTreeMap<String, Latencies>,
    /// From when requests were due to when they were sent; absent at `max`, where nothing is due.
    pub(super) lateness: Option<Lateness>,
    /// What the ledgers do not account for; must be 0.
    pub(super) ledger_imbalance: Imbalance,
    /// The first exchanges that differ.
    pub(super) first_differences: Vec<Record>,
}

/// What was read.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Frames {
    /// Frames of links that are known.
    pub(super) read: u64,
    /// Of these, such as are no TCP segment of a service.
    pub(super) skipped: u64,
}

/// How late requests went.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Lateness {
    /// The distribution.
    #[serde(flatten)]
    pub(super) quantiles: Quantiles,
    /// The longest, exact.
    pub(super) max_s: f64,
}

/// What each ledger does not account for.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Imbalance {
    /// Requests in no bucket.
    pub(super) requests: i64,
}

impl Summary {
    /// Sums up after everything has ended.
    pub(super) fn new(args: &Replay, target: &Target, read: &Read, elapsed: Duration) -> Summary {
        let service = &target.service;
        let (counts, times) = (service.ledger.counts(), target.timings.times());
        let lateness = Lateness { quantiles: (&times.lateness).into(), max_s: times.latest.as_secs_f64() };
        Summary {
            files: args.files.len(),
            to: args.to.to_string(),
            against: args.against.map(|v1| v1.to_string()),
            speed: args.speed().to_string(),
            elapsed_s: elapsed.as_secs_f64(),
            frames: Frames { read: read.stats.frames, skipped: read.stats.skipped },
            requests: (&counts).into(),
            differences: service.differences.totals(),
            hidden_differences: service.differences.hidden(),
            undecodable_bodies: service.differences.undecodable().by_version(),
            exchanges_that_differ: service.differences.exchanges(),
            latency: VERSIONS
                .map(str::to_owned)
                .into_iter()
                .zip([&times.v1, &times.v2].map(latencies))
                .collect(),
            lateness: (times.lateness.count() > 0).then_some(lateness),
            ledger_imbalance: Imbalance { requests: counts.imbalance() },
            first_differences: service.differences.first(),
        }
    }

    /// Why not one request was compared, in one line.
    pub(super) fn nothing_compared(&self) -> String {
        let Requests { seen, unselected, v2_failed, .. } = &self.requests;
        let of = |reasons: &BTreeMap<String, u64>| reasons.values().sum::<u64>();
        let by_method = unselected.get("method").copied().unwrap_or(0);
        if *seen == 0 {
            "nothing was replayed: no HTTP request was found in the traffic".into()
        } else if by_method == *seen {
            format!("nothing was replayed: none of {seen} requests has a method that --methods names")
        } else if of(v2_failed) > 0 {
            format!("nothing was compared: v2 at {} answered none of {} requests", self.to, of(v2_failed))
        } else {
            format!("nothing was compared: {seen} requests were seen, and none was replayed and answered")
        }
    }
}

fn latencies(phases: &Phases) -> Latencies {
    Latencies { ttfb: (&phases.ttfb).into(), total: (&phases.total).into() }
}
