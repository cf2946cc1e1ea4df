//! Production is never harmed: whatever happens to the mirror, v1 loses no request, the ledgers balance, others' programs
//! go on, and nothing of ours stays.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

mod bad_input;
mod clsact;
mod cost;
mod faulty;
mod leftovers;
mod neighbours;
mod offload;
mod prometheus;
mod scene;
mod shadow;
mod stopped;
mod traces;
mod tunnel;
mod v2;
