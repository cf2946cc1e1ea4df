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
mod programs;
mod reuse;

mod caps;
mod clock;
mod doubts;
mod endings;
mod endpoints;
mod guards;
mod rules;
mod shapes;
mod share;
mod vantage;
mod verdict;
mod verifier;
