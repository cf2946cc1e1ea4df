//! How far a replay is, on a terminal.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::service::Service;

/// How often it is looked at.
const STEP: Duration = Duration::from_millis(100);
const TEMPLATE: &str = "{percent:>3} % {wide_bar} {elapsed}  {msg}";

/// The bar, which others draw. Where standard error is no terminal it is not shown.
pub(super) struct Progress {
    bar: ProgressBar,
    read: Arc<Bytes>,
    drawing: JoinHandle<()>,
}

/// Bytes of the files.
#[derive(Default)]
struct Bytes {
    /// Of the files before the present one.
    before: AtomicU64,
    /// Of all files so far.
    read: AtomicU64,
}

impl Progress {
    /// A bar for the requests of `service` in these files.
    pub(super) fn start(files: &[PathBuf], service: Arc<Service>, runtime: &Runtime) -> Progress {
        let size = |path: &PathBuf| {
            std::fs::metadata(path).ok().filter(|about| about.is_file()).map(|about| about.len())
        };
        let total = files.iter().map(size).sum();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(
            ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        let read = Arc::new(Bytes::default());
        let (drawn, bytes) = (bar.clone(), read.clone());
        let drawing = runtime.spawn(async move {
            let mut steps = tokio::time::interval(STEP);
            while !drawn.is_hidden() {
                steps.tick().await;
                draw(&drawn, &service, bytes.read.load(Ordering::Relaxed), total);
            }
        });
        Progress { bar, read, drawing }
    }

    /// This many bytes of the present file were read.
    pub(super) fn at(&self, position: u64) {
        self.read.read.store(self.read.before.load(Ordering::Relaxed) + position, Ordering::Relaxed);
    }

    /// The present file is over, after this many bytes.
    pub(super) fn behind(&self, position: u64) {
        self.read.before.fetch_add(position, Ordering::Relaxed);
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.drawing.abort();
        self.bar.finish_and_clear();
    }
}

fn draw(bar: &ProgressBar, service: &Service, read: u64, total: Option<u64>) {
    let counts = service.ledger.counts();
    let ended = counts.seen.saturating_sub(counts.in_progress());
    if let Some(expected) = expected(counts.seen, read, total) {
        bar.set_length(expected);
    }
    bar.set_position(ended);
    let (differ, failed) = (service.differences.exchanges(), counts.v2_failed.iter().sum::<u64>());
    bar.set_message(format!("{} compared, {differ} differ, {failed} failed", counts.compared));
}

/// How many requests there will be, if the rest of the files is like what was read; `None` if nobody knows.
fn expected(seen: u64, read: u64, total: Option<u64>) -> Option<u64> {
    let total = total?;
    let all = u128::from(seen) * u128::from(total.max(read)) / u128::from(read.max(1));
    (read > 0).then(|| u64::try_from(all).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_the_files_is_like_what_was_read() {
        assert_eq!(expected(0, 0, Some(100)), None);
        assert_eq!(expected(10, 50, None), None);
        assert_eq!(expected(10, 50, Some(200)), Some(40));
        assert_eq!(expected(10, 200, Some(200)), Some(10));
        assert_eq!(expected(10, 300, Some(200)), Some(10)); // a file that grows
        assert_eq!(expected(u64::MAX, 1, Some(u64::MAX)), Some(u64::MAX));
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
