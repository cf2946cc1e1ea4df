//! The config file, looked at for changes.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file whose content is told to have changed once it has been quiet for one look: whoever writes it in several steps,
/// or swaps a link to it, is not caught in the middle.
pub struct Watch {
    path: PathBuf,
    /// The content that is in force, or was refused.
    known: Option<Vec<u8>>,
    /// The file as of the last look.
    seen: Option<Mark>,
    /// The file whose content is `known`.
    read: Option<Mark>,
}

/// Device, inode, time of the last change of content (s, ns) and length. Another file has another, however its times lie.
type Mark = (u64, u64, i64, i64, u64);

impl Watch {
    /// The file as it is now is known.
    pub fn new(path: &Path) -> Self {
        let mark = mark(path);
        Watch { path: path.to_owned(), known: fs::read(path).ok(), seen: mark, read: mark }
    }

    /// Whether the content has changed since it was last said to have; to be asked about once a second. Where the file is
    /// read again anyway (`reread`), it has not.
    pub fn has_changed(&mut self, reread: bool) -> bool {
        let now = mark(&self.path);
        let is_quiet = now == self.seen;
        self.seen = now;
        if now.is_none() || !reread && (!is_quiet || now == self.read) {
            return false; // not there: the next one comes, or the old one stays in force
        }
        self.read = now;
        let content = fs::read(&self.path).ok();
        let differs = content != self.known;
        self.known = content;
        differs && !reread
    }
}

fn mark(path: &Path) -> Option<Mark> {
    let data = fs::metadata(path).ok()?; // of what the links lead to
    Some((data.dev(), data.ino(), data.mtime(), data.mtime_nsec(), data.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_once_when_it_is_quiet() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.yaml");
        fs::write(&path, "a").unwrap();
        let mut watch = Watch::new(&path);
        assert!(!watch.has_changed(false));
        fs::write(&path, "").unwrap();
        assert!(!watch.has_changed(false), "an editor is in the middle of it");
        fs::write(&path, "bc").unwrap();
        assert_eq!([(); 4].map(|()| watch.has_changed(false)), [false, true, false, false]);
    }

    #[test]
    fn a_file_that_was_only_touched_or_is_gone_has_not_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.yaml");
        fs::write(&path, "a").unwrap();
        let mut watch = Watch::new(&path);
        let other = directory.path().join("other");
        fs::write(&other, "a").unwrap();
        fs::rename(&other, &path).unwrap();
        assert_eq!([(); 3].map(|()| watch.has_changed(false)), [false; 3]);
        fs::remove_file(&path).unwrap();
        assert_eq!([(); 3].map(|()| watch.has_changed(false)), [false; 3]);
    }

    /// As a mounted ConfigMap is changed.
    #[test]
    fn a_link_that_is_swapped_is_a_change() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for (name, text) in [("1", "a"), ("2", "b")] {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join("config.yaml"), text).unwrap();
        }
        std::os::unix::fs::symlink("1", at("data")).unwrap();
        std::os::unix::fs::symlink("data/config.yaml", at("config.yaml")).unwrap();
        let mut watch = Watch::new(&at("config.yaml"));
        std::os::unix::fs::symlink("2", at("new")).unwrap();
        fs::rename(at("new"), at("data")).unwrap();
        assert_eq!([(); 3].map(|()| watch.has_changed(false)), [false, true, false]);
    }

    #[test]
    fn what_was_read_for_another_reason_is_known() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.yaml");
        fs::write(&path, "a").unwrap();
        let mut watch = Watch::new(&path);
        fs::write(&path, "bc").unwrap();
        assert_eq!([true, false, false].map(|reread| watch.has_changed(reread)), [false; 3]);
    }
}
