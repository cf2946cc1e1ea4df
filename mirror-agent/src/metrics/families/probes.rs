//! The probes, in the names of the blackbox exporter: the last run of each, and how often it ended how.
//!
//! A phase that was not reached, and a status that was not sent, have no sample: a 0 would be a lie.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::{counter, family, gauge};
use crate::probe::Ended;
use crate::status::Status;
use crate::status::probes::{Last, Version};

/// Probes at a version that have series: with three phases each, as many as a family may have.
const LEGS: usize = 256 / 3;
/// Series of a family.
const SERIES: usize = 256;

/// A probe at one version.
struct Leg<'a> {
    labels: [(&'static str, &'a str); 3],
    version: &'a Version,
}

/// Encodes the families of the probes; none without probes.
pub fn encode(status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let legs = legs(status);
    if legs.is_empty() {
        return Ok(());
    }
    let help = "1 if the last run of a probe was answered as expected, 0 if not";
    last(&legs, encoder, "mirror_probe_success", help, |last| Some(flag(last.result == Ended::Success)))?;
    let help = "The status that the last run of a probe was answered with; absent without an answer";
    last(&legs, encoder, "mirror_probe_status_code", help, |last| last.status.map(f64::from))?;
    durations(&legs, encoder)?;
    let help = "Runs of a probe by how they ended";
    let mut metric = family(encoder, "mirror_probes", help, MetricType::Counter)?;
    let runs = legs
        .iter()
        .flat_map(|leg| leg.version.results.iter().map(move |(result, count)| (leg, result, count)));
    for (leg, result, count) in runs.take(SERIES) {
        counter(&mut metric, &leg.with("result", result), *count)?;
    }
    Ok(())
}

fn durations(legs: &[Leg<'_>], encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "How long the phases of the last run of a probe took; one that was not reached is absent";
    let unit = Unit::Seconds;
    let mut metric =
        encoder.encode_descriptor("mirror_probe_duration", help, Some(&unit), MetricType::Gauge)?;
    for leg in legs {
        for (phase, took) in leg.version.last.iter().flat_map(|last| &last.duration_s) {
            gauge(&mut metric, &leg.with("phase", phase), *took)?;
        }
    }
    Ok(())
}

fn last(
    legs: &[Leg<'_>],
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    of: impl Fn(&Last) -> Option<f64>,
) -> fmt::Result {
    let mut metric = family(encoder, name, help, MetricType::Gauge)?;
    for leg in legs {
        if let Some(value) = leg.version.last.as_ref().and_then(&of) {
            gauge(&mut metric, &leg.labels, value)?;
        }
    }
    Ok(())
}

fn legs(status: &Status) -> Vec<Leg<'_>> {
    let probes =
        status.services.iter().flat_map(|service| service.probes.iter().map(move |probe| (service, probe)));
    let legs = probes.flat_map(|(service, probe)| {
        probe.versions.iter().map(move |(name, version)| Leg {
            labels: [("service", &*service.name), ("version", name), ("probe", &*probe.name)],
            version,
        })
    });
    legs.take(LEGS).collect()
}

impl<'a> Leg<'a> {
    fn with(&self, key: &'static str, value: &'a str) -> impl EncodeLabelSet {
        let [service, version, probe] = self.labels;
        [service, version, probe, (key, value)]
    }
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}
