//! What the agent itself takes.

use procfs::process::Process;

use super::Agent;
use crate::status::Cost;

impl Agent {
    /// What it takes, as of now.
    pub(super) fn cost(&self) -> Cost {
        let (cpu_s, memory_bytes) = process().unwrap_or_default();
        Cost {
            cpu_s,
            memory_bytes,
            programs: self.sampler.sum(),
            maps: self.kernel.levels(),
            ring: self.intake.blocks(),
        }
    }
}

/// Processor seconds and resident bytes of this process (proc(5), `stat`).
pub(super) fn process() -> Option<(f64, u64)> {
    let stat = Process::myself().ok()?.stat().ok()?;
    let seconds = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
    Some((seconds, stat.rss * procfs::page_size()))
}
