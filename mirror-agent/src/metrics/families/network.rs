//! What the network did: round trips, retransmits and resets, so that its time can be told from the server's.

use std::fmt;

use mirror_common::turn::round_trip;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::{counter, family, histogram};
use crate::agent::Agent;
use crate::service::{V1, V2, VERSIONS};
use crate::status::{Status, TcpSide};

/// The sides of a connection, by the kernel's index.
const SIDES: [&str; 2] = ["client", "server"];

/// Encodes the families of the network.
pub fn encode(agent: &Agent, status: &Status, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    round_trips(agent, encoder)?;
    let help = "Segments whose bytes had been sent before, by the side that sent them";
    counts(status, encoder, "mirror_tcp_retransmits", help, |side| side.retransmits)?;
    let help = "Connections that were reset, by the side that reset them";
    counts(status, encoder, "mirror_tcp_resets", help, |side| side.resets)
}

fn counts(
    status: &Status,
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    of: impl Fn(&TcpSide) -> u64,
) -> fmt::Result {
    let mut metric = family(encoder, name, help, MetricType::Counter)?;
    for service in &status.services {
        for (version, tcp) in &service.tcp {
            for (side, value) in SIDES.into_iter().zip([&tcp.client, &tcp.server]) {
                let labels = [("service", &*service.name), ("version", version), ("side", side)];
                counter(&mut metric, &labels, of(value))?;
            }
        }
    }
    Ok(())
}

fn round_trips(agent: &Agent, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Round trips of TCP between the tap and one side: of handshakes, and of later segments by their time \
                stamps, which hold what the peer delays its acknowledgements";
    let unit = Unit::Seconds;
    let mut metric =
        encoder.encode_descriptor("mirror_tcp_round_trip", help, Some(&unit), MetricType::Histogram)?;
    for service in agent.services.iter() {
        for version in [V1, V2] {
            for (kind, method) in (0..).zip(round_trip::NAMES) {
                for (side, side_name) in (0..).zip(SIDES) {
                    let round_trips = agent.kernel.histograms.round_trips(service.index, version, kind, side);
                    let labels = [
                        ("service", service.name.as_str()),
                        ("version", VERSIONS[usize::from(version)]),
                        ("side", side_name),
                        ("method", method),
                    ];
                    histogram(&mut metric, &labels, &round_trips)?;
                }
            }
        }
    }
    Ok(())
}
