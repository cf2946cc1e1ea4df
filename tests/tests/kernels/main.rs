//! What must hold on every kernel: this one, and those that `cargo xtask test --vm` boots with nothing in them but
//! busybox, iproute2 and these tests.
//!
//! The agent is the real one, started as users start it; in a guest, the one that is linked statically.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

mod attach;
mod fence;
mod file;
mod killed;
mod machine;
mod mirror;
mod scene;
mod verified;
mod weather;
