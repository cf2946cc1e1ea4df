//! The main job from end to end: real kernel, real clients, real servers; what v2 got is what v1 got, and all of it
//! is accounted for.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

mod bodies;
mod client;
mod control;
mod differences;
mod families;
mod latency;
mod ledger;
mod load;
mod network;
mod reload;
mod replay;
mod rules;
mod setup;
mod share;
