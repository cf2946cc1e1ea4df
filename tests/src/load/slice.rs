//! What the users saw, in slices of time, so that stretches with and without a mirror can be compared.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Error, Result};
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// What ended within a slice of time. `CLOCK_MONOTONIC`, so that other processes can tell when it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// When it began, in seconds.
    pub from_s: f64,
    /// When it ended, in seconds.
    pub to_s: f64,
    /// Requests that got a 2xx.
    pub ok: u64,
    /// Requests that got another status or none.
    pub failed: u64,
    /// Microseconds from when a request was due to the end of its response.
    pub latencies_us: Vec<u32>,
}

/// Collects the slice that is going on.
pub(super) struct Recorder {
    length: Duration,
    slice: Mutex<Slice>,
}

/// `CLOCK_MONOTONIC` in seconds.
pub fn now_s() -> f64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map(|time| Duration::from(time).as_secs_f64()).unwrap_or_default()
}

impl Recorder {
    pub(super) fn new(length: Duration) -> Recorder {
        Recorder { length, slice: Mutex::new(Slice { from_s: now_s(), ..Slice::default() }) }
    }

    pub(super) fn answered(&self, status: u16, latency: Duration) {
        let mut slice = self.slice.lock().unwrap_or_else(PoisonError::into_inner);
        slice.latencies_us.push(latency.as_micros().try_into().unwrap_or(u32::MAX));
        if (200..300).contains(&status) { slice.ok += 1 } else { slice.failed += 1 }
    }

    pub(super) fn failed(&self, requests: usize, error: &Error) {
        self.slice.lock().unwrap_or_else(PoisonError::into_inner).failed += requests as u64;
        eprintln!("{requests} requests failed: {error:#}");
    }

    /// Writes the slice if its time is over.
    pub(super) fn roll(&self) -> Result<()> {
        let over =
            self.slice.lock().unwrap_or_else(PoisonError::into_inner).from_s + self.length.as_secs_f64();
        if now_s() >= over { self.finish() } else { Ok(()) }
    }

    /// Writes the slice and begins the next.
    pub(super) fn finish(&self) -> Result<()> {
        let now = now_s();
        let next = Slice { from_s: now, ..Slice::default() };
        let mut done =
            std::mem::replace(&mut *self.slice.lock().unwrap_or_else(PoisonError::into_inner), next);
        done.to_s = now;
        let mut line = serde_json::to_vec(&done)?;
        line.push(b'\n');
        Ok(std::io::stdout().write_all(&line)?)
    }
}
