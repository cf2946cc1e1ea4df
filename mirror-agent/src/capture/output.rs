//! The file that is written: it exists before anything is tapped, and ends with a whole block whatever happens.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A file that only ever holds whole pieces.
#[derive(Debug)]
pub(super) struct Output {
    file: File,
    path: PathBuf,
    /// Bytes that are safely in the file.
    len: u64,
    begun: bool,
    ours: bool,
}

impl Output {
    /// Makes sure that `path` can be written. What stands there stays until [`Output::begin`].
    ///
    /// # Errors
    ///
    /// When it cannot be written, naming it.
    pub(super) fn open(path: &Path) -> Result<Output> {
        // What users sent is in it, so a new file is for its owner alone.
        let (file, ours) = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                (OpenOptions::new().write(true).open(path), false)
            }
            new => (new, true),
        };
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Output { file, path: path.into(), len: 0, begun: false, ours })
    }

    /// Empties the file.
    ///
    /// # Errors
    ///
    /// When the file system refuses.
    pub(super) fn begin(&mut self) -> Result<()> {
        let plain = self.file.metadata().is_ok_and(|data| data.is_file()); // a pipe or a device has no length to set
        if plain {
            self.file.set_len(0).with_context(|| format!("cannot empty {}", self.path.display()))?;
        }
        self.begun = true;
        Ok(())
    }

    /// Appends a piece, all of it or nothing.
    ///
    /// # Errors
    ///
    /// When the file system refuses, as when it is full.
    pub(super) fn append(&mut self, piece: &[u8]) -> Result<()> {
        if let Err(error) = self.file.write_all(piece) {
            let _ = self.file.set_len(self.len);
            return Err(error).with_context(|| format!("cannot write {}", self.path.display()));
        }
        self.len += piece.len() as u64;
        Ok(())
    }

    /// Bytes in the file.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Output {
    /// A capture that could not begin leaves no empty file.
    fn drop(&mut self) {
        if self.ours && !self.begun {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("mirror-agent-output-{}-{name}", std::process::id()))
    }

    #[test]
    fn what_did_not_begin_leaves_no_trace() {
        let path = place("trace");
        drop(Output::open(&path).unwrap());
        assert!(!path.exists());
        std::fs::write(&path, "precious").unwrap();
        drop(Output::open(&path).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
        let mut output = Output::open(&path).unwrap();
        output.begin().unwrap();
        output.append(b"new").unwrap();
        drop(output);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let error = Output::open(Path::new("/no/such/place/out.pcapng")).unwrap_err();
        assert!(format!("{error:#}").contains("/no/such/place/out.pcapng"), "{error:#}");
        let error = Output::open(Path::new("/")).unwrap_err();
        assert!(format!("{error:#}").contains("cannot write /"), "{error:#}");
    }
}
