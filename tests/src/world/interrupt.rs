//! What SIGINT, SIGTERM and SIGHUP do to the worlds of this process.
//!
//! A test has nobody to tell: the first signal removes its worlds and ends the process. A program that calls
//! [`politely`] is asked to stop by the first signal, and gets the same treatment only on the second.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use anyhow::{Context as _, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::remnant;

static WORLDS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static POLITE: AtomicBool = AtomicBool::new(false);
static ASKED: AtomicI32 = AtomicI32::new(0);

/// From now on the first signal only sets [`asked`].
pub fn politely() {
    POLITE.store(true, Ordering::Relaxed);
}

/// The signal that asked us to stop, if one did.
pub fn asked() -> Option<i32> {
    Some(ASKED.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
}

/// Remembers a world that a signal must remove.
pub(super) fn watch(prefix: &str) -> Result<()> {
    static STARTED: Once = Once::new();
    WORLDS.lock().unwrap_or_else(PoisonError::into_inner).push(prefix.to_owned());
    let mut signals = None;
    STARTED.call_once(|| signals = Some(Signals::new([SIGINT, SIGTERM, SIGHUP])));
    if let Some(signals) = signals {
        let mut signals = signals.context("handle signals")?;
        std::thread::spawn(move || signals.forever().for_each(on_signal));
    }
    Ok(())
}

/// The world was removed in the usual way.
pub(super) fn forget(prefix: &str) {
    WORLDS.lock().unwrap_or_else(PoisonError::into_inner).retain(|known| known != prefix);
}

fn on_signal(signal: i32) {
    let first = ASKED.swap(signal, Ordering::Relaxed) == 0;
    if first && POLITE.load(Ordering::Relaxed) {
        return;
    }
    for prefix in WORLDS.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        if let Err(error) = remnant::remove(prefix) {
            eprintln!("cannot remove the world {prefix}: {error:#}");
        }
    }
    std::process::exit(128 + signal);
}
