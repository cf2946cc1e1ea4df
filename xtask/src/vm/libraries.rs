//! Which files a program of this machine needs in another root.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::exec::{output, which};

/// A program by name, with its shared libraries and their loader.
pub(super) fn with_libraries(program: &str) -> Result<Vec<PathBuf>> {
    let file = which(program).with_context(|| format!("there is no program {program}"))?;
    let needed = libraries(&file);
    Ok([vec![file], needed].concat())
}

/// None for a program that is linked statically, at which `ldd` fails.
fn libraries(program: &Path) -> Vec<PathBuf> {
    output(Command::new("ldd").arg(program)).as_deref().map(parse).unwrap_or_default()
}

fn parse(text: &str) -> Vec<PathBuf> {
    let absolute = |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(PathBuf::from);
    text.lines().filter_map(absolute).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_the_words_of_ldd() {
        let text = "\tlinux-vdso.so.1 (0x00007ffc)\n\tlibc.so.6 => /lib/libc.so.6 (0x00007f)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        assert_eq!(parse(text), ["/lib/libc.so.6", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from));
        assert!(parse("\tstatically linked\n").is_empty());
    }
}
