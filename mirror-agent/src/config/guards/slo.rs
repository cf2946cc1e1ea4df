//! What v1 promises its users.

use std::time::Duration;

use mirror_common::limits::THRESHOLDS;

use super::super::draft::Said;
use super::super::errors::Errors;
use super::super::section::Section;
use super::super::{Share, values};
use crate::guard::Objective;

const PERIOD: Duration = Duration::from_secs(30 * 24 * 3600);
/// The part of v1's error budget that the mirror may spend.
const SPEND_PPM: u32 = 10_000;

/// A service level objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slo {
    /// The share of v1's answers that must be good: above 0, below all.
    pub objective: Share,
    /// A good answer's first byte comes within this; `None`: any time will do.
    pub latency: Option<Duration>,
    /// Over which time, an hour at least.
    pub period: Duration,
    /// The part of the error budget that the mirror may spend.
    pub spend: Share,
}

/// A [`Slo`] in the making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SloDraft {
    /// The share.
    pub objective: Option<Said<Share>>,
    /// How fast.
    pub latency: Option<Said<Duration>>,
    /// Over which time.
    pub period: Option<Said<Duration>>,
    /// How much of it is ours.
    pub spend: Option<Said<Share>>,
    /// Where the section stands, if there is one.
    pub at: Option<super::super::Place>,
    /// Keys that were given a value that was refused.
    pub refused: Vec<&'static str>,
}

impl SloDraft {
    /// Reads a service's `slo`.
    pub fn read(service: &mut Section<'_>) -> SloDraft {
        let Some(mut slo) = service.section("slo") else { return SloDraft::default() };
        let mut draft = SloDraft {
            objective: slo.value("objective", values::objective),
            latency: slo.value("latency", values::duration),
            period: slo.value("period", values::period),
            spend: slo.value("spend", values::part),
            at: Some(slo.at.clone()),
            refused: Vec::new(),
        };
        slo.finish();
        draft.refused = slo.refused;
        draft
    }

    /// What `self` says, and where it is silent, what `other` says.
    pub fn over(self, other: SloDraft) -> SloDraft {
        SloDraft {
            objective: self.objective.or(other.objective),
            latency: self.latency.or(other.latency),
            period: self.period.or(other.period),
            spend: self.spend.or(other.spend),
            at: other.at.or(self.at),
            refused: other.refused,
        }
    }

    /// Completes it by the defaults; its bound becomes one of `thresholds`, where it is counted exactly.
    pub fn complete(self, thresholds: &mut Vec<Duration>, errors: &mut Errors) -> Option<Slo> {
        let Some(objective) = self.objective else {
            if let Some(at) = self.at.filter(|_| !self.refused.contains(&"objective")) {
                errors.add(
                    &at,
                    "slo has no objective: say which share of v1's answers must be good, for example 99.9%",
                );
            }
            return None;
        };
        if let Some(latency) = &self.latency
            && let Err(place) = thresholds.binary_search(&latency.value)
        {
            if thresholds.len() >= THRESHOLDS {
                let what = format!("there are {THRESHOLDS} thresholds already: make this one of them");
                errors.add_to(&latency.at, "latency", &what);
            } else {
                thresholds.insert(place, latency.value);
            }
        }
        Some(Slo {
            objective: objective.value,
            latency: self.latency.map(|said| said.value),
            period: self.period.map_or(PERIOD, |said| said.value),
            spend: self
                .spend
                .map_or_else(|| Share::from_ppm(SPEND_PPM).unwrap_or(Share::FULL), |said| said.value),
        })
    }
}

impl Slo {
    /// As guards and budgets take it.
    pub fn objective(&self) -> Objective {
        let ratio = f64::from(self.objective.ppm()) / f64::from(Share::FULL.ppm());
        Objective { ratio, period: self.period }
    }

    /// The part of the error budget that the mirror may spend, 0 to 1.
    pub fn spend_ratio(&self) -> f64 {
        f64::from(self.spend.ppm()) / f64::from(Share::FULL.ppm())
    }
}
