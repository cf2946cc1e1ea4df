//! `read`: the HTTP exchanges in capture files, one by one and summed up.
//! A composition root of its own: frames from files go through the pure middle to what people and programs read.

pub mod output;
pub mod paths;
pub mod progress;
pub mod record;
pub mod summary;
pub mod template;

use anyhow::{Result, bail};

use crate::cli::Read;

/// Reads the files and shows what is in them.
///
/// # Errors
///
/// When a file cannot be read to its end, or the output cannot be written.
pub fn run(args: &Read) -> Result<()> {
    bail!("cannot read {} files yet", args.files.len())
}
