//! Experiments on the shadow leg: real faults on real connections to v2, and a v1 that does not notice.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

mod ends;
mod faults;
mod files;
mod scene;
mod wire;
