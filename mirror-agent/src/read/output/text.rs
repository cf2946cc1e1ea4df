//! `--format text`: a line for each exchange, and the totals at the end.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use bytesize::ByteSize;

use super::{Output, shown, totals, wire};
use crate::http::Body;
use crate::read::record::Record;
use crate::read::summary::Summary;
use crate::remote::show;

/// Characters of a target. Beyond, it is cut: JSON has all of it.
const TARGET: usize = 100;
/// Characters of a method. Beyond, it is cut.
const METHOD: usize = 16;

const HEADING: &str = "time                         client                 method   target                                    \
                       status      sent  received       ttfb      total\n";

/// Writes the lines.
#[derive(Debug)]
pub struct Text<W> {
    to: W,
    colour: bool,
    headed: bool,
    /// The line that is made, reused.
    line: String,
}

impl<W: Write> Text<W> {
    /// Lines to `to`, with escape codes of colours if it takes them.
    pub fn new(to: W, colour: bool) -> Text<W> {
        Text { to, colour, headed: false, line: String::new() }
    }

    fn write(&mut self) -> io::Result<()> {
        self.to.write_all(self.line.as_bytes())
    }
}

impl<W: Write> Output for Text<W> {
    fn exchange(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.line.clear();
        if !self.headed {
            self.headed = true;
            self.line.push_str(HEADING);
        }
        line(record, self.colour, &mut self.line);
        self.write()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }

    fn end(mut self: Box<Self>, summary: &Summary) -> io::Result<()> {
        self.line.clear();
        if self.headed {
            self.line.push('\n');
        }
        totals::push(summary, self.colour, &mut self.line);
        self.write()?;
        self.to.flush()
    }
}

fn line(record: &Record<'_>, colour: bool, to: &mut String) {
    match record.start() {
        Some(start) => push(to, format_args!("{}", humantime::format_rfc3339_micros(wire::system(start)))),
        None => push(to, format_args!("{:27}", "-")),
    }
    push(to, format_args!("  {:<21}  ", record.client));
    cell(record.request.map_or(b"-", |request| request.method.as_bytes()), METHOD, 7, to);
    cell(record.request.map_or(b"-", |request| &request.target), TARGET, 40, to);
    let status = record.response.map(|response| response.status);
    match status {
        Some(status) => styled(format_args!("{status:>6}"), of_status(status), colour, to),
        None => push(to, format_args!("{:>6}", "-")),
    }
    size(record.request.map(|request| (&request.body, request.whole)), to);
    size(record.response.map(|response| (&response.body, response.whole)), to);
    time(record.ttfb(), to);
    time(record.total(), to);
    odd(record, colour, to);
    to.push('\n');
}

/// What is not as it should be, at the end of the line.
fn odd(record: &Record<'_>, colour: bool, to: &mut String) {
    if !record.is_complete() {
        to.push_str("  ");
        styled(format_args!("{}", record.end), AnsiColor::Red.on_default(), colour, to);
    }
    for problem in record.problems {
        to.push_str("  ");
        styled(format_args!("{problem}"), AnsiColor::Yellow.on_default(), colour, to);
    }
}

/// Bytes of the wire in a column of `width`, with two blanks behind it.
fn cell(bytes: &[u8], max: usize, width: usize, to: &mut String) {
    let used = shown::push(bytes, max, to);
    push(to, format_args!("{:blanks$}", "", blanks = width.saturating_sub(used) + 2));
}

/// A body's size; a plus stands for what was not seen.
fn size(body: Option<(&Body, bool)>, to: &mut String) {
    let text = body.map(|(body, whole)| format!("{}{}", ByteSize(body.len), if whole { "" } else { "+" }));
    push(to, format_args!("{:>10}", text.as_deref().unwrap_or("-")));
}

fn time(time: Option<Duration>, to: &mut String) {
    let text = time.map(|time| show::duration(time.as_secs_f64()));
    push(to, format_args!("{:>11}", text.as_deref().unwrap_or("-")));
}

/// Appends `text` in a style, if colours are wanted.
pub(super) fn styled(text: impl Display, style: Style, colour: bool, to: &mut String) {
    let style = if colour { style } else { Style::new() };
    push(to, format_args!("{style}{text}{style:#}"));
}

fn of_status(status: u16) -> Style {
    match status {
        200..=299 => AnsiColor::Green.on_default(),
        300..=399 => AnsiColor::Cyan.on_default(),
        400..=499 => AnsiColor::Yellow.on_default(),
        500..=599 => AnsiColor::Red.on_default().bold(),
        _ => AnsiColor::Magenta.on_default(),
    }
}

/// A `String` takes everything.
fn push(to: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = to.write_fmt(text);
}

#[cfg(test)]
mod tests;
