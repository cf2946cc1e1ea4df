//! What is different from some moment on.

use serde::Deserialize;

use super::super::traffic::{Slow, Traffic, Version, WhenAsked};
use super::field::Line;
use super::units::{Share, Span};

/// What is different from the phase before; what is left out stays.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Phase {
    r#for: Span,
    /// Requests per second.
    rate: Option<f64>,
    v1: Option<Change>,
    v2: Option<Change>,
    /// Of v1's errors, those whose cause hits v2 too.
    shared_errors: Option<Share>,
    /// By how much our own way is slower than the users'.
    way_slower: Option<Share>,
    /// Requests that v1 is asked twice.
    asked_again: Option<Share>,
    /// Requests that cannot be compared.
    lost: Option<Share>,
    /// All fields that vary.
    fields: Option<Vec<Line>>,
}

/// What is different about a version.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// By how much all of its answers take longer than usual.
    slower: Option<Share>,
    errors: Option<Share>,
    slow: Option<SlowOnes>,
    /// How long it is from one stall of 200 ms to the next, on average.
    stalls_every: Option<Span>,
    when_asked: Option<WhenAsked>,
}

/// Requests that take far longer than the rest.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SlowOnes {
    share: Share,
    times: f64,
}

impl Phase {
    pub(super) fn seconds(&self) -> u64 {
        self.r#for.0.as_secs()
    }

    pub(super) fn change(&self, traffic: &mut Traffic) {
        let set = |share: Option<Share>, part: &mut f64| *part = share.map_or(*part, |share| share.0);
        traffic.rate = self.rate.unwrap_or(traffic.rate);
        set(self.shared_errors, &mut traffic.shared_errors);
        set(self.way_slower, &mut traffic.way_slower);
        set(self.asked_again, &mut traffic.asked_again);
        set(self.lost, &mut traffic.lost);
        self.v1.iter().for_each(|change| change.apply(&mut traffic.v1));
        self.v2.iter().for_each(|change| change.apply(&mut traffic.v2));
        if let Some(lines) = &self.fields {
            traffic.fields = lines.iter().map(Line::varies).collect();
        }
    }
}

impl Change {
    pub(crate) fn apply(&self, version: &mut Version) {
        version.slower = self.slower.map_or(version.slower, |share| 1.0 + share.0);
        version.errors = self.errors.map_or(version.errors, |share| share.0);
        version.slow = self.slow.map_or(version.slow, |slow| Slow { share: slow.share.0, times: slow.times });
        version.stalls = self.stalls_every.map_or(version.stalls, |every| 1.0 / every.0.as_secs_f64());
        version.when_asked = self.when_asked.unwrap_or(version.when_asked);
    }
}
