//! The brakes at work: real versions, real traffic, and what stops, holds or raises the mirror.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

mod abort;
mod preflight;
mod ramp;
mod refused;
mod scenarios;
mod scene;
mod switchback;
