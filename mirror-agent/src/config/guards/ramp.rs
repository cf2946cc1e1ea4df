//! The steps by which a share rises.

use std::time::Duration;

use super::super::draft::Said;
use super::super::errors::{Errors, Place};
use super::super::section::Section;
use super::super::{Share, values};
use crate::ramp::Step;

/// Seconds with requests that a step needs if nobody says otherwise: what a PASS needs anyway.
const BLOCKS: u32 = 30;

/// A ramp in the making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RampDraft {
    /// Where it stands, if there is one.
    pub at: Option<Place>,
    steps: Vec<StepDraft>,
    /// Steps were given, and refused.
    is_refused: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct StepDraft {
    at: Place,
    share: Option<Said<Share>>,
    lasts: Option<Said<Duration>>,
    blocks: Option<Said<u32>>,
    refused: Vec<&'static str>,
}

impl RampDraft {
    /// Reads a service's `ramp`.
    pub fn read(service: &mut Section<'_>) -> RampDraft {
        let Some(mut ramp) = service.section("ramp") else { return RampDraft::default() };
        let steps = ramp.sections("steps").into_iter().map(step).collect();
        ramp.finish();
        RampDraft { at: Some(ramp.at), steps, is_refused: ramp.refused.contains(&"steps") }
    }

    /// The steps; none without a ramp. Everything that is wrong with them is named.
    pub fn complete(&self, errors: &mut Errors) -> Vec<Step> {
        let Some(at) = &self.at else { return Vec::new() };
        if self.steps.is_empty() && !self.is_refused {
            errors.add(
                at,
                "ramp has no steps: write for example steps: [{share: 1%, for: 5m}, {share: 25%, for: 10m}]",
            );
        }
        for pair in self.steps.windows(2) {
            if let [before, after] = pair
                && let (Some(before), Some(after)) = (&before.share, &after.share)
                && after.value.ppm() <= before.value.ppm()
            {
                let what = format!("{} comes after {}: a ramp only rises", after.value, before.value);
                errors.add_to(&after.at, "share", &what);
            }
        }
        self.steps.iter().filter_map(|step| step.complete(errors)).collect()
    }
}

impl StepDraft {
    fn complete(&self, errors: &mut Errors) -> Option<Step> {
        let missing = [
            (self.share.is_none(), "share", "say how much is mirrored, for example 5%"),
            (self.lasts.is_none(), "for", "say how long it lasts at least, for example 5m"),
        ];
        for (is_missing, key, why) in missing {
            if is_missing && !self.refused.contains(&key) {
                errors.add(&self.at, format!("a step of the ramp has no {key}: {why}"));
            }
        }
        Some(Step {
            share_ppm: self.share.as_ref()?.value.ppm(),
            lasts: self.lasts.as_ref()?.value,
            blocks: self.blocks.as_ref().map_or(BLOCKS, |said| said.value).into(),
        })
    }
}

fn step(mut keys: Section<'_>) -> StepDraft {
    let share = keys.value("share", values::part);
    let lasts = keys.value("for", values::duration);
    let blocks = keys.value("blocks", values::rate);
    keys.finish();
    StepDraft { at: keys.at, share, lasts, blocks, refused: keys.refused }
}
