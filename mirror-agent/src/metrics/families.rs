//! Every family: its name, its help, and where its values stand in the status.

mod chaos;
mod fence;
mod guards;
mod judge;
mod network;
mod probes;
mod rules;

use std::fmt;

use mirror_common::count::Packet;
use mirror_common::turn::{measure, outcome};
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use crate::agent::Agent;
use crate::compare::Part;
use crate::config::{Role, Share};
use crate::latency::Latency;
use crate::service::{V1, V2, VERSIONS};
use crate::status::{Condition, Service, State, Status};

/// Buckets an octave in the text format: half of the kernel's resolution is lost there, and a quarter of the series.
const PER_OCTAVE: u32 = 2;
/// Taps that have a series each; `mirror_taps` counts them all.
const TAPS: usize = 256;
/// What a version is.
fn role(service: &crate::service::Service, version: u8) -> &'static str {
    match (version, service.v2_role) {
        (V1, _) => "primary",
        (_, Role::Shadow) => "shadow",
        (_, Role::Observed) => "observed",
    }
}

/// Encodes all families.
pub fn encode(agent: &Agent, status: &Status, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
    build_info(status, &mut encoder)?;
    services(status, &mut encoder)?;
    rules::encode(status, &mut encoder)?;
    requests(status, &mut encoder)?;
    chaos::encode(agent, &mut encoder)?;
    packets(status, &mut encoder)?;
    turns(status, &mut encoder)?;
    losses(status, &mut encoder)?;
    taps(status, &mut encoder)?;
    super::cost::encode(&status.agent, &mut encoder)?;
    durations(agent, &mut encoder)?;
    within(agent, &mut encoder)?;
    judge::encode(agent, status, &mut encoder)?;
    guards::encode(status, &mut encoder)?;
    probes::encode(status, &mut encoder)?;
    network::encode(agent, status, &mut encoder)?;
    fence::encode(status, &mut encoder)
}

pub(super) fn family<'s>(
    encoder: &'s mut DescriptorEncoder<'_>,
    name: &'s str,
    help: &str,
    kind: MetricType,
) -> Result<MetricEncoder<'s>, fmt::Error> {
    encoder.encode_descriptor(name, help, None, kind)
}

pub(super) fn counter(
    metric: &mut MetricEncoder<'_>,
    labels: &impl EncodeLabelSet,
    value: u64,
) -> fmt::Result {
    metric.encode_family(labels)?.encode_counter::<NoLabelSet, u64, u64>(&value, None)
}

pub(super) fn gauge(metric: &mut MetricEncoder<'_>, labels: &impl EncodeLabelSet, value: f64) -> fmt::Result {
    metric.encode_family(labels)?.encode_gauge(&value)
}

fn build_info(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let mut metric = family(encoder, "mirror_build_info", "The agent's version", MetricType::Gauge)?;
    gauge(&mut metric, &[("version", status.agent.version.as_str())], 1.0)
}

fn services(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Share of connections that is mirrored where no rule names the client, 0 to 1";
    let mut metric = family(encoder, "mirror_share_ratio", help, MetricType::Gauge)?;
    for service in &status.services {
        let share = service.share.parse().unwrap_or(Share::ZERO);
        gauge(&mut metric, &name(service), f64::from(share.ppm()) * 1e-6)?;
    }
    let help = "What the mirror of a service does: 1 for its state, 0 for every other";
    let mut metric = family(encoder, "mirror_state", help, MetricType::Gauge)?;
    for service in &status.services {
        for (state, label) in State::ALL {
            let labels = [("service", service.name.as_str()), ("state", label)];
            gauge(&mut metric, &labels, f64::from(u8::from(service.state == state)))?;
        }
    }
    let help = "Places in which the answers of v1 and v2 differ, by part of the answer";
    let mut metric = family(encoder, "mirror_differences", help, MetricType::Counter)?;
    for service in &status.services {
        for part in Part::ALL {
            let labels = [("service", service.name.as_str()), ("part", part.as_str())];
            counter(&mut metric, &labels, service.differences.of(part))?;
        }
    }
    hidden(status, encoder)?;
    undecodable(status, encoder)
}

fn hidden(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Differences that a rule hid, by its name: they are not among the differences";
    let mut metric = family(encoder, "mirror_hidden_differences", help, MetricType::Counter)?;
    for service in &status.services {
        for (rule, value) in &service.hidden_differences {
            counter(&mut metric, &[("service", &*service.name), ("rule", rule)], *value)?;
        }
    }
    let help = "Exchanges that differ, and for whose route there was no room among those that are learned";
    let mut metric = family(encoder, "mirror_other_routes", help, MetricType::Counter)?;
    for service in &status.services {
        counter(&mut metric, &name(service), service.other_routes)?;
    }
    Ok(())
}

