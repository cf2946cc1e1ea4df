//! How v2 is judged: what the config says of it, and its defaults.

use std::time::Duration;

use super::draft::Said;
use super::section::Section;
use super::{Share, values};
use crate::judge::{Again, Settings};

/// How one service's v2 is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judge {
    /// Which version is asked a second time.
    pub again: Again,
    /// Of the requests that are replayed and safe, how many are asked a second time.
    pub again_share: Share,
    /// How often a v2 that is no worse may be failed.
    pub alpha: Share,
    /// The share of requests by which v2 may be worse and still pass.
    pub margin: Share,
    /// The part by which v2 may be slower.
    pub slower: Share,
    /// What it may be slower on top of that.
    pub slower_by: Duration,
    /// The bound that few requests should exceed; `None`: learned from v1.
    pub tail: Option<Duration>,
    /// Requests that may be lost on the way to a comparison.
    pub max_lost: Share,
}

/// A [`Judge`] in the making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JudgeDraft {
    /// Which version is asked a second time.
    pub again: Option<Said<Again>>,
    /// How many requests are.
    pub again_share: Option<Said<Share>>,
    /// How often a good v2 may be failed.
    pub alpha: Option<Said<Share>>,
    /// By how many requests v2 may be worse.
    pub margin: Option<Said<Share>>,
    /// By which part v2 may be slower.
    pub slower: Option<Said<Share>>,
    /// And on top of that.
    pub slower_by: Option<Said<Duration>>,
    /// The bound of the tail.
    pub tail: Option<Said<Duration>>,
    /// Requests that may be lost.
    pub max_lost: Option<Said<Share>>,
}

impl JudgeDraft {
    /// Reads the keys of a service that are about judging.
    pub fn read(service: &mut Section<'_>) -> JudgeDraft {
        let mut draft = JudgeDraft::default();
        if let Some(mut second) = service.section("second_answers") {
            draft.again = second.value("from", values::again);
            draft.again_share = second.value("share", values::part);
            second.finish();
        }
        if let Some(mut judge) = service.section("judge") {
            draft.alpha = judge.value("alpha", values::small_part);
            draft.margin = judge.value("margin", values::small_part);
            draft.slower = judge.value("slower", values::part);
            draft.slower_by = judge.value("slower_by", values::duration);
            draft.tail = judge.value("tail", values::duration);
            draft.max_lost = judge.value("max_lost", values::part);
            judge.finish();
        }
        draft
    }

    /// What `self` says, and where it is silent, what `other` says.
    pub fn over(self, other: JudgeDraft) -> JudgeDraft {
        JudgeDraft {
            again: self.again.or(other.again),
            again_share: self.again_share.or(other.again_share),
            alpha: self.alpha.or(other.alpha),
            margin: self.margin.or(other.margin),
            slower: self.slower.or(other.slower),
            slower_by: self.slower_by.or(other.slower_by),
            tail: self.tail.or(other.tail),
            max_lost: self.max_lost.or(other.max_lost),
        }
    }

    /// Completes it by the defaults.
    pub fn complete(self) -> Judge {
        let default = Judge::default();
        Judge {
            again: self.again.map_or(default.again, |said| said.value),
            again_share: self.again_share.map_or(default.again_share, |said| said.value),
            alpha: self.alpha.map_or(default.alpha, |said| said.value),
            margin: self.margin.map_or(default.margin, |said| said.value),
            slower: self.slower.map_or(default.slower, |said| said.value),
            slower_by: self.slower_by.map_or(default.slower_by, |said| said.value),
            tail: self.tail.map(|said| said.value),
            max_lost: self.max_lost.map_or(default.max_lost, |said| said.value),
        }
    }
}

impl Default for Judge {
    fn default() -> Judge {
        let settings = Settings::default();
        Judge {
            again: settings.again,
            again_share: percent(0.05),
            alpha: percent(settings.alpha),
            margin: percent(settings.margin),
            slower: percent(settings.slower),
            slower_by: settings.slower_by,
            tail: settings.tail,
            max_lost: percent(settings.max_lost),
        }
    }
}

impl From<&Judge> for Settings {
    fn from(judge: &Judge) -> Settings {
        let ratio = |share: Share| f64::from(share.ppm()) / f64::from(Share::FULL.ppm());
        Settings {
            alpha: ratio(judge.alpha),
            slower: ratio(judge.slower),
            slower_by: judge.slower_by,
            tail: judge.tail,
            margin: ratio(judge.margin),
            max_lost: ratio(judge.max_lost),
            again: judge.again,
            ..Settings::default()
        }
    }
}

fn percent(ratio: f64) -> Share {
    Share::from_ppm((ratio * f64::from(Share::FULL.ppm())).round() as u32).unwrap_or(Share::FULL)
}
