//! The judge at work: real versions, real traffic, and what is said of v2 to people and to the controllers of deployments.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

mod canary;
mod chance;
mod gates;
mod noise;
mod same;
mod scenarios;
mod scene;
