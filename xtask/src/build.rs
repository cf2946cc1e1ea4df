//! Builds the agent for use: for this machine, or as one file for any.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::exec::{cargo, exec};
use crate::{place, setup};

/// More than this is no longer carried lightly to a node.
const LARGEST_STATIC: u64 = 15 << 20;

/// Links the C library too.
const STATIC: [&str; 2] = ["-C", "target-feature=+crt-static"];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Without any library: runs wherever the kernel does
    #[arg(long = "static")]
    is_static: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    setup::ensure(setup::For::Build)?;
    let built = if options.is_static { static_agent()? } else { agent()? };
    eprintln!("built {}", built.display());
    Ok(())
}

fn agent() -> Result<PathBuf> {
    exec(&mut cargo(&["build", "--release", "--package", "mirror-agent"]))?;
    Ok(place::target()?.join("release/mirror-agent"))
}

/// The agent with everything in it, without names for a debugger.
pub(crate) fn static_agent() -> Result<PathBuf> {
    let built = static_build(&["--package", "mirror-agent", "--bin", "mirror-agent"])?;
    let agent = built.file("mirror-agent")?;
    check_size(&agent)?;
    Ok(agent)
}

/// Programs that were built, by the names of their targets.
pub(crate) struct Built(Vec<(String, PathBuf)>);

impl Built {
    /// Where a program is.
    pub(crate) fn file(&self, name: &str) -> Result<PathBuf> {
        let found = self.0.iter().find(|(built, _)| built == name).map(|(_, file)| file.clone());
        found.with_context(|| format!("cargo built no program {name}"))
    }
}

/// Builds without shared libraries. A directory of its own: the flags are for nothing else, and what the host's tests
/// have built stays. A target that is named keeps them from build scripts and macros.
pub(crate) fn static_build(what: &[&str]) -> Result<Built> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut build = cargo(&["build", "--release", "--message-format=json-render-diagnostics"]);
    build.args(["--target", &target]).args(what);
    build.env("CARGO_TARGET_DIR", place::target()?.join("static"));
    build.env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
    build.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", STATIC.join("\x1f"));
    let output = build.stderr(Stdio::inherit()).output().context("start cargo")?;
    ensure!(output.status.success(), "{} from {build:?}", output.status);
    let messages = String::from_utf8_lossy(&output.stdout);
    Ok(Built(messages.lines().filter_map(executable).collect()))
}

/// A program that a message of cargo's names, with the name of its target.
fn executable(message: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let file = message["executable"].as_str()?;
    Some((message["target"]["name"].as_str()?.to_owned(), file.into()))
}

fn check_size(agent: &Path) -> Result<()> {
    let size = agent.metadata().with_context(|| format!("look at {}", agent.display()))?.len();
    ensure!(size < LARGEST_STATIC, "{} has {size} bytes, more than {LARGEST_STATIC}", agent.display());
    Ok(())
}
