//! The lines that the fence's programs write, in the agent's log. They hold addresses, so they are for DEBUG alone.

use std::time::Duration;

use anyhow::{Context, Result};
use aya::Ebpf;
use aya_log::EbpfLogger;
use log::{Log, Metadata, Record};

use crate::kernel::pulse::Pulse;

/// How often the lines are read.
const EVERY: Duration = Duration::from_millis(200);

/// Whether anybody reads what the programs write: else they need not.
pub fn is_wanted() -> bool {
    tracing::enabled!(tracing::Level::DEBUG)
}

/// Reads the lines from now on. `what` goes before each: whose fence, and what it did.
///
/// # Errors
///
/// When the object has no place for lines, or the kernel refuses a thread.
pub fn start(object: &mut Ebpf, what: String) -> Result<Pulse> {
    let mut lines = EbpfLogger::init_with_logger(object, Lines { what }).context("read the fence's log")?;
    Pulse::start("fence-log", EVERY, move || lines.flush())
}

/// What the programs wrote, to be read by `tracing`.
struct Lines {
    what: String,
}

impl Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        tracing::debug!("{}: {}", self.what, record.args());
    }

    fn flush(&self) {}
}
