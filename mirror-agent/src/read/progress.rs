//! How far a large file was read, on a terminal.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Files smaller than this are read before a bar could be looked at.
const LARGE: u64 = 16 << 20;
/// Bytes from one message to the next.
const STEP: u64 = 1 << 20;
const TEMPLATE: &str = "{percent:>3} % {wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left  {msg}";

/// The bar. It is not there for small files, without a terminal, and beside lines on the same terminal.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    shown: u64,
}

impl Progress {
    /// A bar for `bytes` in all files, none if not known. `lines` says whether exchanges go to standard output.
    pub fn new(bytes: Option<u64>, lines: bool) -> Progress {
        let beside_lines = lines && io::stdout().is_terminal();
        let bytes = bytes.filter(|bytes| is_wanted(*bytes, io::stderr().is_terminal(), beside_lines));
        Progress { bar: bytes.map(bar), shown: 0 }
    }

    /// Shows how many bytes were read and how many exchanges were in them. Cheap enough for every frame.
    pub fn show(&mut self, position: u64, exchanges: u64) {
        let Some(bar) = &self.bar else { return };
        if position.saturating_sub(self.shown) < STEP {
            return;
        }
        self.shown = position;
        bar.set_position(position);
        bar.set_message(format!("{exchanges} exchanges"));
    }

    /// Takes the bar away: before the summary, and before an error.
    pub fn clear(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}

fn is_wanted(bytes: u64, terminal: bool, beside_lines: bool) -> bool {
    bytes > LARGE && terminal && !beside_lines
}

fn bar(bytes: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_for_large_files_on_a_terminal_of_its_own() {
        assert!(is_wanted(LARGE + 1, true, false));
        assert!(!is_wanted(LARGE, true, false));
        assert!(!is_wanted(u64::MAX, false, false));
        assert!(!is_wanted(u64::MAX, true, true));
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }

    #[test]
    fn nothing_is_drawn_where_there_is_no_bar() {
        let mut progress = Progress::new(None, false);
        progress.show(u64::MAX, 1);
        progress.clear();
    }
}
