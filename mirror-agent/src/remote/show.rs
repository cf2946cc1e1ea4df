//! The status for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};

use super::guards;
use crate::differences::Totals;
use crate::explain::{Explanation, Running};
use crate::status::{Condition, Latencies, Quantiles, Requests, Rule, Service, Status, Tap, Tunnel};

/// The status as text, with a line end.
pub fn status(status: &Status) -> String {
    let mut text = String::new();
    for tap in &status.agent.taps {
        row("tap", format!("{} {} ({}{})", tap.interface, tap.hook, tap.mechanism, place(tap)), &mut text);
    }
    if status.agent.attach_changes.values().any(|count| *count > 0) {
        row("changes", reasons_of(&status.agent.attach_changes), &mut text);
    }
    let intake = &status.agent.intake;
    let _ = writeln!(
        text,
        "clones    {} to {}, {} read, {} lost by the link, {} by the ring",
        intake.cloned, status.agent.shadow_interface, intake.read, intake.link_dropped, intake.ring_dropped
    );
    if let Some(tunnel) = &status.agent.tunnel {
        let Tunnel { remote, vni, sent, failed, oversize, .. } = tunnel;
        let _ = writeln!(
            text,
            "tunnel    to {remote}, VNI {vni}: {sent} sent, {failed} failed, {oversize} too long for one packet"
        );
    }
    for ring in &status.agent.rings {
        row(
            "ring",
            format!("{} · {} · {} prefixes", ring.name, ring.state.as_str(), ring.prefixes),
            &mut text,
        );
    }
    guards::of_agent(&status.agent.guards, &mut text);
    status.services.iter().for_each(|one| service(one, &mut text));
    text
}

/// Where a tap stands; loud where it may be blind.
fn place(tap: &Tap) -> String {
    match (tap.condition, tap.position) {
        (Condition::Removed, _) => ", REMOVED: it sees nothing".into(),
        (Condition::Preceded, Some(before)) => format!(", PRECEDED by {before}: it may be blind"),
        (_, Some(position)) => format!(", place {position} in the chain"),
        (_, None) => String::new(),
    }
}

/// Why a connection is mirrored or not, with a line end.
pub fn explanation(said: &Explanation) -> String {
    let mut text = format!("{} to {}, service {}\n", said.client, said.server, said.service);
    for step in &said.rules {
        let mark = if step.matched { "*" } else { " " };
        let _ = writeln!(text, "{mark} {:<9} {:>8}  {}", step.rule, step.share, step.why);
    }
    row("hash", format!("{:#010x}", said.hash), &mut text);
    row("so", said.because.clone(), &mut text);
    let Some(agent) = &said.agent else { return text };
    if let (Some(ring), Some(state)) = (&said.ring, &agent.ring_state) {
        row("ring", format!("{ring} is {state}"), &mut text);
    }
    row("lease", format!("holds for {:.1} s", agent.lease_left_s), &mut text);
    row("caps", caps(agent), &mut text);
    let known = agent.connection.as_ref().map_or("none between these ends".into(), |one| {
        let by = one.decided_by.as_deref().unwrap_or("a rule that is gone");
        let marks =
            if one.marks.is_empty() { String::new() } else { format!(" · {}", one.marks.join(", ")) };
        let [client, server] = one.interfaces;
        format!("{} by {by}{marks} · {} · interfaces {client} and {server}", one.decision, one.phase)
    });
    row("known", known, &mut text);
    text
}

fn caps(agent: &Running) -> String {
    let caps = &agent.caps;
    let some: Vec<_> = [
        (caps.packets_per_second, "packets/s"),
        (caps.bytes_per_second, "bytes/s"),
        (caps.connections_per_second, "connections/s"),
        (caps.connections.map(u64::from), "connections at once"),
    ]
    .into_iter()
    .filter_map(|(cap, what)| Some(format!("{} {what}", cap?)))
    .collect();
    let some = if some.is_empty() { "none".into() } else { some.join(", ") };
    format!("{some}; {} mirrored connections open", agent.connections_open)
}

