//! Ramps at work: what the judge says of this step, and the share that follows.

use std::time::Duration;

use anyhow::Result;

use super::Agent;
use crate::config::Share;
use crate::judge::{HISTORY, Outcome, Verdict};
use crate::kernel::clock;
use crate::ramp::{Move, Seen};
use crate::service::Service;

/// How long after a move open connections are looked for: nearly all have been between two requests by then.
const TAKING_IN: Duration = Duration::from_secs(10);

impl Agent {
    /// Moves the ramp of a service, if it has one.
    pub(super) fn climb(&self, service: &Service) -> Result<()> {
        let (now, evidence) = (self.guarding.now(), clock::monotonic());
        let Some(lasted) = self
            .guarding
            .watched(service)
            .and_then(|watched| watched.ramp.as_ref().map(|ramp| ramp.lasted(now).unwrap_or_default()))
        else {
            return Ok(());
        };
        let policy = self.kernel.policy(service.index)?;
        // Only what came at this share speaks for the next one.
        let window = (!lasted.is_zero()).then(|| lasted.min(HISTORY));
        let verdict =
            window.map(|window| super::super::verdict::verdict(service, Some(window))).transpose()?;
        let moved = {
            let Some(mut watched) = self.guarding.watched(service) else { return Ok(()) };
            let Some(ramp) = watched.ramp.as_mut() else { return Ok(()) };
            let before = ramp.share_ppm();
            let next = ramp.look(now, &seen(verdict.as_ref(), self.stopped(service, &policy)));
            let share = ramp.share_ppm();
            watched.said = say(&next);
            (next, before, share)
        };
        self.act(service, moved, policy.share_ppm(), evidence)?;
        if lasted < TAKING_IN {
            self.take_in(service)?;
        }
        Ok(())
    }

    /// Connections that live for hours would see nothing of a ramp: those that the share has come to include are taken in at
    /// their next request.
    fn take_in(&self, service: &Service) -> Result<()> {
        let policy = self.kernel.policy(service.index)?;
        if policy.share_ppm() > 0 && self.stopped(service, &policy).is_none() {
            let taken = self.kernel.flows().forget_left_out(service.index, policy.seed, policy.share_ppm());
            tracing::debug!(service = service.name, taken, "open connections are taken in");
        }
        Ok(())
    }

    fn act(
        &self,
        service: &Service,
        (next, before, share): (Move, u32, u32),
        now_ppm: u32,
        evidence: u64,
    ) -> Result<()> {
        match next {
            Move::Fall(why) => {
                self.fall(service, &why, evidence);
                self.set_ramp_share(service, 0)?;
                self.keep(true);
            }
            Move::Rise(step) => {
                self.set_ramp_share(service, share)?;
                let to = Share::from_ppm(share).unwrap_or(Share::ZERO);
                tracing::info!(
                    service = service.name,
                    step = step + 1,
                    "the ramp rises from {} to {to}",
                    shown(before)
                );
                self.keep(true);
            }
            // A restart comes back here without a move.
            Move::Done | Move::Hold(_) if share < now_ppm || self.is_to_return(service, share, now_ppm) => {
                self.set_ramp_share(service, share)?;
            }
            Move::Done | Move::Hold(_) => {}
        }
        Ok(())
    }

    /// Whether a ramp that is held by nothing has a share that the kernel does not have yet.
    fn is_to_return(&self, service: &Service, share: u32, now_ppm: u32) -> bool {
        let is_free =
            self.kernel.policy(service.index).is_ok_and(|policy| self.stopped(service, &policy).is_none());
        share > now_ppm && is_free
    }
}

fn seen<'a>(verdict: Option<&'a Verdict>, held: Option<&'a str>) -> Seen<'a> {
    Seen {
        verdict: verdict.map_or(Outcome::Inconclusive, |verdict| verdict.verdict),
        why: verdict
            .and_then(|verdict| verdict.reasons.first())
            .map_or("the step has just begun", String::as_str),
        blocks: verdict.map_or(0, |verdict| verdict.blocks),
        held,
    }
}

fn say(next: &Move) -> String {
    match next {
        Move::Hold(why) => format!("holds: {why}"),
        Move::Rise(step) => format!("rises to step {}", step + 1),
        Move::Fall(why) => format!("falls to 0: {why}"),
        Move::Done => "has had every step".into(),
    }
}

fn shown(ppm: u32) -> String {
    Share::from_ppm(ppm).unwrap_or(Share::ZERO).to_string()
}
