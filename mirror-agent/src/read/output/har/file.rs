//! A file that takes its place only when it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::NamedTempFile;

/// Writes beside the file that it will replace. A pipe or a device is no file and is written at once.
#[derive(Debug)]
pub(super) struct Replacement {
    to: To,
    path: PathBuf,
}

#[derive(Debug)]
enum To {
    Beside(BufWriter<NamedTempFile>),
    Straight(BufWriter<File>),
}

impl Replacement {
    /// Makes a file for its owner alone, because what users sent will be in it.
    pub(super) fn create(path: &Path) -> Result<Replacement> {
        let what = || format!("write {}", path.display());
        // Of a link, what it points to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        let to = match fs::metadata(&path) {
            Ok(data) if !data.is_file() => {
                To::Straight(BufWriter::new(OpenOptions::new().write(true).open(&path).with_context(what)?))
            }
            _ => To::Beside(BufWriter::new(beside(&path).with_context(what)?)),
        };
        Ok(Replacement { to, path })
    }

    /// Puts the file in its place.
    pub(super) fn finish(self) -> io::Result<()> {
        let Replacement { to, path } = self;
        let finished = match to {
            To::Beside(file) => file.into_inner().map_err(io::Error::from).and_then(|file| {
                file.as_file().sync_all()?; // some file systems say only now that they are full
                file.persist(&path).map(drop).map_err(io::Error::from)
            }),
            To::Straight(mut file) => file.flush(),
        };
        finished.map_err(|error| named(error, &path))
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.to {
            To::Beside(file) => file.write(bytes),
            To::Straight(file) => file.write(bytes),
        };
        written.map_err(|error| named(error, &self.path))
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = match &mut self.to {
            To::Beside(file) => file.flush(),
            To::Straight(file) => file.flush(),
        };
        flushed.map_err(|error| named(error, &self.path))
    }
}

fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    tempfile::Builder::new()
        .prefix(".mirror-agent-")
        .suffix(".har")
        .tempfile_in(directory.unwrap_or(Path::new(".")))
}

/// Names the file. A pipe that closed must not be taken for a closed standard output, so the kind goes.
fn named(error: io::Error, path: &Path) -> io::Error {
    if error.kind() == io::ErrorKind::Interrupted {
        return error; // is tried again
    }
    io::Error::other(format!("write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_file_stands_until_the_new_one_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.har");
        fs::write(&path, "old").unwrap();
        let mut broken = Replacement::create(&path).unwrap();
        broken.write_all(b"half").unwrap();
        broken.flush().unwrap();
        drop(broken);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        let mut whole = Replacement::create(&path).unwrap();
        whole.write_all(b"new").unwrap();
        whole.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_link_and_a_device_stay_what_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (directory.path().join("out.har"), directory.path().join("link"));
        fs::write(&path, "old").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut file = Replacement::create(&link).unwrap();
        file.write_all(b"new").unwrap();
        file.finish().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");

        std::os::unix::fs::symlink("/dev/full", directory.path().join("full")).unwrap();
        let mut full = Replacement::create(&directory.path().join("full")).unwrap();
        full.write_all(b"x").unwrap();
        let error = full.finish().unwrap_err();
        assert!(error.to_string().contains("/dev/full: No space left"), "{error}");
        assert!(!fs::metadata("/dev/full").unwrap().is_file());
    }

    #[test]
    fn a_place_that_is_not_there_is_named() {
        let error = Replacement::create(Path::new("/no/such/place/out.har")).unwrap_err();
        assert!(format!("{error:#}").contains("/no/such/place/out.har"), "{error:#}");
    }
}
