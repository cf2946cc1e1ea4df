//! The guards of one service.

use std::time::Duration;

use super::super::draft::Said;
use super::super::section::Section;
use super::super::{Share, values};
use super::Slo;
use crate::guard::service::Limits;

/// Over which time v2's errors are measured.
const ERRORS_WITHIN: Duration = Duration::from_secs(10);
/// How long a switchback goes on in every block.
const SWITCHBACK: Duration = Duration::from_secs(300);

/// When a service is stopped; `None`: not for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guards {
    /// The share of clones that may be lost.
    pub losses: Option<Share>,
    /// The share of requests in which v2 may fail where v1 does not.
    pub v2_errors: Option<Share>,
    /// How long v2 may accept no connection.
    pub v2_unreachable: Option<Duration>,
    /// For how long the mirror is on and off in turn, to see what it does to v1.
    pub switchback: Option<Duration>,
}

/// [`Guards`] in the making; an inner `None` is `off`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuardsDraft {
    /// Share of clones.
    pub losses: Option<Said<Option<Share>>>,
    /// Share of requests.
    pub v2_errors: Option<Said<Option<Share>>>,
    /// How long.
    pub v2_unreachable: Option<Said<Option<Duration>>>,
    /// How long.
    pub switchback: Option<Said<Option<Duration>>>,
}

impl GuardsDraft {
    /// Reads a service's `guards`.
    pub fn read(service: &mut Section<'_>) -> GuardsDraft {
        let Some(mut guards) = service.section("guards") else { return GuardsDraft::default() };
        let draft = GuardsDraft {
            losses: guards.value("losses", values::part_or_off),
            v2_errors: guards.value("v2_errors", values::part_or_off),
            v2_unreachable: guards.value("v2_unreachable", values::duration_or_off),
            switchback: guards.value("switchback", switchback),
        };
        guards.finish();
        draft
    }

    /// What `self` says, and where it is silent, what `other` says.
    pub fn over(self, other: GuardsDraft) -> GuardsDraft {
        GuardsDraft {
            losses: self.losses.or(other.losses),
            v2_errors: self.v2_errors.or(other.v2_errors),
            v2_unreachable: self.v2_unreachable.or(other.v2_unreachable),
            switchback: self.switchback.or(other.switchback),
        }
    }

    /// Completes it by the defaults. A ramp has a switchback unless that is off: whoever raises the share wants to know.
    pub fn complete(self, has_ramp: bool) -> Guards {
        let half = Share::from_ppm(Share::FULL.ppm() / 2);
        let default = has_ramp.then_some(SWITCHBACK);
        Guards {
            losses: self.losses.map_or(half, |said| said.value),
            v2_errors: self.v2_errors.map_or(half, |said| said.value),
            v2_unreachable: self.v2_unreachable.map_or(Some(Duration::from_secs(10)), |said| said.value),
            switchback: self.switchback.map_or(default, |said| said.value),
        }
    }
}

impl Guards {
    /// As the guard itself takes them.
    pub fn limits(&self, slo: Option<&Slo>) -> Limits {
        let ratio = |share: Share| f64::from(share.ppm()) / f64::from(Share::FULL.ppm());
        Limits {
            objective: slo.map(Slo::objective),
            losses: self.losses.map(ratio),
            v2_errors: self.v2_errors.map(|share| (ratio(share), ERRORS_WITHIN)),
            v2_unreachable: self.v2_unreachable,
        }
    }
}

/// `on`, `off`, or how long it goes on in every block.
fn switchback(text: &str) -> Result<Option<Duration>, String> {
    match text {
        "on" => Ok(Some(SWITCHBACK)),
        "off" => Ok(None),
        _ => values::duration(text).map(Some).map_err(|why| format!("{why}; or on, or off")),
    }
}
