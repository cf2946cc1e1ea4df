//! Every input that is kept, through its target: seeds, and what was found once.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

use std::fs;
use std::path::Path;

use mirror_fuzz::{TARGETS, Target};

#[test]
fn every_target_bears_its_corpus() {
    for (name, target) in TARGETS {
        target(&[]);
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let files =
            fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        let mut count = 0;
        for file in files {
            bear(target, &file.unwrap().path());
            count += 1;
        }
        assert!(count > 0, "{} is empty", directory.display());
    }
}

/// Names the file if it fails.
fn bear(target: Target, file: &Path) {
    let data = fs::read(file).unwrap();
    if std::panic::catch_unwind(|| target(&data)).is_err() {
        panic!("{}", file.display());
    }
}
