//! `verdict`: what a running agent says of v2.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};
use hyper::Method;

use super::client::ask;
use super::show::{duration, row};
use crate::cli;
use crate::judge::{FieldClaim, FieldFinding, Finding, Outcome, Verdict};

/// How often it is asked while it is waited for.
const EVERY: Duration = Duration::from_secs(1);
/// Fields that are shown.
const FIELDS: usize = 10;

/// Asks once, or until there is a verdict.
///
/// # Errors
///
/// When the agent does not answer or refuses, or standard output is closed.
pub fn run(args: &cli::Verdict) -> Result<Outcome> {
    let started = Instant::now();
    let verdict = loop {
        let verdict: Verdict = ask(&args.socket.path(), Method::GET, &target(args))?;
        let left = args.wait.unwrap_or_default().saturating_sub(started.elapsed());
        if verdict.verdict != Outcome::Inconclusive || left.is_zero() {
            break verdict;
        }
        std::thread::sleep(EVERY.min(left));
    };
    let mut out = std::io::stdout();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&verdict)?)?;
    } else {
        write!(out, "{}", text(&verdict))?;
    }
    Ok(verdict.verdict)
}

fn target(args: &cli::Verdict) -> String {
    let service = args.service.as_ref().map_or(String::new(), |name| format!("&service={name}"));
    // A space in a query is written %20 (RFC 3986, section 2.1).
    let window = args.window.map_or(String::new(), |window| {
        format!("&window={}", humantime::format_duration(window)).replace(' ', "%20")
    });
    format!("/v1/verdict?{service}{window}")
}

/// The verdict for people, with line ends.
fn text(verdict: &Verdict) -> String {
    let mut text = format!("{} · {}\n", verdict.verdict, verdict.service);
    verdict.reasons.iter().for_each(|reason| row("because", reason.clone(), &mut text));
    let span = humantime::format_duration(Duration::from_secs(verdict.span_s as u64));
    let looked = format!("{} requests in {} seconds of {span}", verdict.pairs, verdict.blocks);
    row("looked at", looked, &mut text);
    if let Some(known) = &verdict.calibration {
        let how = if known.bias_s < 0.0 { "faster" } else { "slower" };
        let bias = format!(
            "our own way to v1 is {} ({:+.1}%) {how} than the users', by {} requests; v2 is allowed {} more",
            duration(known.bias_s.abs()),
            known.bias_ratio * 100.0,
            known.pairs,
            duration(known.allowance_s)
        );
        row("bias", bias, &mut text);
    }
    let _ = writeln!(text, "{}", claims(verdict));
    fields(&verdict.fields, &mut text);
    text
}

fn claims(verdict: &Verdict) -> Table {
    let mut table = table(["", "", "v2 worse", "v1 worse", "evidence", "needed", "of no harm", "needed"]);
    for claim in &verdict.claims {
        let finding = match claim.finding {
            Finding::Worse => "WORSE",
            Finding::Fine => "fine",
            Finding::Open => "open",
            Finding::Unjudged => "not judged",
        };
        let votes = [claim.votes.worse, claim.votes.better].map(|votes| format!("{votes} s"));
        let [worse, better] = votes;
        let [evidence, needed] = [claim.evidence, claim.needed].map(amount);
        let [fine, needed_fine] = [claim.evidence_fine, claim.needed_fine].map(amount);
        table.add_row([&claim.metric, finding, &worse, &better, &evidence, &needed, &fine, &needed_fine]);
    }
    table
}

fn fields(fields: &[FieldClaim], text: &mut String) {
    if fields.is_empty() {
        return;
    }
    let mut table = table(["field", "", "", "differs", "v2 alone", "second alone", "both", "evidence"]);
    for field in fields.iter().take(FIELDS) {
        let finding = match field.finding {
            FieldFinding::Differs => "DIFFERS",
            FieldFinding::Noise => "noise",
            FieldFinding::TooBroad => "too broad to be noise",
            FieldFinding::Open => "open",
        };
        let counts =
            [field.differing, field.only_v2, field.only_again, field.both].map(|count| count.to_string());
        let [differing, only_v2, only_again, both] = counts;
        let evidence = amount(field.evidence);
        table.add_row([
            &field.field,
            &field.kind,
            finding,
            &differing,
            &only_v2,
            &only_again,
            &both,
            &evidence,
        ]);
    }
    let _ = writeln!(text, "{table}");
    if fields.len() > FIELDS {
        let _ = writeln!(text, "and {} more fields: --json", fields.len() - FIELDS);
    }
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(header);
    table.column_iter_mut().skip(3).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn amount(evidence: f64) -> String {
    if evidence >= 1e6 { format!("{evidence:.0e}") } else { format!("{evidence:.1}") }
}
