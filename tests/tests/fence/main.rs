//! The fence on the real kernel, around real programs: what is denied, what is let through, and how its loss is found.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

mod beside;
mod caller;
mod denied;
mod gone;
mod lost;
mod programs;
mod refused;
mod reported;
mod scene;
