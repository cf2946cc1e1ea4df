//! The summary for people.

use std::fmt::Write;

use super::summary::{Lateness, Summary};
use crate::compare::Difference;
use crate::differences::Record;
use crate::remote::show;

/// The summary as text, with a line end.
pub(super) fn summary(summary: &Summary) -> String {
    let mut text = String::new();
    let against = summary.against.as_ref().map_or(String::new(), |v1| format!(", against {v1}"));
    let Summary { files, to, speed, elapsed_s, .. } = summary;
    let files = if *files == 1 { "1 file".into() } else { format!("{files} files") };
    let place = format!("{files} to {to}{against}, speed {speed}, {}", show::duration(*elapsed_s));
    show::row("replayed", place, &mut text);
    show::requests(&summary.requests, &summary.differences, &mut text);
    show::hidden(&summary.hidden_differences, &mut text);
    show::undecoded(&summary.undecodable_bodies, &mut text);
    let balance = summary.ledger_imbalance.requests;
    let balance = if balance == 0 { "balanced".into() } else { format!("NOT BALANCED: {balance} requests") };
    show::row("ledger", balance, &mut text);
    summary.lateness.iter().for_each(|lateness| show::row("late", late(lateness), &mut text));
    let _ = writeln!(text, "\n{}", show::latencies(&summary.latency));
    differences(summary, &mut text);
    text
}

fn late(lateness: &Lateness) -> String {
    let time = |seconds: Option<f64>| seconds.map_or("-".into(), show::duration);
    let (p50, p99) = (time(lateness.quantiles.p50_s), time(lateness.quantiles.p99_s));
    format!("p50 {p50}, p99 {p99}, at most {}", show::duration(lateness.max_s))
}

fn differences(summary: &Summary, text: &mut String) {
    let (shown, all) = (summary.first_differences.len(), summary.exchanges_that_differ);
    if all > 0 {
        let which =
            if all > shown as u64 { format!(", and these are the first {shown}") } else { String::new() };
        let _ = writeln!(text, "\n{}{which}:", counted(all));
    }
    summary.first_differences.iter().for_each(|record| exchange(record, text));
}

fn counted(exchanges: u64) -> String {
    if exchanges == 1 { "1 answer differs".into() } else { format!("{exchanges} answers differ") }
}

fn exchange(record: &Record, text: &mut String) {
    let Record { method, target, v1_status, v2_status, dropped, .. } = record;
    let _ = writeln!(text, "  {} {}  {v1_status} {v2_status}", safe(method), safe(target));
    for Difference { path, kind, v1, v2, .. } in &record.differences {
        let value = |value: &Option<String>| value.as_ref().map_or("-".into(), |value| safe(value));
        let _ = writeln!(text, "    {} ({}): {} | {}", safe(path), kind.as_str(), value(v1), value(v2));
    }
    if *dropped > 0 {
        let _ = writeln!(text, "    and {dropped} more");
    }
}

/// Nothing in it drives a terminal or turns its text round.
fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\'' | '"' => safe.push(char),
            _ => safe.extend(char.escape_debug()),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_escaped() {
        assert_eq!(safe("/a?b=\"ü'"), "/a?b=\"ü'");
        assert_eq!(safe("\u{1b}[2J\n\u{202e}"), "\\u{1b}[2J\\n\\u{202e}");
    }
}
