//! Everything that can be judged without running the programs.

mod tidy;

use std::process::Command;

use anyhow::{Result, bail};

use crate::exec::{cargo, exec};
use crate::setup::toolchain::{DEBIAN_CLIPPY, DEBIAN_RUSTC, TARGET, Toolchain};
use crate::{place, setup};

#[derive(clap::Args)]
pub(crate) struct Options {}

/// Every check runs, so that one failure does not hide another.
pub(crate) fn run(Options {}: &Options) -> Result<()> {
    let toolchain = setup::ensure(setup::For::Check)?;
    let checks: [(&str, &dyn Fn() -> Result<()>); 6] = [
        ("format", &|| exec(&mut cargo(&["fmt", "--all", "--check"]))),
        ("format of mirror-ebpf", &|| exec(ebpf(&mut cargo(&["fmt", "--check"])))),
        ("tidy", &tidy::run),
        ("clippy", &|| exec(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))),
        ("clippy of mirror-ebpf", &|| exec(&mut clippy_ebpf(&toolchain)?)),
        ("docs", &|| {
            exec(cargo(&["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings"))
        }),
    ];
    let mut failed = Vec::new();
    for (name, check) in checks {
        eprintln!("check: {name}");
        if let Err(error) = check() {
            eprintln!("{error:#}");
            failed.push(name);
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("failed: {}", failed.join(", ")) }
}

/// Clippy for the kernel programs, by the compiler that will build them.
fn clippy_ebpf(toolchain: &Toolchain) -> Result<Command> {
    let mut command = match toolchain {
        Toolchain::Nightly(name) => {
            let mut command = Command::new("rustup");
            command.args(["run", name, "cargo", "clippy", "-Z", "build-std=core"]);
            command.args(["--target", TARGET, "--", "-D", "warnings"]);
            command
        }
        // What `cargo clippy` does, but with Debian's compiler and Debian's clippy. Flags of the target go by
        // RUSTFLAGS; warnings become errors by the arguments that clippy reads from its environment.
        Toolchain::Debian => {
            let mut command = cargo(&["check", "--target", TARGET]);
            command.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
            command.env("RUSTC_WORKSPACE_WRAPPER", DEBIAN_CLIPPY);
            command.env("CLIPPY_ARGS", "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__");
            command
        }
    };
    // A directory of its own: the other compiler must not throw away what the build has made.
    command.env("CARGO_TARGET_DIR", place::target()?.join("check-ebpf"));
    ebpf(&mut command);
    Ok(command)
}

/// In the workspace of the kernel programs.
fn ebpf(command: &mut Command) -> &mut Command {
    command.current_dir(place::root().join("mirror-ebpf"))
}
