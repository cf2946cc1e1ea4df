//! The report for people: a mark, the thing, what was found; below it, where something is amiss, what follows.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::report::{Report, Row, State};

/// The marks' column: the longest mark and two blanks.
const MARK: usize = 9;

/// The report with its line ends. The colours are escape codes; the stream takes them out where they do not belong.
pub(super) fn text(report: &Report) -> String {
    let width = report.rows.iter().map(|row| row.item.chars().count()).max().unwrap_or_default() + 2;
    let mut text = String::new();
    report.rows.iter().for_each(|one| row(one, width, &mut text));
    let style = if report.ok() { style(State::Ok) } else { style(State::Missing) };
    let _ = writeln!(text, "\n{style}{}{style:#}", report.verdict());
    text
}

fn row(row: &Row, width: usize, text: &mut String) {
    let style = style(row.state);
    let _ = writeln!(text, "{style}{:<MARK$}{style:#}{:<width$}{}", mark(row.state), row.item, row.detail);
    if matches!(row.state, State::Fallback | State::Missing) {
        let instead = row.instead.as_ref().map_or(String::new(), |instead| format!("; instead: {instead}"));
        let _ = writeln!(text, "{:indent$}for {}{instead}", "", row.needed_for, indent = MARK + width);
    }
}

fn mark(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Fallback => "instead",
        State::Missing => "MISSING",
        State::Unknown => "unknown",
    }
}

fn style(state: State) -> Style {
    match state {
        State::Ok => AnsiColor::Green.on_default(),
        State::Fallback => AnsiColor::Yellow.on_default(),
        State::Missing => AnsiColor::Red.on_default().bold(),
        State::Unknown => AnsiColor::Yellow.on_default().bold(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::report::tests::sample;

    #[test]
    fn lines_are_aligned_and_only_what_is_amiss_is_explained() {
        let expect = "\
ok       kernel          6.1.0
instead  tcx             not in this kernel
                         for the taps; instead: clsact
MISSING  CAP_BPF         not held
                         for loading
unknown  map type array  asking takes CAP_BPF

Mirroring does not work here; missing: CAP_BPF. Run it as root, or give it these capabilities.
";
        assert_eq!(anstream::adapter::strip_str(&text(&sample())).to_string(), expect);
    }
}
