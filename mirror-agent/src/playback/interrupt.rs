//! Signals that end a replay in order: nothing more is sent, and what was is summed up. The second one ends the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::replay::Target;

/// Exit code of a shell for what SIGINT has ended.
const INTERRUPTED: i32 = 130;

/// Whether a signal has come.
pub(super) struct Interrupted(Arc<AtomicBool>);

impl Interrupted {
    /// Whether one has.
    pub(super) fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// From now on SIGINT, SIGTERM and SIGHUP stop `target`.
///
/// # Errors
///
/// When the kernel refuses a handler.
pub(super) fn watch(runtime: &Runtime, target: &Arc<Target>) -> Result<Interrupted> {
    let _inside = runtime.enter();
    let [interrupt, terminate, hangup] =
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]
            .map(|kind| signal(kind).context("handle a signal"));
    let mut signals = (interrupt?, terminate?, hangup?);
    let came = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&came);
    let target = Arc::downgrade(target);
    runtime.spawn(async move {
        next(&mut signals).await;
        flag.store(true, Ordering::Relaxed);
        if let Some(target) = target.upgrade() {
            target.stop();
        }
        drop(target);
        next(&mut signals).await;
        std::process::exit(INTERRUPTED);
    });
    Ok(Interrupted(came))
}

async fn next((interrupt, terminate, hangup): &mut (Signal, Signal, Signal)) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}
