//! One request: asked of v1 for a user, of v2 for us, and now and then of v1 again.

use std::time::Duration;

use mirror_agent::compare::{Field, Kind, Part};
use mirror_agent::judge;

use super::chance::Chance;
use super::leg::Leg;
use super::pair::Asked;
use super::traffic::{Traffic, Version, WhenAsked};

/// The median of the work that a request means, in seconds.
pub(crate) const WORK: f64 = 0.012;
/// How different requests are: the standard deviation of the logarithm of their work.
pub(crate) const SPREAD: f64 = 0.8;
/// How long v2 is waited for.
const TIMEOUT: f64 = 5.0;

/// The versions.
pub(super) struct Legs<'a> {
    pub(super) v1: &'a mut Leg,
    pub(super) v2: &'a mut Leg,
}

/// What one version made of a request.
#[derive(Clone, Copy)]
struct Answer {
    /// When it is whole.
    end: f64,
    is_error: bool,
    /// `None` if there is none.
    ttfb: Option<f64>,
}

impl Legs<'_> {
    /// Asks everybody; when the last answer is whole, and what they were.
    pub(super) fn ask(
        &mut self,
        now: f64,
        traffic: &Traffic,
        again: bool,
        chance: &mut Chance,
    ) -> (f64, Asked) {
        let work = WORK * chance.factor(SPREAD);
        let ours = work * (1.0 + traffic.way_slower);
        let shared = traffic.shared_errors * traffic.v1.errors.min(traffic.v2.errors);
        let all_fail = chance.happens(shared);
        let fails = |version: &Version, chance: &mut Chance| {
            all_fail || chance.happens((version.errors - shared) / (1.0 - shared))
        };
        let v1_fails = fails(&traffic.v1, chance);
        let v1 = answer(self.v1, now, work, v1_fails, &traffic.v1, chance);
        let v2_fails = fails(&traffic.v2, chance);
        let v2 = answer(self.v2, now, ours, v2_fails, &traffic.v2, chance);
        // As the agent does it: after v2, and not if v2 is gone.
        let second = (again && v2.ttfb.is_some()).then(|| {
            let is_error = fails(&traffic.v1, chance);
            answer(self.v1, v1.end.max(v2.end), ours, is_error, &traffic.v1, chance)
        });
        let end = v1.end.max(v2.end).max(second.map_or(0.0, |second| second.end));
        let differs = if v2.ttfb.is_some() { traffic.differ(v1, v2, false, chance) } else { Vec::new() };
        let second = second.map(|second| {
            let ttfb = second.ttfb.map(Duration::from_secs_f64);
            (ttfb, traffic.differ(v1, second, true, chance))
        });
        let is_refused = traffic.v2.when_asked == WhenAsked::Refuses;
        (end, Asked { v1: v1.leg(), v2: v2.leg(), is_refused, differs, second })
    }
}

fn answer(
    leg: &mut Leg,
    now: f64,
    work: f64,
    is_error: bool,
    version: &Version,
    chance: &mut Chance,
) -> Answer {
    let end = match version.when_asked {
        WhenAsked::Answers => leg.answer(now, work, version, chance),
        WhenAsked::IsSilent => return Answer { end: now + TIMEOUT, is_error: true, ttfb: None },
        WhenAsked::Refuses => return Answer { end: now, is_error: true, ttfb: None },
    };
    Answer { end, is_error, ttfb: Some(end - now) }
}

impl Answer {
    fn leg(self) -> judge::Leg {
        judge::Leg { is_error: self.is_error, ttfb: self.ttfb.map(Duration::from_secs_f64) }
    }
}

impl Traffic {
    /// Where `other`, of v1 itself or of v2, differs from v1's answer, sorted.
    fn differ(&self, v1: Answer, other: Answer, is_v1: bool, chance: &mut Chance) -> Vec<Field> {
        if v1.is_error != other.is_error {
            return vec![
                Field { part: Part::Status, name: "status".into(), kind: Kind::Value, leaf: true },
                Field { part: Part::Body, name: "body".into(), kind: Kind::Type, leaf: false },
            ];
        }
        if v1.is_error {
            return Vec::new(); // the same page says so
        }
        let varying = self.fields.iter();
        let varying = varying.filter(|varies| chance.happens(if is_v1 { varies.v1 } else { varies.v2 }));
        let mut fields: Vec<Field> = varying.map(|varies| varies.field.clone()).collect();
        fields.sort();
        fields
    }
}
