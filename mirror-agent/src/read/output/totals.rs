//! The totals for people: a table of paths, where everything went, and loudly what is missing.

use std::collections::BTreeMap;
use std::fmt::Write;

use anstyle::AnsiColor;
use bytesize::ByteSize;
use comfy_table::{CellAlignment, Table, presets};

use super::shown::shown;
use super::text::styled;
use crate::latency::Latency;
use crate::read::paths::Row;
use crate::read::summary::{Fates, Summary};
use crate::remote::show;

/// Rows of the table. JSON has all of them.
const ROWS: usize = 50;
/// Characters of a host and of a template.
const NAME: usize = 80;

/// Appends the totals.
pub(super) fn push(summary: &Summary, colour: bool, to: &mut String) {
    table(summary, to);
    let count = |count: u64| count.to_string();
    fates("frames", &summary.frames, count, to);
    fates("segments", &summary.segments, count, to);
    fates("bytes", &summary.payload_bytes, |bytes| ByteSize(bytes).to_string(), to);
    fates("connections", &summary.connections, count, to);
    fates("exchanges", &summary.exchanges, count, to);
    let problems = listed(&summary.problems, count);
    if !problems.is_empty() {
        let _ = writeln!(to, "{:<12} {problems}", "problems");
    }
    if let (Some(first), Some(last)) = (summary.first, summary.last) {
        let _ = writeln!(to, "{:<12} {:.3} s", "time", last.since(first).as_secs_f64());
    }
    for alarm in alarms(summary) {
        styled(alarm, AnsiColor::Red.on_default().bold(), colour, to);
        to.push('\n');
    }
}

/// What nobody may overlook.
fn alarms(summary: &Summary) -> Vec<String> {
    let mut alarms = Vec::new();
    let lost = listed(&summary.lost, |count| count.to_string());
    if !lost.is_empty() {
        alarms.push(format!("{:<12} {lost}", "LOST"));
    }
    let off = summary.balances().into_iter().filter(|(_, fates)| fates.imbalance() != 0);
    alarms
        .extend(off.map(|(name, fates)| format!("NOT BALANCED {name}: {} have no fate", fates.imbalance())));
    alarms
}

fn table(summary: &Summary, to: &mut String) {
    let rows = summary.paths.sorted();
    if rows.is_empty() {
        return;
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header([
        "host",
        "path",
        "count",
        "2xx",
        "3xx",
        "4xx",
        "5xx",
        "other",
        "ttfb p50",
        "p99",
        "total p50",
        "p99",
    ]);
    for one in rows.iter().take(ROWS) {
        table.add_row(cells(shown(one.host, NAME), shown(one.path, NAME), one.row));
    }
    if summary.paths.other().count > 0 {
        table.add_row(cells("other".into(), "other".into(), summary.paths.other()));
    }
    table.column_iter_mut().skip(2).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    let _ = writeln!(to, "{}", table.trim_fmt());
    if let Some(more) = rows.get(ROWS..).filter(|more| !more.is_empty()) {
        let exchanges: u64 = more.iter().map(|one| one.row.count).sum();
        let _ = writeln!(to, "… and {} more rows of {exchanges} exchanges, all in --format json", more.len());
    }
    to.push('\n');
}

fn cells(host: String, path: String, row: &Row) -> [String; 12] {
    let [interim, success, redirect, client, server] = row.status.known;
    let other = interim + row.status.other + row.status.none;
    let quantile = |latency: &Latency, q| latency.quantile(q).map_or("-".into(), show::duration);
    [
        host,
        path,
        row.count.to_string(),
        success.to_string(),
        redirect.to_string(),
        client.to_string(),
        server.to_string(),
        other.to_string(),
        quantile(&row.ttfb, 0.5),
        quantile(&row.ttfb, 0.99),
        quantile(&row.total, 0.5),
        quantile(&row.total, 0.99),
    ]
}

fn fates(name: &str, fates: &Fates, count: impl Fn(u64) -> String, to: &mut String) {
    let _ = write!(to, "{name:<12} {}", count(fates.total));
    let listed = listed(&fates.fates, count);
    let _ = if listed.is_empty() { writeln!(to) } else { writeln!(to, ": {listed}") };
}

/// Those that occurred, the most frequent first.
fn listed(counts: &BTreeMap<&'static str, u64>, count: impl Fn(u64) -> String) -> String {
    let mut some: Vec<_> = counts.iter().filter(|(_, count)| **count > 0).collect();
    some.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let some: Vec<_> = some.into_iter().map(|(name, number)| format!("{} {name}", count(*number))).collect();
    some.join(", ")
}
