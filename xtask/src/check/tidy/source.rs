//! The agent's sources, without what is no code of the program: comments and tests.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// A file of the agent.
pub(super) struct Source {
    /// Its path below `src`.
    pub(super) file: String,
    /// The module at the top of the crate that it belongs to: `http` for `http.rs` and `http/h1/body.rs`.
    pub(super) module: String,
    /// How many `super::` lead from it to the root of the crate.
    pub(super) depth: usize,
    /// Its text, without comments, up to its tests.
    pub(super) code: String,
}

impl Source {
    /// The file with this path below `src` and this text.
    pub(super) fn new(file: &str, text: &str) -> Source {
        let path = file.trim_end_matches(".rs");
        let names: Vec<&str> = path.split('/').filter(|name| *name != "mod").collect();
        let module = names.first().copied().unwrap_or_default().to_owned();
        let depth = if module == "lib" || module == "main" { 0 } else { names.len() };
        Source { file: file.to_owned(), module, depth, code: without_tests_and_comments(text) }
    }
}

/// All files below `src` but those that are tests.
pub(super) fn read(src: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut directories = vec![src.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).with_context(|| directory.display().to_string())? {
            let path = entry?.path();
            let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
            if path.is_dir() && !is_test {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
                let file = path.strip_prefix(src)?.to_string_lossy().into_owned();
                sources.push(Source::new(&file, &fs::read_to_string(&path)?));
            }
        }
    }
    sources.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(sources)
}

/// Tests stand at the bottom of a file. A `mod tests;` above the code has a file of its own, so only an inline one ends
/// what is looked at.
fn without_tests_and_comments(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let inline_tests = |next: &&str| next.trim_start().starts_with("mod ") && next.contains('{');
        if line.trim_start().starts_with("#[cfg(test)]") && lines.peek().is_some_and(inline_tests) {
            break;
        }
        code.push_str(line.find("//").map_or(line, |comment| &line[..comment]));
        code.push('\n');
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_knows_its_place() {
        for (file, module, depth) in [
            ("http.rs", "http", 1),
            ("http/h1/body.rs", "http", 3),
            ("lib.rs", "lib", 0),
            ("run/mod.rs", "run", 1),
        ] {
            let source = Source::new(file, "");
            assert_eq!((source.module.as_str(), source.depth), (module, depth), "{file}");
        }
    }

    #[test]
    fn comments_and_tests_are_no_code() {
        let text = "a // b\n//! c\n#[cfg(test)]\nmod tests;\nd\n#[cfg(test)]\nmod tests {\n e\n}\n";
        assert_eq!(without_tests_and_comments(text), "a \n\n#[cfg(test)]\nmod tests;\nd\n");
    }
}
