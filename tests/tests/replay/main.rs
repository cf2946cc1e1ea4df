//! `mirror-agent replay` on captures that were written by hand and made by seed, against what each version was asked.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

mod answers;
mod faults;
mod limits;
mod nginx;
mod schedule;
mod script;
mod tool;
mod version;
