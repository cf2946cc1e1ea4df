//! Flagger's webhooks: `POST /flagger/HOOK`.
//!
//! Flagger reads the status: up to 202 is a yes, anything else and no answer at all is a no. What a yes and a no do
//! depends on the hook (`pkg/controller/webhook.go`, `scheduler.go`, `scheduler_hooks.go`):
//!
//! | hook | yes | no |
//! |---|---|---|
//! | `confirm-*` | goes on | waits and asks again; nothing is counted |
//! | `rollout` | looks at its metrics | counts a failed check; `threshold` of them, in a row or not, roll back |
//! | `rollback` | **rolls back** | goes on |
//!
//! | | PASS | INCONCLUSIVE | FAIL |
//! |---|---|---|---|
//! | [`Hook::ConfirmRollout`] | 200 | 403; 200 with `inconclusive: advance` | 403 |
//! | [`Hook::Rollout`] | 200 | 403; 200 with `inconclusive: advance` | 403 |
//! | [`Hook::Rollback`] | 403 | 403 | 200 |
//!
//! The way to all three words is to let a `confirm-*` hook hold and the `rollout` hook `advance`: PASS goes on,
//! INCONCLUSIVE waits uncounted, FAIL counts. A silent agent is a no: no rollback to `rollback`, a failed check to
//! `rollout`. That is why both are needed.
//!
//! A no is a 403 with the reason, as Flagger's own tester says it. Never a 5xx: the client tries those again and drops
//! their body (hashicorp/go-retryablehttp, `client.go`), and with it the reason from the events.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::{INCONCLUSIVE, SERVICE, WINDOW, WhenInconclusive, cut, misread};
use crate::judge::{Outcome, Verdict};

/// The longest payload, in bytes; Flagger's own are a few hundred.
pub const BODY_MAX: usize = 64 << 10;
/// The longest answer, in bytes: it becomes part of a Kubernetes event, which holds 1024.
const ANSWER_MAX: usize = 512;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// May it start, get more traffic, be promoted? For `confirm-rollout`, `confirm-traffic-increase` and
    /// `confirm-promotion`.
    ConfirmRollout,
    /// Is it well? For `rollout`, once in each iteration.
    Rollout,
    /// Must it go? For `rollback`.
    Rollback,
}

impl Hook {
    /// Every hook.
    pub const ALL: [Hook; 3] = [Hook::ConfirmRollout, Hook::Rollout, Hook::Rollback];

    /// Where it is asked.
    pub fn path(self) -> &'static str {
        match self {
            Hook::ConfirmRollout => "/flagger/confirm-rollout",
            Hook::Rollout => "/flagger/rollout",
            Hook::Rollback => "/flagger/rollback",
        }
    }
}

/// What Flagger sends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Payload {
    /// The canary's name.
    pub name: String,
    /// Its namespace.
    #[serde(default)]
    pub namespace: String,
    /// `Progressing` and the like.
    #[serde(default)]
    pub phase: String,
    /// Differs from one revision of the canary to the next; an older Flagger does not say.
    #[serde(default)]
    pub checksum: String,
    /// What the webhook's configuration says: `service`, `window` and `inconclusive` are ours.
    #[serde(default, deserialize_with = "or_empty")]
    pub metadata: BTreeMap<String, String>,
}

fn or_empty<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

impl Payload {
    /// Reads a request's body; keys that are not known are left alone.
    ///
    /// # Errors
    ///
    /// A line for a 400.
    pub fn read(body: &[u8]) -> Result<Payload, String> {
        if body.len() > BODY_MAX {
            return Err(format!("the payload has {} bytes, over {BODY_MAX}", body.len()));
        }
        serde_json::from_slice(body).map_err(|error| misread("Flagger's payload", &error))
    }

    /// The service that is asked about: what the metadata name, else the canary's name.
    pub fn service(&self) -> &str {
        self.metadata.get(SERVICE).unwrap_or(&self.name)
    }

    /// How far back to look, as typed; not said means as far as the verdict goes by itself.
    pub fn window(&self) -> Option<&str> {
        self.metadata.get(WINDOW).map(String::as_str)
    }

    /// What INCONCLUSIVE means to this webhook. It has no meaning to [`Hook::Rollback`], which must not fail over it.
    ///
    /// # Errors
    ///
    /// A line for a 400.
    pub fn when_inconclusive(&self, hook: Hook) -> Result<WhenInconclusive, String> {
        match self.metadata.get(INCONCLUSIVE) {
            Some(text) if hook != Hook::Rollback => WhenInconclusive::parse(text),
            _ => Ok(WhenInconclusive::Halt),
        }
    }
}

/// Status and text: 200 or 403, and the word with the first reason.
pub fn answer(hook: Hook, when_inconclusive: WhenInconclusive, verdict: &Verdict) -> (u16, String) {
    let yes = match (hook, verdict.verdict) {
        (Hook::Rollback, word) => word == Outcome::Fail,
        (_, Outcome::Pass) => true,
        (_, Outcome::Fail) => false,
        (_, Outcome::Inconclusive) => when_inconclusive == WhenInconclusive::Advance,
    };
    (if yes { 200 } else { 403 }, line(verdict))
}

/// Status and text for a question that has no verdict: an unknown service, a window that is none, a payload that cannot
/// be read. It is a no to every hook.
pub fn refusal(why: &str) -> (u16, String) {
    (400, short(why))
}

fn line(verdict: &Verdict) -> String {
    let reason = verdict.reasons.first().map_or("no reason is known", String::as_str);
    short(&format!("{}: {reason}", verdict.verdict))
}

/// As one line of at most [`ANSWER_MAX`] bytes.
fn short(text: &str) -> String {
    cut(text.replace(char::is_control, " "), ANSWER_MAX)
}

#[cfg(test)]
mod tests;
