//! The end of the demo, for somebody who sees this tool for the first time.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::Value;

use super::differences::Group;
use super::report::{Report, count};

/// The buckets of a request, in the order of the ledger, and what a newcomer calls them.
const ENDS: [(&str, &str); 7] = [
    ("compared", "answered by v2 and compared"),
    ("v2_failed", "v2 gave no proper answer"),
    ("shed", "left out to protect v2 (a limit)"),
    ("unselected", "left out on purpose (POST would act twice)"),
    ("unmirrorable", "could not be mirrored whole"),
    ("v1_unanswered", "not answered by v1"),
    ("in_progress", "still on their way"),
];

/// Prints it to standard output.
#[expect(clippy::print_stdout, reason = "the summary is what the demo is for")]
pub(super) fn print(report: &Report) {
    let sections = [
        ("What happened", requests(report)),
        ("Where v2 differs from v1", differences(report)),
        ("Is v2 worse?", verdict(report)),
        ("How fast they answer (milliseconds, timed by the kernel)", latency(report)),
        ("Is anything unaccounted for?", ledger(report)),
        ("Did v1 notice?", harm(report)),
    ];
    for (title, text) in sections {
        println!("\n{title}\n\n{text}");
    }
}

fn requests(report: &Report) -> String {
    let failed: u64 = report.slices.iter().map(|slice| slice.failed).sum();
    let sent = failed + report.slices.iter().map(|slice| slice.ok).sum::<u64>();
    let compared = count(report.at("/requests/compared"));
    let rows = [
        (sent, format!("requests were sent to v1 by its users ({failed} failed)")),
        (
            count(report.at("/requests/seen")),
            "were seen by the mirror, which was on half of the time".to_owned(),
        ),
        (compared + count(report.at("/requests/v2_failed")), "of these were replayed to v2".to_owned()),
        (compared, "of these were answered by v2, and the answers compared".to_owned()),
    ];
    table(rows.map(|(requests, text)| [requests.to_string(), text]).to_vec(), &[0])
}

fn differences(report: &Report) -> String {
    if report.differences.is_empty() {
        return " nowhere".to_owned();
    }
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "(nothing)".to_owned());
    let row = |((route, place), group): (&(String, String), &Group)| {
        [route.clone(), place.clone(), group.requests.to_string(), shown(&group.v1), shown(&group.v2)]
    };
    let header = ["route", "where", "requests", "v1, for example", "v2, then"].map(str::to_owned);
    table(std::iter::once(header).chain(report.differences.iter().map(row)).collect(), &[2])
}

fn verdict(report: &Report) -> String {
    let verdict = report.at("/verdict");
    let reasons = verdict.get("reasons").and_then(Value::as_array).into_iter().flatten();
    let reasons = reasons.filter_map(Value::as_str).map(|reason| format!("\n   {reason}"));
    let word = verdict.get("verdict").and_then(Value::as_str).unwrap_or("?").to_uppercase();
    format!(" {word}, because{}", reasons.collect::<String>())
}

fn latency(report: &Report) -> String {
    let mut rows = vec![["", "", "requests", "p50", "p90", "p99"].map(str::to_owned)];
    for (phase, meaning) in [("ttfb", "to the first byte"), ("total", "to the last byte")] {
        for version in ["v1", "v2"] {
            let series = report.at(&format!("/latency/{version}/{phase}"));
            let ms = |quantile: &str| milliseconds(series.get(quantile).and_then(Value::as_f64));
            let requests = series.get("count").map_or(0, count).to_string();
            let [p50, p90, p99] = ["p50_s", "p90_s", "p99_s"].map(ms);
            rows.push([meaning.to_owned(), version.to_owned(), requests, p50, p90, p99]);
        }
    }
    table(rows, &[2, 3, 4, 5])
}

fn ledger(report: &Report) -> String {
    let seen =
        [count(report.at("/requests/seen")).to_string(), "seen, and each ended in one place:".to_owned()];
    let row = |(end, meaning): (&str, &str)| {
        let bucket = report.at(&format!("/requests/{end}"));
        [count(bucket).to_string(), format!("  {meaning}{}", reasons(bucket))]
    };
    let table = table(std::iter::once(seen).chain(ENDS.map(row)).collect(), &[0]);
    format!("{table}\n\n {}", balance(report.at("/ledger_imbalance")))
}

/// The parts of a bucket that are not zero, in parentheses.
fn reasons(bucket: &Value) -> String {
    let parts = bucket.as_object().into_iter().flatten();
    let parts: Vec<String> =
        parts.filter(|(_, n)| count(n) > 0).map(|(reason, n)| format!("{reason} {}", count(n))).collect();
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) }
}

fn balance(imbalance: &Value) -> String {
    let of = |layer: &str| imbalance.get(layer).and_then(Value::as_i64);
    let shown = |layer: &str| of(layer).map_or("?".to_owned(), |n| n.to_string());
    let layers = ["kernel", "intake", "requests"];
    let detail: Vec<String> = layers.iter().map(|layer| format!("{layer} {}", shown(layer))).collect();
    let verdict =
        if layers.iter().all(|layer| of(layer) == Some(0)) { "no, the ledger balances" } else { "YES" };
    format!("{verdict} (packets and requests without an end: {})", detail.join(", "))
}

fn harm(report: &Report) -> String {
    let p99 = |on| report.blocks.p99_s(&report.slices, on);
    let (Some(off), Some(on)) = (p99(false), p99(true)) else {
        return " not measured: the run ended too early".to_owned();
    };
    format!(
        " 99 of 100 requests to v1 were answered within {} ms with the mirror off, and {} ms with it on\n \
         (as v1's users saw it, over {} blocks, on and off by turns)",
        milliseconds(Some(off)),
        milliseconds(Some(on)),
        report.blocks.count()
    )
}

fn milliseconds(seconds: Option<f64>) -> String {
    seconds.map_or("-".to_owned(), |seconds| format!("{:.2}", seconds * 1e3))
}

/// A table without lines, with the columns of numbers to the right.
fn table<const N: usize>(rows: Vec<[String; N]>, numbers: &[usize]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).add_rows(rows);
    for column in numbers {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}
