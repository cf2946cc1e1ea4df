//! The faults that experiments make.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use super::{counter, family, gauge};
use crate::agent::Agent;
use crate::chaos::Kind;

pub(super) fn encode(agent: &Agent, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let counts: Vec<_> =
        agent.targets.iter().map(|target| (target.service.name.as_str(), target.faults.counts())).collect();
    let help = "Requests to v2 that met a fault which an experiment made, by the fault";
    let mut metric = family(encoder, "mirror_faults", help, MetricType::Counter)?;
    for (service, counts) in &counts {
        for (fault, met) in Kind::NAMES.into_iter().zip(counts.met) {
            counter(&mut metric, &[("service", *service), ("fault", fault)], met)?;
        }
    }
    let help = "Requests that went unharmed, because as many as an experiment allows were held by a fault";
    let mut metric = family(encoder, "mirror_faults_overflow", help, MetricType::Counter)?;
    for (service, counts) in &counts {
        counter(&mut metric, &[("service", *service)], counts.overflow)?;
    }
    let help = "Requests to v2 that a fault holds now";
    let mut metric = family(encoder, "mirror_faults_active", help, MetricType::Gauge)?;
    for (service, counts) in &counts {
        gauge(&mut metric, &[("service", *service)], counts.active as f64)?;
    }
    Ok(())
}
