//! bpf-linker: turns the compiler's bitcode into an eBPF object.

use std::process::Command;

use anyhow::{Result, ensure};

use super::toolchain::{LLVM, Toolchain, debian_llvm};
use crate::exec::{cargo, exec, output, which};
use crate::place;

/// The version that is installed when none is there, and the oldest that is accepted.
const VERSION: &str = "0.13.0";

/// The LLVM that VERSION is built with for Debian's compiler, and cargo's name for that.
const LLVM_MAJOR: &str = "22.";
const LLVM_FEATURE: &str = "llvm-22";

/// Installs it into `target/tools` unless one is there or in `PATH`.
pub(super) fn ensure(toolchain: &Toolchain) -> Result<()> {
    let ours = place::tools().join("bin/bpf-linker");
    let there = [Some(ours), which("bpf-linker")].into_iter().flatten();
    if there
        .filter_map(|linker| output(Command::new(linker).arg("--version")))
        .any(|text| is_new_enough(&text))
    {
        return Ok(());
    }
    let tools = place::tools().display().to_string();
    eprintln!("installing bpf-linker {VERSION} into {tools} (about a minute)");
    let mut install = cargo(&["install", "bpf-linker", "--version", VERSION, "--locked", "--root", &tools]);
    if *toolchain == Toolchain::Debian {
        let llvm = debian_llvm().unwrap_or_default();
        ensure!(
            llvm.starts_with(LLVM_MAJOR),
            "Debian's rustc has LLVM {llvm}, and bpf-linker would have {LLVM_MAJOR}x"
        );
        install.args(["--no-default-features", "--features", LLVM_FEATURE]);
        install.env("LLVM_SYS_221_PREFIX", LLVM).env("LLVM_PREFIX", LLVM);
    }
    exec(&mut install)
}

/// `bpf-linker 0.13.0` is.
fn is_new_enough(text: &str) -> bool {
    let version = text.split_whitespace().nth(1).unwrap_or_default();
    parts(version) >= parts(VERSION)
}

fn parts(version: &str) -> Vec<u32> {
    version.split('.').map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (text, expected) in [
            ("bpf-linker 0.13.0\n", true),
            ("bpf-linker 0.13.1\n", true),
            ("bpf-linker 1.0.0\n", true),
            ("bpf-linker 0.9.15\n", false),
            ("bpf-linker\n", false),
            ("", false),
        ] {
            assert_eq!(is_new_enough(text), expected, "{text:?}");
        }
    }
}
