//! The compiler for eBPF: either of two kinds, and the build knows both.
//!
//! 1. A nightly of rustup with `rust-src`, which builds `core` itself (`-Z build-std=core`).
//! 2. Debian's own rustc, for which Debian packages a `core` that is compiled for eBPF.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::For;
use super::apt::Package;
use crate::exec::output;

/// The target of the kernel programs.
pub(crate) const TARGET: &str = "bpfel-unknown-none";

/// Debian's compiler stands beside rustup's, which stays the default.
pub(crate) const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
pub(crate) const DEBIAN_CLIPPY: &str = "/usr/bin/clippy-driver";
const DEBIAN_CORE: &str = "/usr/lib/rustlib/bpfel-unknown-none";

/// The LLVM of Debian's compiler, which the linker must share.
pub(super) const LLVM: &str = "/usr/lib/llvm-22";

const PACKAGES: [Package; 4] = [
    // Not by /usr/bin/rustc, which may be Debian's older one.
    Package::with_file("rustc-web", "/usr/share/doc/rustc-web"),
    Package::with_file("libstd-rust-web-dev-bpf", DEBIAN_CORE),
    Package::with_file("rust-web-llvm", "/usr/share/doc/rust-web-llvm"),
    Package::with_file("llvm-22-dev", "/usr/lib/llvm-22/include/llvm"),
];

/// Debian's clippy is made for Debian's rustc; rustup's cannot read that rustc's `core`.
const CLIPPY: Package = Package::with_file("rust-web-clippy", DEBIAN_CLIPPY);

/// A compiler for eBPF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// By the name that `cargo +NAME` takes.
    Nightly(String),
    /// At [`DEBIAN_RUSTC`].
    Debian,
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Toolchain::Nightly(name) => write!(f, "rustup's {name}"),
            Toolchain::Debian => write!(f, "Debian's {DEBIAN_RUSTC}"),
        }
    }
}

impl Toolchain {
    /// The one that is there, the nightly first.
    pub(crate) fn find() -> Option<Toolchain> {
        let nightly = rustup_home().and_then(|home| nightly_with_source(&home.join("toolchains")));
        nightly.map(Toolchain::Nightly).or_else(|| Toolchain::installed().ok())
    }

    /// Debian's, if all of it is there.
    pub(super) fn installed() -> Result<Toolchain> {
        let complete = Path::new(DEBIAN_RUSTC).exists() && Path::new(DEBIAN_CORE).exists();
        complete.then_some(Toolchain::Debian).context(
            "no compiler for eBPF: install Debian's packages rustc-web and libstd-rust-web-dev-bpf, or \
             run `rustup toolchain install nightly --component rust-src`",
        )
    }
}

/// What must be installed for the compiler that was found, or for Debian's when none was.
pub(super) fn packages(found: Option<&Toolchain>, purpose: For) -> Vec<Package> {
    match found {
        Some(Toolchain::Nightly(_)) => Vec::new(),
        Some(Toolchain::Debian) | None if purpose == For::Check => [&PACKAGES[..], &[CLIPPY]].concat(),
        Some(Toolchain::Debian) | None => PACKAGES.to_vec(),
    }
}

/// Where rustup keeps its toolchains.
fn rustup_home() -> Option<PathBuf> {
    let home = || std::env::home_dir().map(|home| home.join(".rustup"));
    std::env::var_os("RUSTUP_HOME").map(PathBuf::from).or_else(home)
}

/// The newest nightly that can build `core`. Looks at files, because asking rustup may make it install things.
fn nightly_with_source(toolchains: &Path) -> Option<String> {
    let names = std::fs::read_dir(toolchains)
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.starts_with("nightly")).filter(|name| has_source(&toolchains.join(name))).max()
}

fn has_source(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib/src/rust/library/core/Cargo.toml").exists()
}

/// The version of LLVM that Debian's compiler has, such as `22.1.2`.
pub(super) fn debian_llvm() -> Option<String> {
    let text = output(Command::new(DEBIAN_RUSTC).arg("-vV"))?;
    text.lines().find_map(|line| line.strip_prefix("LLVM version: ")).map(str::to_owned)
}
