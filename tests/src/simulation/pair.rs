//! A request that is under way, and what the judge is told of it.

use std::time::Duration;

use mirror_agent::compare::Field;
use mirror_agent::judge::{Judge, Leg, Pair, Second};
use mirror_agent::time::Nanos;

/// What all the versions did with one request.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) v1: Leg,
    pub(super) v2: Leg,
    /// v2 accepted no connection.
    pub(super) is_refused: bool,
    /// Where v2's answer differs from v1's, sorted.
    pub(super) differs: Vec<Field>,
    /// v1's second answer, with the same of it.
    pub(super) second: Option<(Option<Duration>, Vec<Field>)>,
}

impl Asked {
    /// Tells the judge of it.
    pub(super) fn tell(&self, judge: &mut Judge, now: Nanos) {
        if self.is_refused { judge.unreached(now, self.v1) } else { judge.pair(now, &self.pair()) }
    }

    fn pair(&self) -> Pair<'_> {
        let second = self.second.as_ref().map(|(ttfb, differs)| Second { ttfb: *ttfb, differs });
        Pair { v1: self.v1, v2: self.v2, differs: &self.differs, second }
    }
}
