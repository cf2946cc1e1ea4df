//! The families of what the agent itself takes, and of the tunnel.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType::{Counter, Gauge};

use super::families::{counter, family, gauge};
use crate::status::{Agent, Blocks, Cost, Programs};

/// Encodes them.
pub(super) fn encode(agent: &Agent, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    process(&agent.cost, encoder)?;
    if let Some(programs) = &agent.cost.programs {
        run_times(programs, encoder)?;
    }
    maps(&agent.cost, encoder)?;
    ring(&agent.cost.ring, encoder)?;
    let help = "Clones longer than a block of the packet ring, of which the end was not read";
    counter(&mut family(encoder, "mirror_truncated_frames", help, Counter)?, &NONE, agent.intake.truncated)?;
    tunnel(agent, encoder)
}

const NONE: [(&str, &str); 0] = [];

fn process(cost: &Cost, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Time that processors spent on the agent's threads, in seconds";
    family(encoder, "process_cpu_seconds", help, Counter)?
        .encode_counter::<NoLabelSet, f64, f64>(&cost.cpu_s, None)?;
    let help = "Memory of the agent, in bytes";
    gauge(
        &mut family(encoder, "process_resident_memory_bytes", help, Gauge)?,
        &NONE,
        cost.memory_bytes as f64,
    )
}

fn run_times(programs: &Programs, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Time that the kernel programs were measured for; about a second of every minute";
    family(encoder, "mirror_program_sampled_seconds", help, Counter)?
        .encode_counter::<NoLabelSet, f64, f64>(&programs.sampled_s, None)?;
    let help = "Run time of a kernel program over all processors, in the sampled seconds only (see mirror_program_sampled_seconds_total)";
    let mut metric = family(encoder, "mirror_program_run_seconds", help, Counter)?;
    for (name, program) in &programs.by_name {
        metric
            .encode_family(&[("program", name.as_str())])?
            .encode_counter::<NoLabelSet, f64, f64>(&program.run_s, None)?;
    }
    let help =
        "Runs of a kernel program, in the sampled seconds only (see mirror_program_sampled_seconds_total)";
    let mut metric = family(encoder, "mirror_program_runs", help, Counter)?;
    for (name, program) in &programs.by_name {
        counter(&mut metric, &[("program", name.as_str())], program.runs)?;
    }
    Ok(())
}

fn maps(cost: &Cost, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Entries in a table of the kernel; those of flows are counted every 30 s";
    let mut metric = family(encoder, "mirror_map_entries", help, Gauge)?;
    for (name, level) in &cost.maps {
        gauge(&mut metric, &[("map", name.as_str())], level.entries as f64)?;
    }
    let help = "Entries that a table of the kernel holds at most";
    let mut metric = family(encoder, "mirror_map_max_entries", help, Gauge)?;
    for (name, level) in &cost.maps {
        gauge(&mut metric, &[("map", name.as_str())], level.max as f64)?;
    }
    Ok(())
}

fn ring(blocks: &Blocks, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Blocks of the packet rings: waiting to be read, or free for the kernel to fill";
    let mut metric = family(encoder, "mirror_ring_blocks", help, Gauge)?;
    gauge(&mut metric, &[("state", "waiting")], blocks.waiting as f64)?;
    gauge(&mut metric, &[("state", "free")], blocks.all.saturating_sub(blocks.waiting) as f64)?;
    let help = "The most blocks that have waited at once in one packet ring";
    gauge(&mut family(encoder, "mirror_ring_blocks_highest", help, Gauge)?, &NONE, blocks.highest as f64)?;
    let help = "Blocks of one packet ring";
    gauge(&mut family(encoder, "mirror_ring_blocks_max", help, Gauge)?, &NONE, blocks.of_one as f64)
}

fn tunnel(agent: &Agent, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let Some(tunnel) = &agent.tunnel else { return Ok(()) };
    let help = "Clones that the tunnel could and could not send; those that offload has merged count once";
    let mut metric = family(encoder, "mirror_tunnel_packets", help, Counter)?;
    counter(&mut metric, &[("result", "sent")], tunnel.sent)?;
    counter(&mut metric, &[("result", "failed")], tunnel.failed)?;
    let help = "Clones too long for one packet of the tunnel: over IPv4 they leave in fragments, over IPv6 they fail";
    counter(&mut family(encoder, "mirror_tunnel_oversize", help, Counter)?, &NONE, tunnel.oversize)
}
