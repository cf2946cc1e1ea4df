//! What the agent's decoders must bear: a function for each fuzz target that takes any bytes and panics if the
//! decoder breaks a promise.
//!
//! ```text
//! input, memory, wire ─► packet, stream, http, chunked, file, pipeline, engine,
//! compare, contracts ─► fuzz (libFuzzer), tests/corpus.rs
//! ```
//!
//! `cargo xtask fuzz` looks for new input; what it found is kept in `corpus`, and each test run tries all of it.

#![expect(clippy::unwrap_used, reason = "a panic is how a target fails")]

pub mod memory;
pub mod wire;

mod chunked;
mod compare;
mod contracts;
mod engine;
mod file;
mod http;
mod input;
mod oracle;
mod packet;
mod pipeline;
mod stream;

/// Takes bytes of any kind. Panics if a promise is broken.
pub type Target = fn(&[u8]);

/// Every target, by the name of its directory in `corpus`.
pub const TARGETS: [(&str, Target); 10] = [
    ("packet", packet::run),
    ("stream", stream::run),
    ("request", http::requests),
    ("response", http::responses),
    ("chunked", chunked::run),
    ("file", file::run),
    ("pipeline", pipeline::run),
    ("engine", engine::run),
    ("compare", compare::run),
    ("contracts", contracts::run),
];

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|(known, _)| *known == name).map(|(_, target)| target)
}
