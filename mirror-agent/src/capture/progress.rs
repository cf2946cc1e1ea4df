//! What is seen of a capture: a line that changes on a terminal, and one line at the end.

use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::recorder::Recorder;
use super::tally::Tally;

/// The changing line. Where standard error is no terminal it is not shown.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn new() -> Progress {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{spinner} {elapsed:>4}  {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Progress(bar)
    }

    /// Shows how it stands.
    pub(super) fn show(&self, recorder: &Recorder, tally: &Tally) {
        self.0.tick();
        self.0.set_message(sizes(recorder, tally));
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// The last line, and a warning before it if packets were lost.
#[derive(Clone, Debug)]
pub(super) struct Report {
    /// As [`Progress`] showed it last.
    pub(super) sizes: String,
    /// Why it ended.
    pub(super) end: &'static str,
    /// How long it took.
    pub(super) took: Duration,
    /// Where the packets went.
    pub(super) tally: Tally,
}

impl Report {
    /// Writes it to standard error.
    pub(super) fn print(&self, path: &Path) {
        if let Some(warning) = self.warning() {
            eprintln!("warning: {warning}");
        }
        eprintln!("{} in {:.1} s ({}): {}", self.sizes, self.took.as_secs_f64(), self.end, path.display());
    }

    fn warning(&self) -> Option<String> {
        let (lost, unknown) = (self.tally.lost, self.tally.outstanding());
        let mut parts = Vec::new();
        if lost.sum() > 0 {
            parts.push(format!("{} packets were lost ({})", lost.sum(), lost.explain()));
        }
        if unknown > 0 {
            parts.push(format!("{unknown} copies are unaccounted for"));
        }
        if parts.is_empty() {
            return None;
        }
        Some(format!("{}: some connections in the file have holes", parts.join(", and ")))
    }
}

/// How much is in the file, and how much is not.
pub(super) fn sizes(recorder: &Recorder, tally: &Tally) -> String {
    format!(
        "{} packets, {} bytes, {} connections, {} lost",
        recorder.packets(),
        recorder.bytes(),
        recorder.connections(),
        tally.lost.sum()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(lost_in_the_ring: u64, cloned: u64) -> Report {
        let mut tally = Tally { cloned, read: 10, ..Tally::default() };
        tally.lost.ring = lost_in_the_ring;
        Report { sizes: String::new(), end: "", took: Duration::ZERO, tally }
    }

    #[test]
    fn a_loss_is_a_warning() {
        assert_eq!(report(0, 10).warning(), None);
        let holes = "some connections in the file have holes";
        let lost = "2 packets were lost (2 found the packet ring full)";
        assert_eq!(report(2, 12).warning(), Some(format!("{lost}: {holes}")));
        assert_eq!(report(0, 13).warning(), Some(format!("3 copies are unaccounted for: {holes}")));
    }
}