fn undecodable(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Bodies that could not be decoded, by reason: both versions' were compared as they were sent";
    let mut metric = family(encoder, "mirror_undecodable_bodies", help, MetricType::Counter)?;
    for service in &status.services {
        for (version, reasons) in &service.undecodable_bodies {
            for (reason, value) in reasons {
                let labels = [("service", &*service.name), ("version", version), ("reason", reason)];
                counter(&mut metric, &labels, *value)?;
            }
        }
    }
    Ok(())
}

fn name(service: &Service) -> [(&'static str, &str); 1] {
    [("service", service.name.as_str())]
}

fn requests(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Requests by how they ended; together with those in progress they are all that were seen";
    let mut metric = family(encoder, "mirror_requests", help, MetricType::Counter)?;
    for service in &status.services {
        for (end, reason, value) in ends(service) {
            let labels = [("service", service.name.as_str()), ("end", end), ("reason", reason)];
            counter(&mut metric, &labels, value)?;
        }
    }
    let help = "Requests that were seen";
    let mut metric = family(encoder, "mirror_requests_seen", help, MetricType::Counter)?;
    for service in &status.services {
        counter(&mut metric, &name(service), service.requests.seen)?;
    }
    let help = "Requests that have not ended";
    let mut metric = family(encoder, "mirror_requests_in_progress", help, MetricType::Gauge)?;
    for service in &status.services {
        gauge(&mut metric, &name(service), service.requests.in_progress as f64)?;
    }
    Ok(())
}

fn ends(service: &Service) -> Vec<(&str, &str, u64)> {
    let requests = &service.requests;
    let mut ends = vec![("compared", "", requests.compared), ("v1_unanswered", "", requests.v1_unanswered)];
    for (end, reasons) in [
        ("v2_failed", &requests.v2_failed),
        ("faulted", &requests.faulted),
        ("shed", &requests.shed),
        ("unselected", &requests.unselected),
        ("unmirrorable", &requests.unmirrorable),
    ] {
        ends.extend(reasons.iter().map(|(reason, count)| (end, reason.as_str(), *count)));
    }
    ends
}

fn packets(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let families = [
        ("mirror_packets", "Packets of v1 by what the tap did with them; matched is the sum of the others"),
        (
            "mirror_bytes",
            "Bytes of v1's packets by what the tap did with them; matched is the sum of the others",
        ),
    ];
    for (index, (family_name, help)) in families.into_iter().enumerate() {
        let mut metric = family(encoder, family_name, help, MetricType::Counter)?;
        for service in &status.services {
            let counts: [u64; Packet::COUNT] =
                if index == 0 { service.packets } else { service.bytes }.into();
            for (result, value) in Packet::NAMES.into_iter().zip(counts) {
                counter(&mut metric, &[("service", service.name.as_str()), ("result", result)], value)?;
            }
        }
    }
    let help = "What a ledger does not account for; must read 0";
    let mut metric = family(encoder, "mirror_ledger_imbalance", help, MetricType::Gauge)?;
    for service in &status.services {
        let imbalance = service.ledger_imbalance;
        for (layer, value) in
            [("kernel", imbalance.kernel), ("intake", imbalance.intake), ("requests", imbalance.requests)]
        {
            gauge(&mut metric, &[("service", service.name.as_str()), ("layer", layer)], value as f64)?;
        }
    }
    Ok(())
}

fn turns(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Turns by whether their latency is certain; only recorded ones are in the histograms";
    let mut metric = family(encoder, "mirror_turns", help, MetricType::Counter)?;
    for service in &status.services {
        for (version, turns) in &service.turns {
            let mut add = |result: &str, reason: &str, value| {
                let labels = [
                    ("service", &*service.name),
                    ("version", version),
                    ("result", result),
                    ("reason", reason),
                ];
                counter(&mut metric, &labels, value)
            };
            add("recorded", "", turns.recorded)?;
            add("expired", "", turns.expired)?;
            add("evicted", "", turns.evicted)?;
            for (reason, value) in &turns.ambiguous {
                add("ambiguous", reason, *value)?;
            }
        }
    }
    Ok(())
}

fn losses(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Clones that were lost before they were read, by where";
    let mut metric = family(encoder, "mirror_dropped", help, MetricType::Counter)?;
    let intake = &status.agent.intake;
    counter(&mut metric, &[("where", "link")], intake.link_dropped)?;
    counter(&mut metric, &[("where", "ring")], intake.ring_dropped)?;
    let help = "Connections that were not followed from their beginning to their end, by reason";
    let mut metric = family(encoder, "mirror_partial_connections", help, MetricType::Counter)?;
    for (reason, value) in &status.agent.connections {
        counter(&mut metric, &[("reason", reason.as_str())], *value)?;
    }
    let help = "Packets that the taps passed without matching them, by reason";
    let mut metric = family(encoder, "mirror_skipped_packets", help, MetricType::Counter)?;
    for (reason, value) in &status.agent.skipped_packets {
        counter(&mut metric, &[("reason", reason.as_str())], *value)?;
    }
    if let Some(latency) = status.agent.kill_latency_s {
        let help = "From the last kill command to the last clone after it";
        let unit = Unit::Seconds;
        encoder
            .encode_descriptor("mirror_kill_latency", help, Some(&unit), MetricType::Gauge)?
            .encode_gauge(&latency)?;
    }
    Ok(())
}

fn taps(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Where the taps are, and how many programs and filters come before each: 1, or 0 for one that was removed";
    let mut metric = family(encoder, "mirror_attach_info", help, MetricType::Gauge)?;
    for tap in status.agent.taps.iter().take(TAPS) {
        let position = tap.position.map_or(String::new(), |position| position.to_string());
        let labels = [
            ("interface", tap.interface.as_str()),
            ("hook", tap.hook.as_str()),
            ("mechanism", tap.mechanism.as_str()),
            ("position", position.as_str()),
        ];
        gauge(&mut metric, &labels, f64::from(u8::from(tap.condition != Condition::Removed)))?;
    }
    let help = "Taps by how they stand: preceded ones may be blind, removed ones are";
    let mut metric = family(encoder, "mirror_taps", help, MetricType::Gauge)?;
    for (condition, label) in Condition::ALL {
        let count = status.agent.taps.iter().filter(|tap| tap.condition == condition).count();
        gauge(&mut metric, &[("condition", label)], count as f64)?;
    }
    let help = "Changes at the taps, by what happened";
    let mut metric = family(encoder, "mirror_attach_changes", help, MetricType::Counter)?;
    for (reason, value) in &status.agent.attach_changes {
        counter(&mut metric, &[("reason", reason.as_str())], *value)?;
    }
    Ok(())
}

fn durations(agent: &Agent, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help =
        "Turns timed in the kernel: ttfb is last request byte to first response byte, total is first to last";
    let unit = Unit::Seconds;
    let mut metric =
        encoder.encode_descriptor("mirror_request_duration", help, Some(&unit), MetricType::Histogram)?;
    for service in agent.services.iter() {
        for version in [V1, V2] {
            for (measure, phase) in (0..).zip(measure::NAMES) {
                for (outcome, outcome_name) in (0..).zip(outcome::NAMES) {
                    let latency = agent.kernel.histograms.read(service.index, version, measure, outcome);
                    let labels = [
                        ("service", service.name.as_str()),
                        ("version", VERSIONS[usize::from(version)]),
                        ("role", role(service, version)),
                        ("phase", phase),
                        ("outcome", outcome_name),
                    ];
                    histogram(&mut metric, &labels, &latency)?;
                }
            }
        }
    }
    Ok(())
}

/// Exact where the buckets are not: a bound need not be one of theirs.
fn within(agent: &Agent, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Turns that took no longer than one of the service's thresholds (in seconds)";
    let mut metric = family(encoder, "mirror_requests_within", help, MetricType::Counter)?;
    for service in agent.services.iter() {
        let thresholds = agent.kernel.policy(service.index).map_err(|_| fmt::Error)?.thresholds;
        for version in [V1, V2] {
            for (measure, phase) in (0..).zip(measure::NAMES) {
                for (outcome, outcome_name) in (0..).zip(outcome::NAMES) {
                    let under = agent.kernel.histograms.under(service.index, version, measure, outcome);
                    for (ns, value) in thresholds.iter().zip(under).take_while(|(ns, _)| **ns != 0) {
                        let threshold = (*ns as f64 * 1e-9).to_string();
                        let labels = [
                            ("service", service.name.as_str()),
                            ("version", VERSIONS[usize::from(version)]),
                            ("phase", phase),
                            ("outcome", outcome_name),
                            ("threshold", threshold.as_str()),
                        ];
                        counter(&mut metric, &labels, value)?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn histogram(metric: &mut MetricEncoder<'_>, labels: &impl EncodeLabelSet, latency: &Latency) -> fmt::Result {
    let mut before = 0;
    let buckets: Vec<(f64, u64)> = latency
        .cumulative(PER_OCTAVE)
        .into_iter()
        .map(|(bound, below)| {
            let within = below - before;
            before = below;
            (bound, within)
        })
        .collect();
    let sum = latency.sum_ns as f64 * 1e-9;
    metric.encode_family(labels)?.encode_histogram::<NoLabelSet>(sum, latency.count(), &buckets, None)
}
