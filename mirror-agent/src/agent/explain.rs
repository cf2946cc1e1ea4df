//! Which rule decides for a connection, with what only the running agent knows.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Result, anyhow, bail};
use mirror_common::flow::{Flow, decision, mark, phase};

use super::Agent;
use crate::config;
use crate::explain::{self, Caps, Connection, Explanation, Running};
use crate::service::Service;
use crate::status::RingState;

impl Agent {
    /// Explains what holds for a client of a service, or of the only one. `to` is v1's address where that is any.
    ///
    /// # Errors
    ///
    /// When there is no such service, or v1's address is needed and not known, or the kernel refuses.
    pub fn explain(&self, client: SocketAddr, name: Option<&str>, to: Option<IpAddr>) -> Result<Explanation> {
        let config = self.targeting.config().clone();
        let chosen = explain::service(&config, name).map_err(|error| anyhow!(error))?;
        let Some(service) = self.services.iter().find(|service| service.name == chosen.name) else {
            bail!("service {} does not run", chosen.name);
        };
        let known = || {
            let servers = self.kernel.flows().servers_of(client);
            servers.into_iter().find(|server| server.port() == chosen.v1.port()).map(|server| server.ip())
        };
        let server =
            explain::server(chosen, to.or_else(|| chosen.v1.ip().is_unspecified().then(known).flatten()))
                .map_err(|error| anyhow!(error))?;
        let policy = self.kernel.policy(service.index)?;
        let mut said = explain::explain(chosen, client, server, policy.seed);
        let flow = self.kernel.flows().entry(said.client, said.server);
        let ring = said.ring.as_ref().map(|name| self.ring_state(name));
        let running = self.running(service, chosen, &said, flow, ring, policy.paused != 0);
        said.because = format!("{}: {}", said.because, running.now);
        said.agent = Some(running);
        Ok(said)
    }

    fn ring_state(&self, name: &str) -> RingState {
        self.targeting.stopped().get(name).copied().unwrap_or(RingState::On)
    }

    fn running(
        &self,
        service: &Service,
        config: &config::Service,
        said: &Explanation,
        flow: Option<Flow>,
        ring: Option<RingState>,
        paused: bool,
    ) -> Running {
        let table = self.kernel.rules().table(service.index);
        let connection = flow.filter(|flow| flow.service == service.index).map(|flow| {
            let kept = table
                .rules
                .get(usize::from(flow.rule))
                .is_some_and(|rule| rule.generation == flow.generation);
            let index = table.index(flow.rule);
            let rule = (kept && (flow.rule == 0 || index.is_some())).then(|| config.rule_name(index));
            connection(&flow, rule)
        });
        let lease_left = self.kernel.control.lease_left();
        let caps = &config.caps;
        let decided = connection
            .as_ref()
            .map_or(if said.mirrored { "mirror" } else { "share_out" }, |one| &one.decision);
        let is_gone = connection.as_ref().is_some_and(|one| one.decided_by.is_none());
        let killed = self.kernel.control.is_killed();
        let now = if decided == "own" {
            "own"
        } else if decided == "share_out" || is_gone || said.share == "0%" {
            "share_out"
        } else if killed || paused || ring.is_some_and(|ring| ring != RingState::On) {
            "paused"
        } else if lease_left == 0 {
            "lease_expired"
        } else if decided == "capped" {
            "capped"
        } else {
            "cloned"
        };
        Running {
            now: now.into(),
            ring_state: ring.map(|ring| ring.as_str().into()),
            paused,
            killed,
            lease_left_s: lease_left as f64 * 1e-9,
            connections_open: self.kernel.buckets.open(service.index),
            caps: Caps {
                packets_per_second: caps.packets_per_second,
                bytes_per_second: caps.bytes_per_second,
                connections_per_second: caps.connections_per_second,
                connections: caps.connections,
                burst_s: caps.burst.as_secs_f64(),
            },
            connection,
        }
    }
}

fn connection(flow: &Flow, decided_by: Option<String>) -> Connection {
    let name = |names: &[(u8, &str)], value: u8| {
        names.iter().find(|(known, _)| *known == value).map_or("unknown", |(_, name)| *name).to_owned()
    };
    let decisions = [
        (decision::SHARE_OUT, "share_out"),
        (decision::MIRROR, "mirror"),
        (decision::CAPPED, "capped"),
        (decision::OWN, "own"),
        (decision::PROBE, "probe"),
    ];
    let phases = [(phase::IDLE, "idle"), (phase::REQUEST, "request"), (phase::RESPONSE, "response")];
    let marks = [(mark::COUNTED, "counted"), (mark::CUT, "cut"), (mark::HANDSHAKE, "handshake")];
    let marks = marks.into_iter().filter(|(bit, _)| flow.marks & bit != 0);
    Connection {
        decision: name(&decisions, flow.decision),
        decided_by,
        marks: marks.map(|(_, name)| name.to_owned()).collect(),
        phase: name(&phases, flow.phase),
        interfaces: flow.interface,
    }
}
