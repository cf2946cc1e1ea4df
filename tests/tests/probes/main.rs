//! Probes at work: real versions, a real agent, and users whom no probe is counted among.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

mod apart;
mod counted;
mod phases;
mod proposed;
mod refused;
mod scene;