fn service(service: &Service, text: &mut String) {
    let imbalance = &service.ledger_imbalance;
    let state = format!("{} · share {} · {:?}", service.name, service.share, service.state).to_lowercase();
    row("\nservice", state, text);
    if service.rules.len() > 1 {
        service.rules.iter().for_each(|one| row("rule", rule(one), text));
    }
    guards::of_service(&service.guards, text);
    service.fence.iter().for_each(|fence| guards::fence(fence, text));
    row("open", format!("{} mirrored connections", service.connections_open), text);
    requests(&service.requests, &service.differences, text);
    hidden(&service.hidden_differences, text);
    undecoded(&service.undecodable_bodies, text);
    let verdict = &service.verdict;
    let because = verdict.reasons.first().map_or(String::new(), |reason| format!(": {reason}"));
    row("verdict", format!("{}{because}", verdict.verdict), text);
    let balanced = (imbalance.kernel, imbalance.intake, imbalance.requests) == (0, 0, 0);
    row("ledger", if balanced { "balanced".into() } else { format!("NOT BALANCED: {imbalance:?}") }, text);
    let _ = writeln!(text, "{}", latencies(&service.latency));
}

fn rule(rule: &Rule) -> String {
    let Rule { rule: name, share, named, mirrored, share_out, capped, cut, .. } = rule;
    format!(
        "{name} · share {share} · {named} connections: {mirrored} mirrored ({cut} cut), {share_out} outside, {capped} capped"
    )
}

/// A row of the rules that hid differences, if any did.
pub(crate) fn hidden(rules: &BTreeMap<String, u64>, text: &mut String) {
    if !rules.is_empty() {
        row("hidden", reasons_of(rules), text);
    }
}

/// A row for each version of which bodies could not be decoded.
pub(crate) fn undecoded(bodies: &BTreeMap<String, BTreeMap<String, u64>>, text: &mut String) {
    for (version, reasons) in bodies {
        if reasons.values().any(|count| *count > 0) {
            row("undecoded", format!("{version}: {}", reasons_of(reasons)), text);
        }
    }
}

/// The rows that say how requests ended and what differed.
pub(crate) fn requests(requests: &Requests, differences: &Totals, text: &mut String) {
    row("requests", format!("{} seen, {} compared", requests.seen, requests.compared), text);
    for (name, reasons) in [
        ("v2 failed", &requests.v2_failed),
        ("shed", &requests.shed),
        ("not asked", &requests.unselected),
        ("unread", &requests.unmirrorable),
    ] {
        row(name, reasons_of(reasons), text);
    }
    if requests.faulted.values().any(|count| *count > 0) {
        row("faulted", reasons_of(&requests.faulted), text);
    }
    let rest = format!("{} unanswered by v1, {} in progress", requests.v1_unanswered, requests.in_progress);
    row("", rest, text);
    let Totals { status, header, body, missing } = differences;
    row("differ", format!("{status} status, {header} header, {body} body, {missing} missing"), text);
}

/// A name and what there is to say of it, in a line.
pub(crate) fn row(name: &str, value: String, text: &mut String) {
    let _ = writeln!(text, "{name:<9} {value}");
}

fn reasons_of(reasons: &BTreeMap<String, u64>) -> String {
    let some: Vec<_> = reasons
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    if some.is_empty() { "0".into() } else { some.join(", ") }
}

/// The latencies of each version.
pub(crate) fn latencies(latency: &BTreeMap<String, Latencies>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["latency", "", "turns", "p50", "p90", "p99", "p99.9"]);
    for (version, latencies) in latency {
        for (phase, quantiles) in [("ttfb", &latencies.ttfb), ("total", &latencies.total)] {
            table.add_row(quantiles_of(version, phase, quantiles));
        }
    }
    table.column_iter_mut().skip(2).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn quantiles_of(version: &str, phase: &str, quantiles: &Quantiles) -> [String; 7] {
    let time = |seconds: Option<f64>| seconds.map_or("-".into(), duration);
    [
        version.into(),
        phase.into(),
        quantiles.count.to_string(),
        time(quantiles.p50_s),
        time(quantiles.p90_s),
        time(quantiles.p99_s),
        time(quantiles.p999_s),
    ]
}

/// Three figures and a unit that fits.
pub(crate) fn duration(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s => (s * 1e6, "µs"),
    };
    let decimals = if value >= 99.95 {
        0
    } else if value >= 9.995 {
        1
    } else {
        2
    };
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_three_figures() {
        let cases = [
            (1.5e-6, "1.50 µs"),
            (0.000_123_4, "123 µs"),
            (0.0153, "15.3 ms"),
            (2.0, "2.00 s"),
            (120.0, "120 s"),
        ];
        for (seconds, expect) in cases {
            assert_eq!(duration(seconds), expect);
        }
    }
}
