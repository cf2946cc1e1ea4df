//! The kernel programs under `BPF_PROG_TEST_RUN`: packets in; verdict, counters, flows and histograms out.
//!
//! ```text
//! frame (bytes) ─► programs (one loaded object) ◄─ connection (a TCP talk, with its own idea of the time)
//! ```
//!
//! Every test has an object of its own, or one that is as good as new, in a network namespace of its own. Time is moved, not waited for.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

mod connection;
mod frame;
mod model;
mod programs;
mod reuse;
mod script;

mod at_once;
mod caps;
mod clock;
mod doubts;
mod endings;
mod endpoints;
mod extremes;
mod guards;
mod oracle;
mod proofs;
mod rules;
mod shapes;
mod share;
mod stamps;
mod targets;
mod vantage;
mod verdict;
mod verifier;
