//! The brakes: how near they are, and what they have stopped.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::{counter, family, gauge};
use crate::guard::Reason;
use crate::status::guards::Guards;
use crate::status::{Service, Status};

/// Encodes the families of the guards.
pub fn encode(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    aborts(status, encoder)?;
    burns(status, encoder)?;
    budgets(status, encoder)?;
    preflights(status, encoder)?;
    switchbacks(status, encoder)
}

fn aborts(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "How often a guard has stopped a service, or everything, by reason";
    let mut metric = family(encoder, "mirror_aborts", help, MetricType::Counter)?;
    for reason in Reason::ALL {
        let count = status.agent.guards.aborts.get(reason.as_str()).copied().unwrap_or(0);
        counter(&mut metric, &[("reason", reason.as_str())], count)?;
    }
    if let Some(latency) = status.agent.guards.abort_latency_s {
        let help = "From the evidence of the last abort to the last clone";
        let unit = Unit::Seconds;
        let mut metric =
            encoder.encode_descriptor("mirror_abort_latency", help, Some(&unit), MetricType::Gauge)?;
        let none: [(&str, &str); 0] = [];
        gauge(&mut metric, &none, latency)?;
    }
    Ok(())
}

fn burns(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help =
        "How many times faster than its objective allows v1 spends its error budget, by window and its part";
    let mut metric = family(encoder, "mirror_burn_rate", help, MetricType::Gauge)?;
    for service in &status.services {
        for burn in &service.guards.burns {
            for (part, rate) in [("long", burn.long), ("short", burn.short)] {
                let labels = [("service", &*service.name), ("window", &*burn.window), ("part", part)];
                gauge(&mut metric, &labels, rate)?;
            }
        }
    }
    Ok(())
}

fn budgets(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let standing = |guards: &Guards| guards.budget;
    let help = "What is left of v1's error budget as a share of it; below 0 when it is overspent";
    each(status, encoder, "mirror_error_budget_remaining_ratio", help, |guards| {
        standing(guards).map(|standing| standing.remaining_ratio)
    })?;
    let help = "Bad events of v1 that the mirror is to blame for, since somebody last granted more";
    each(status, encoder, "mirror_experiment_spent_events", help, |guards| {
        standing(guards).map(|standing| standing.spent as f64)
    })?;
    let help = "How many bad events of v1 the mirror may be to blame for";
    each(status, encoder, "mirror_experiment_allowed_events", help, |guards| {
        standing(guards).map(|standing| standing.allowance)
    })
}

fn preflights(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "1 if what must be known before the first clone is, by item";
    let mut metric = family(encoder, "mirror_preflight_met", help, MetricType::Gauge)?;
    for service in &status.services {
        for item in &service.guards.preflight {
            let labels = [("service", service.name.as_str()), ("item", item.name.as_str())];
            gauge(&mut metric, &labels, f64::from(u8::from(item.is_met)))?;
        }
    }
    Ok(())
}

fn switchbacks(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "How many times likelier what v1 did is if the mirror harms it; at mirror_switchback_needed it is stopped";
    each(status, encoder, "mirror_switchback_evidence", help, |guards| {
        guards.switchback.as_ref().map(|finding| finding.evidence)
    })?;
    let help = "Pairs of blocks with and without the mirror that are over";
    each(status, encoder, "mirror_switchback_pairs", help, |guards| {
        guards.switchback.as_ref().map(|finding| finding.pairs as f64)
    })
}

/// One gauge for each service that has it.
fn each(
    status: &Status,
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    of: impl Fn(&Guards) -> Option<f64>,
) -> fmt::Result {
    let mut metric = family(encoder, name, help, MetricType::Gauge)?;
    let value = |service: &Service| of(&service.guards);
    for (service, value) in status.services.iter().filter_map(|service| Some((service, value(service)?))) {
        gauge(&mut metric, &[("service", service.name.as_str())], value)?;
    }
    Ok(())
}
