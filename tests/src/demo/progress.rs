//! What is seen while the demo works: one line that changes on a terminal, a line a second elsewhere.

use std::cell::Cell;
use std::io::{IsTerminal as _, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use super::report::count;
use crate::agent::Agent;
use crate::load::{Load, Slice, now_s};

const EVERY_S: f64 = 0.5;
const EVERY_S_WITHOUT_A_TERMINAL: f64 = 1.0;

/// The line.
pub(super) struct Progress {
    bar: ProgressBar,
    started_s: Cell<Option<f64>>,
    shown_s: Cell<f64>,
    length_s: f64,
}

impl Progress {
    pub(super) fn new(length_s: f64) -> Progress {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(
            ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        Progress { bar, started_s: Cell::new(None), shown_s: Cell::new(0.0), length_s }
    }

    /// A step of the preparations; it stays on the screen.
    pub(super) fn say(&self, step: &str) {
        self.bar.suspend(|| eprintln!("{step}"));
    }

    /// The state of things, if it is time to show it again.
    pub(super) fn show(&self, agent: &Agent, load: &Load, on: bool) {
        let now = now_s();
        let every = if stderr().is_terminal() { EVERY_S } else { EVERY_S_WITHOUT_A_TERMINAL };
        if now < self.shown_s.get() + every {
            return;
        }
        self.shown_s.set(now);
        let started = self.started_s.get().unwrap_or(now);
        self.started_s.set(Some(started));
        let Ok(status) = agent.status() else { return };
        self.line(&format!(
            "{:>3.0}/{:.0} s  mirror {}  {:>4.0} req/s  {}",
            now - started,
            self.length_s,
            if on { "on " } else { "off" },
            rate(&load.slices()),
            counts(&status)
        ));
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, text: &str) {
        if stderr().is_terminal() {
            self.bar.set_message(text.to_owned());
        } else {
            eprintln!("{text}");
        }
    }
}

/// Requests per second that the users sent in the last second.
fn rate(slices: &[Slice]) -> f64 {
    let end = slices.last().map_or(0.0, |slice| slice.to_s);
    let recent = || slices.iter().rev().take_while(|slice| slice.to_s > end - 1.0);
    let requests: u64 = recent().map(|slice| slice.ok + slice.failed).sum();
    let time: f64 = recent().map(|slice| slice.to_s - slice.from_s).sum();
    if time > 0.0 { requests as f64 / time } else { 0.0 }
}

fn counts(status: &Value) -> String {
    let of = |pointer: &str| count(status.pointer(pointer).unwrap_or(&Value::Null));
    let (seen, compared) = (of("/services/0/requests/seen"), of("/services/0/requests/compared"));
    format!("seen {seen:>5}  compared {compared:>5}  differences {:>4}", of("/services/0/differences"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_of_the_last_second() {
        let slice = |from_s: f64, ok| Slice { from_s, to_s: from_s + 0.5, ok, ..Slice::default() };
        assert_eq!(rate(&[slice(0.0, 1000), slice(0.5, 10), slice(1.0, 20)]), 30.0);
        assert_eq!(rate(&[]), 0.0);
    }
}
