//! The signals that end a capture in order. The second one of a kind ends the process as it always would.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on SIGINT, SIGTERM and SIGHUP only set [`asked`], once.
///
/// # Errors
///
/// When the kernel refuses a handler.
pub(super) fn watch() -> Result<()> {
    let action = SigAction::new(SigHandler::Handler(note), SaFlags::SA_RESETHAND, SigSet::empty());
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // SAFETY: the handler does nothing but store a word.
        unsafe { sigaction(signal, &action) }.with_context(|| format!("handle {signal}"))?;
    }
    Ok(())
}

/// Whether one of the signals has come.
pub(super) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

extern "C" fn note(_signal: i32) {
    ASKED.store(true, Ordering::Relaxed);
}
