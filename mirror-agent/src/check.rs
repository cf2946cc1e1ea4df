//! `mirror-agent check`: what this kernel and these rights allow, and what is used instead where something is missing.
//! Nothing that it makes for a try outlives it.

mod features;
mod fence;
mod interfaces;
mod ours;
mod release;
mod report;
mod rights;
mod text;

use std::io::{self, Write};

use anyhow::{Context, Result};

pub use report::{Report, Row, State};

use crate::cli;

/// Tries everything that a run needs and prints what came of it. Returns whether everything is there.
///
/// # Errors
///
/// When the report cannot be written, or /proc is not there to be read.
pub fn run(args: &cli::Check) -> Result<bool> {
    let report = examine(&args.interfaces)?;
    let mut out = anstream::stdout();
    match print(&report, args.json, &mut out) {
        // `check | head` has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(report.ok()),
        printed => printed.map(|()| report.ok()).context("write the report"),
    }
}

/// Tries everything that a run on these interfaces needs.
///
/// # Errors
///
/// When /proc is not there to be read.
pub fn examine(interfaces: &[String]) -> Result<Report> {
    let (release, row) = release::row()?;
    let mut rows = vec![row];
    rows.extend(rights::capabilities()?);
    rows.push(rights::locked_memory(&release)?);
    rows.extend(features::rows());
    let (mechanism, tried) = ours::rows();
    rows.extend(tried);
    rows.push(fence::row());
    rows.extend(interfaces.iter().flat_map(|name| interfaces::rows(name, mechanism)));
    Ok(Report { kernel: release, rows })
}

fn print(report: &Report, json: bool, out: &mut impl Write) -> io::Result<()> {
    if json {
        serde_json::to_writer_pretty(&mut *out, report)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", text::text(report))?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_one_object_and_text_ends_with_the_verdict() {
        let report = report::tests::sample();
        let mut out = Vec::new();
        print(&report, true, &mut out).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["kernel"], "6.1.0");
        assert_eq!(value["ok"], false);
        assert_eq!(value["rows"][1]["state"], "fallback");
        out.clear();
        print(&report, false, &mut out).unwrap();
        let text = anstream::adapter::strip_bytes(&out).into_vec();
        assert!(String::from_utf8(text).unwrap().ends_with(&format!("\n{}\n", report.verdict())));
    }
}
