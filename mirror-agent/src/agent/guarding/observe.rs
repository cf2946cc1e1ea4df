//! What the guards look at, from the kernel's counters and the ledger.

use anyhow::Result;
use mirror_common::count::{Packet, side};
use mirror_common::policy::{HALVES, ServicePolicy, paused};
use mirror_common::turn::{Ambiguous, measure, outcome};

use super::Agent;
use crate::guard::Count;
use crate::guard::service::Observation;
use crate::guard::switchback::Arm;
use crate::ledger::V2Failure;
use crate::service::{Service, V1};

impl Agent {
    /// What was counted of a service since the start. `lost` are the clones that the link and the ring have lost: they are nobody's
    /// in particular, and count against every service.
    pub(super) fn observe(
        &self,
        service: &Service,
        policy: &ServicePolicy,
        lost: u64,
    ) -> Result<(Observation, Arm)> {
        let arm = self.v1_arm(service, policy)?;
        let requests = service.ledger.counts();
        let failed: u64 = requests.v2_failed.iter().sum();
        let count = self.kernel.counts.service(service.index)?;
        let cloned = count.packets[Packet::Cloned as usize];
        let failed_clones = count.packets[Packet::CloneFailed as usize];
        let seen = Observation {
            v1: arm.events,
            v2: service.judging.failures(),
            attempts: Count {
                total: requests.compared + failed,
                bad: requests.v2_failed[V2Failure::Connect as usize],
            },
            clones: Count { total: cloned + failed_clones, bad: failed_clones + lost },
        };
        Ok((seen, arm))
    }

    /// v1's turns: bad are errors, answers over the objective's bound, and requests that v1 reset.
    fn v1_arm(&self, service: &Service, policy: &ServicePolicy) -> Result<Arm> {
        let histograms = &self.kernel.histograms;
        let bound = self
            .guarding
            .bound(service)
            .and_then(|bound| policy.thresholds.iter().position(|ns| *ns == bound));
        let mut arm = Arm::default();
        for outcome in 0..outcome::COUNT as u8 {
            let latency = histograms.read(service.index, V1, measure::TTFB, outcome);
            let count = latency.count();
            let under = histograms.under(service.index, V1, measure::TTFB, outcome);
            let fast = bound.and_then(|index| under.get(index).copied()).unwrap_or(count);
            let bad = if outcome == outcome::ERROR { count } else { count.saturating_sub(fast) };
            arm.events = arm.events.plus(Count { total: count, bad });
            if outcome != outcome::ERROR {
                arm.ttfb.resize(latency.slots.len(), 0);
                arm.ttfb.iter_mut().zip(latency.slots).for_each(|(to, from)| *to += from);
            }
        }
        let turns = self.kernel.counts.turns(service.index, V1)?;
        // A client that goes away is no fault of v1's.
        let reset = turns.ambiguous[Ambiguous::Reset as usize].min(turns.resets[usize::from(side::SERVER)]);
        arm.events = arm.events.plus(Count { total: reset, bad: reset });
        Ok(arm)
    }

    /// Why nothing of a service is cloned now, if that is so.
    pub(super) fn held(&self, service: &Service, policy: &ServicePolicy) -> Option<&'static str> {
        let is_off = || policy.rules[policy.bank as usize % HALVES].iter().all(|rule| rule.share_ppm == 0);
        self.stopped(service, policy).or_else(|| is_off().then_some("the share is 0"))
    }

    /// Why nothing of a service may be cloned now, whatever its share.
    pub(super) fn stopped(&self, service: &Service, policy: &ServicePolicy) -> Option<&'static str> {
        if self.is_aborted(Some(service)) {
            Some("a guard has stopped it")
        } else if self.kernel.control.is_killed() || self.targets[usize::from(service.index)].is_stopped() {
            Some("killed")
        } else if policy.paused & paused::ASKED != 0 {
            Some("paused")
        } else if policy.paused & paused::PREFLIGHT != 0 {
            Some("the preflight has not ended")
        } else {
            None
        }
    }
}
