//! What the status says of the guards.

use std::sync::atomic::Ordering;

use super::{Agent, NEVER, lock, unix_time};
use crate::ramp::Ramp;
use crate::service::Service;
use crate::status::guards;

impl Agent {
    /// Of the agent as a whole.
    pub(in crate::agent) fn agent_guards(&self) -> guards::AgentGuards {
        let latency = self.guarding.abort_latency_ns.load(Ordering::Relaxed);
        let counts = lock(&self.guarding.counts);
        guards::AgentGuards {
            aborted: lock(&self.guarding.aborted).0.clone(),
            aborts: counts.iter().map(|(reason, count)| (reason.as_str().to_owned(), *count)).collect(),
            abort_latency_s: (latency != NEVER).then_some(latency as f64 * 1e-9),
        }
    }

    /// Of one service.
    pub(in crate::agent) fn service_guards(&self, service: &Service) -> guards::Guards {
        let Some(watched) = self.guarding.watched(service) else { return guards::Guards::default() };
        let ramp = |ramp: &Ramp| guards::Ramp {
            state: ramp.state(),
            steps: ramp.steps(),
            why: watched.said.clone(),
        };
        guards::Guards {
            preflight: watched.preflight.items.clone(),
            burns: watched.burns(self.guarding.now()).iter().map(guards::Burn::from).collect(),
            budget: watched.budget.as_ref().map(|budget| budget.standing(unix_time())),
            switchback: watched.switchback.as_ref().map(crate::guard::switchback::Switchback::finding),
            ramp: watched.ramp.as_ref().map(ramp),
            aborted: lock(&self.guarding.aborted).1.get(usize::from(service.index)).cloned().flatten(),
        }
    }
}
