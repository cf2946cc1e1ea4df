//! Interfaces come and go, neighbours push: the taps are where they should be, or the agent says so within a second.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

mod agents;
mod clsact;
mod displaced;
mod news;
mod pods;
mod scene;
mod tun;
mod vantages;
