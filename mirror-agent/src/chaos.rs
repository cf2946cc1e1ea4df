//! Faults on the shadow leg, made on purpose: what an experiment says, which fault is in force, and how it ended.
//!
//! ```text
//! file ─► Experiment ─► Runner ◄─ totals, now
//!                         │ └─► which step's fault is in force ─► the replayer's connections to v2
//!                         └───► Journal: steady states, steps, why it ended
//! ```
//!
//! Faults are made in our own process, on our own connections to v2. No user's packet can meet one, and the end of the
//! process is the end of them. All of it is pure: the replayer puts faults in force, the agent calls the runner.

mod check;
mod experiment;
mod fault;
mod file;
mod journal;
mod runner;
mod sample;

#[cfg(test)]
mod tests;

pub use experiment::{Bound, Experiment, Limit, Metric, Radius};
pub use fault::{Coin, Fault, Kind};
pub use journal::{Counts, Ending, Figures, Journal, Phase, State, Step};
pub use runner::Runner;
pub use sample::{Sample, Totals};

/// How long an experiment goes on without a sign of life from whoever started it.
pub const LEASE: std::time::Duration = std::time::Duration::from_secs(5);
