//! The end: signals that ask for it (or for a reload), and what is waited for.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::SigSet;
pub use nix::sys::signal::Signal;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::AsFd;

use crate::agent::Agent;

/// How often it is looked whether everything has ended.
const STEP: Duration = Duration::from_millis(10);

/// SIGINT, SIGTERM and SIGHUP, to be waited for. Made before any thread, so that every thread leaves them to us.
pub struct Signals(SignalFd);

impl Signals {
    /// Takes the signals.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn new() -> Result<Self> {
        let set: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
        set.thread_block().context("take the signals")?;
        Ok(Signals(
            SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
                .context("take the signals")?,
        ))
    }

    /// Waits for a signal, or for `at_most`; says which came.
    pub fn wait(&self, at_most: Duration) -> Option<Signal> {
        let timeout =
            PollTimeout::try_from(at_most.as_millis().min(60_000) as i32).unwrap_or(PollTimeout::ZERO);
        let _ = poll(&mut [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)], timeout);
        let signal = self.0.read_signal().ok()??;
        Signal::try_from(i32::try_from(signal.ssi_signo).ok()?).ok()
    }
}

/// Lets the requests that are with v2 end; what does not end within `at_most` is shed.
pub fn drain(agent: &Agent, at_most: Duration) {
    if !wait_for_replay(agent, at_most) {
        agent.targets.iter().for_each(|target| target.stop());
        wait_for_replay(agent, at_most);
    }
}

fn wait_for_replay(agent: &Agent, at_most: Duration) -> bool {
    let until = Instant::now() + at_most;
    while agent.replaying() > 0 {
        if Instant::now() >= until {
            return false;
        }
        std::thread::sleep(STEP);
    }
    true
}
