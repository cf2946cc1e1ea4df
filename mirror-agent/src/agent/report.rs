//! What the agent says of itself.

mod tcp;

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use mirror_common::count::Skip;
use mirror_common::policy::{HALVES, ServicePolicy, paused};
use mirror_common::turn::{Ambiguous, measure, outcome};

use super::{Agent, NEVER};
use crate::config::Share;
use crate::intake::balance::Balance;
use crate::judging::Ending;
use crate::kernel::counts;
use crate::kernel::fence::Fence;
use crate::latency::Latency;
use crate::service::{Service, V1, V2, VERSIONS};
use crate::status::{self, Imbalance, Intake, Quantiles, State, Status, by_name};

impl Agent {
    /// The status now.
    ///
    /// # Errors
    ///
    /// When the kernel's counters cannot be read.
    pub fn status(&self) -> Result<Status> {
        let intake = self.intake_status()?;
        let imbalance = self.intake_imbalance(&intake);
        let services = self.services.iter().map(|service| self.service_status(service, imbalance));
        Ok(Status { services: services.collect::<Result<_>>()?, agent: self.agent_status(intake)? })
    }

    fn agent_status(&self, intake: Intake) -> Result<status::Agent> {
        let taps = self.kernel.taps().into_iter().map(|tap| status::Tap {
            interface: tap.interface,
            hook: tap.hook.into(),
            mechanism: tap.mechanism.as_str().into(),
            condition: tap.condition,
            position: tap.position,
            followers: tap.followers,
        });
        let connections = self.intake.connections();
        let counts = [connections.joined_late, connections.refused, connections.given_up];
        let kill_latency = self.kill_latency_ns.load(Ordering::Relaxed);
        Ok(status::Agent {
            version: env!("CARGO_PKG_VERSION").into(),
            taps: taps.collect(),
            attach_changes: self
                .kernel
                .tap_changes()
                .by_name()
                .map(|(name, count)| (name.to_owned(), count))
                .into(),
            shadow_interface: self.shadow.name.clone(),
            tunnel: self.shadow.tunnel().map(|tunnel| tunnel.status(self.intake.oversize())),
            intake,
            connections: by_name(["joined_late", "refused", "given_up"], &counts),
            skipped_packets: by_name(Skip::NAMES, &self.kernel.counts.skips()?.packets),
            cost: self.cost(),
            rings: self.rings(),
            reloads: self.targeting.reloads(),
            guards: self.agent_guards(),
            kill_latency_s: (kill_latency != NEVER).then_some(kill_latency as f64 * 1e-9),
        })
    }

    /// What was accounted for is read before what was cloned, so that nothing seems to come from nowhere.
    pub(super) fn intake_status(&self) -> Result<Intake> {
        let (read, ring_dropped, dropped) =
            (self.intake.read(), self.intake.ring_dropped(), self.shadow.dropped());
        let refused =
            self.sum(|count| count.link_refused).context("read the clones that the link refused")?;
        Ok(Intake {
            read,
            ring_dropped,
            link_dropped: dropped.saturating_sub(refused),
            truncated: self.intake.truncated(),
            cloned: self.cloned()?,
        })
    }

    fn intake_imbalance(&self, intake: &Intake) -> i64 {
        if self.has_stopped.load(Ordering::Relaxed) {
            return Balance::final_imbalance(intake);
        }
        self.balance.lock().unwrap_or_else(PoisonError::into_inner).imbalance(self.started.elapsed(), intake)
    }

    fn service_status(&self, service: &Service, intake_imbalance: i64) -> Result<status::Service> {
        let count = self.kernel.counts.service(service.index)?;
        let policy = self.kernel.policy(service.index)?;
        let requests = service.ledger.counts();
        let versions = VERSIONS.iter().zip([V1, V2]);
        let turns =
            versions.clone().map(|(name, version)| Ok(((*name).into(), self.turns(service, version)?)));
        let tcp = versions.clone().map(|(name, version)| Ok(((*name).into(), self.tcp(service, version)?)));
        let latency = versions.map(|(name, version)| ((*name).into(), self.latencies(service, version)));
        Ok(status::Service {
            name: service.name.clone(),
            share: Share::from_ppm(policy.share_ppm()).unwrap_or(Share::ZERO).to_string(),
            rules: self.rules(service)?,
            connections_open: self.kernel.buckets.open(service.index),
            state: self.state(service, &policy),
            packets: count.packets.into(),
            bytes: count.bytes.into(),
            requests: (&requests).into(),
            differences: service.differences.totals(),
            hidden_differences: service.differences.hidden(),
            other_routes: service.routes.other(),
            undecodable_bodies: service.differences.undecodable().by_version(),
            verdict: self.with_abort(service, super::verdict::verdict(service, None)?).into(),
            guards: self.service_guards(service),
            probes: self.probes(service),
            second_answers: by_name(Ending::NAMES, &service.judging.seconds()),
            turns: turns.collect::<Result<_>>()?,
            latency: latency.collect(),
            tcp: tcp.collect::<Result<_>>()?,
            thresholds_s: policy
                .thresholds
                .iter()
                .take_while(|ns| **ns != 0)
                .map(|ns| *ns as f64 * 1e-9)
                .collect(),
            fence: self.fence(service.index).map(Fence::status).transpose()?,
            ledger_imbalance: Imbalance {
                kernel: counts::imbalance(&count),
                intake: intake_imbalance,
                requests: requests.imbalance(),
            },
        })
    }

    fn state(&self, service: &Service, policy: &ServicePolicy) -> State {
        if self.has_stopped.load(Ordering::Relaxed) {
            State::Stopped
        } else if self.abort_of(service).is_some() {
            State::Aborted
        } else if self.kernel.control.is_killed() {
            State::Killed
        } else if policy.paused & paused::ASKED != 0 {
            State::Paused
        } else if policy.paused & paused::PREFLIGHT != 0 {
            State::Preflight
        } else if policy.rules[policy.bank as usize % HALVES].iter().all(|rule| rule.share_ppm == 0) {
            State::Off
        } else {
            State::Mirroring
        }
    }

    fn turns(&self, service: &Service, version: u8) -> Result<status::Turns> {
        let count = self.kernel.counts.turns(service.index, version)?;
        let ambiguous = by_name(Ambiguous::NAMES, &count.ambiguous);
        let ambiguous = ambiguous.into_iter().filter(|(name, _)| !name.is_empty()).collect();
        let flows = self.kernel.flows();
        Ok(status::Turns {
            started: count.started,
            recorded: count.recorded,
            ambiguous,
            expired: flows.gone().expired_turns(service.index, version),
            evicted: flows.gone().evicted_turns(service.index, version),
        })
    }

    fn latencies(&self, service: &Service, version: u8) -> status::Latencies {
        let of = |measure| Quantiles::from(&self.latency(service.index, version, measure));
        status::Latencies { ttfb: of(measure::TTFB), total: of(measure::TOTAL) }
    }

    /// One version's latencies, all outcomes together.
    fn latency(&self, service: u8, version: u8, measure: u8) -> Latency {
        let mut sum = Latency::default();
        for outcome in 0..outcome::COUNT as u8 {
            sum.merge(&self.kernel.histograms.read(service, version, measure, outcome));
        }
        sum
    }
}
