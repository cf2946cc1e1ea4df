//! `mirror-agent read` on captures that were made, damaged and taken, against the truth, nginx and tshark.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

#[path = "../capture/capture.rs"]
mod capture;
mod captured;
mod clean;
mod damaged;
mod differences;
mod generator;
mod input;
mod nginx;
mod ours;
mod tshark;

use std::io::BufWriter;

use mirror_tests::traffic::{Timed, write};
use tempfile::NamedTempFile;

/// A capture file of these frames. It goes when it is dropped.
fn file(frames: &[Timed]) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    write(BufWriter::new(file.as_file()), frames).unwrap();
    file
}
