//! What is said of v2, and what it is based on.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::{counter, family, gauge, histogram};
use crate::agent::Agent;
use crate::judge::Outcome;
use crate::status::Status;

/// Encodes the families of the judge.
pub fn encode(agent: &Agent, status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "What is said of v2 since the start: 1 for that, 0 for every other";
    let mut metric = family(encoder, "mirror_verdict", help, MetricType::Gauge)?;
    for service in &status.services {
        for outcome in Outcome::ALL {
            let labels = [("service", service.name.as_str()), ("verdict", outcome.as_str())];
            gauge(&mut metric, &labels, f64::from(u8::from(service.verdict.verdict == outcome)))?;
        }
    }
    let help = "Requests that were asked a second time, to tell noise from change, by how that ended";
    let mut metric = family(encoder, "mirror_second_answers", help, MetricType::Counter)?;
    for service in &status.services {
        for (result, value) in &service.second_answers {
            counter(&mut metric, &[("service", &*service.name), ("result", result)], *value)?;
        }
    }
    deltas(agent, encoder)
}

fn deltas(agent: &Agent, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "How much later than v1's the first byte of v2's answer to the same request came (slower), or earlier \
                (faster): v1 timed by packets, v2 over our own way";
    let unit = Unit::Seconds;
    let mut metric =
        encoder.encode_descriptor("mirror_pair_delta", help, Some(&unit), MetricType::Histogram)?;
    for service in agent.services.iter() {
        let deltas = service.judging.deltas();
        for (sign, latency) in [("slower", &deltas.slower), ("faster", &deltas.faster)] {
            histogram(&mut metric, &[("service", service.name.as_str()), ("sign", sign)], latency)?;
        }
    }
    Ok(())
}
