//! Rules, rings, mirrored connections and reloads.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use super::{counter, family, gauge, name};
use crate::config::Share;
use crate::status::{RingState, Rule, Service, Status};

/// Encodes these families.
pub fn encode(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    connections(status, encoder)?;
    shares(status, encoder)?;
    reloads(status, encoder)
}

fn connections(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "New connections of v1 by the rule that decided: mirrored, share_out or capped; cut are those of mirrored that a cap broke off";
    let mut metric = family(encoder, "mirror_connections", help, MetricType::Counter)?;
    for service in &status.services {
        for (rule, counts) in by_name(service) {
            for (result, value) in ["mirrored", "share_out", "capped", "cut"].into_iter().zip(counts) {
                counter(
                    &mut metric,
                    &[("service", service.name.as_str()), ("rule", rule), ("result", result)],
                    value,
                )?;
            }
        }
    }
    let help = "Mirrored connections that are open";
    let mut metric = family(encoder, "mirror_connections_open", help, MetricType::Gauge)?;
    for service in &status.services {
        gauge(&mut metric, &name(service), service.connections_open as f64)?;
    }
    Ok(())
}

/// Two rules may name one ring: they are one series.
fn by_name(service: &Service) -> BTreeMap<&str, [u64; 4]> {
    let mut all: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
    for Rule { rule, mirrored, share_out, capped, cut, .. } in &service.rules {
        let sum = all.entry(rule).or_default();
        sum.iter_mut().zip([mirrored, share_out, capped, cut]).for_each(|(to, from)| *to += from);
    }
    all
}

fn shares(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help =
        "Share of the connections that a rule names, 0 to 1; of several rules with one ring the largest";
    let mut metric = family(encoder, "mirror_rule_share_ratio", help, MetricType::Gauge)?;
    for service in &status.services {
        let mut shares: BTreeMap<&str, u32> = BTreeMap::new();
        for rule in &service.rules {
            let share = rule.share.parse().unwrap_or(Share::ZERO).ppm();
            let largest = shares.entry(&rule.rule).or_default();
            *largest = share.max(*largest);
        }
        for (rule, share) in shares {
            let labels = [("service", service.name.as_str()), ("rule", rule)];
            gauge(&mut metric, &labels, f64::from(share) * 1e-6)?;
        }
    }
    let help = "1 while a ring is cloned as the shares say, 0 while it is paused or killed";
    let mut metric = family(encoder, "mirror_ring_on", help, MetricType::Gauge)?;
    for ring in &status.agent.rings {
        gauge(
            &mut metric,
            &[("ring", ring.name.as_str())],
            f64::from(u8::from(ring.state == RingState::On)),
        )?;
    }
    Ok(())
}

fn reloads(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let reloads = status.agent.reloads;
    let help = "Reloads of the config by what came of them";
    let mut metric = family(encoder, "mirror_config_reloads", help, MetricType::Counter)?;
    counter(&mut metric, &[("result", "success")], reloads.success)?;
    counter(&mut metric, &[("result", "refused")], reloads.refused)?;
    let help = "Whether the last reload of the config took effect; 1 before the first";
    family(encoder, "mirror_config_last_reload_successful", help, MetricType::Gauge)?
        .encode_gauge(&f64::from(u8::from(reloads.last_successful)))
}
