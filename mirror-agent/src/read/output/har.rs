//! `--har`: an HTTP Archive 1.2 of every exchange with a request, for browsers and what else reads it.
//! Entries go to the file one by one, in the order in which they end, so memory does not grow with the capture.

mod content;
mod entry;
mod file;
mod url;

use std::io::{self, Write};
use std::path::Path;

use anyhow::Result;

use crate::read::record::Record;
use crate::read::summary::Summary;
use entry::Entry;
use file::Replacement;

/// A file that is being written.
#[derive(Debug)]
pub struct Har {
    file: Replacement,
    entries: u64,
    /// The entry that is made, reused.
    entry: Vec<u8>,
}

impl Har {
    /// Begins a file that will stand at `path` once it is whole.
    ///
    /// # Errors
    ///
    /// When it cannot be made, naming it.
    pub fn create(path: &Path) -> Result<Har> {
        Ok(Har { file: Replacement::create(path)?, entries: 0, entry: Vec::new() })
    }

    /// Adds an exchange, if it has a request.
    ///
    /// # Errors
    ///
    /// When the file cannot be written, naming it.
    pub fn exchange(&mut self, record: &Record<'_>) -> io::Result<()> {
        let Some(entry) = Entry::new(record) else { return Ok(()) };
        self.entry.clear();
        self.entry.extend_from_slice(if self.entries == 0 { HEAD.as_bytes() } else { b",\n" });
        serde_json::to_writer(&mut self.entry, &entry)?;
        self.entries += 1;
        self.file.write_all(&self.entry)
    }

    /// Ends the file and puts it in its place.
    ///
    /// # Errors
    ///
    /// When the file cannot be written. Then what stood in its place still stands there.
    pub fn end(mut self, summary: &Summary) -> io::Result<()> {
        let left_out = summary.exchanges.total.saturating_sub(self.entries);
        let head = if self.entries == 0 { HEAD } else { "" };
        write!(
            self.file,
            "{head}\n],\"comment\":\"Seen on the wire; {left_out} exchanges without a request are left out\"}}}}\n"
        )?;
        self.file.finish()
    }
}

/// Everything before the entries.
const HEAD: &str = concat!(
    r#"{"log":{"version":"1.2","creator":{"name":"mirror-agent","version":""#,
    env!("CARGO_PKG_VERSION"),
    r#""},"pages":[],"entries":["#,
    "\n"
);

#[cfg(test)]
mod tests;
