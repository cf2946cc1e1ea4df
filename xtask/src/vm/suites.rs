//! Which test binaries run in a guest, and which of their tests do not.

use std::path::PathBuf;

use anyhow::Result;

use crate::build;

/// A test binary.
pub(super) struct Suite {
    pub(super) name: &'static str,
    /// Tests that are left out, by the whole name, with the reason.
    pub(super) left_out: &'static [(&'static str, &'static str)],
    pub(super) file: PathBuf,
}

/// What the suites run.
pub(super) struct Programs {
    pub(super) suites: Vec<Suite>,
    /// The agent under test, and the services and the load of the tests' worlds.
    pub(super) beside: Vec<(&'static str, PathBuf)>,
}

/// What emulation makes so slow that it would say nothing more than the host's run does.
const TOO_SLOW: [(&str, &str); 2] = [
    (
        "verdict::random_bytes_pass",
        "thousands of packets, minutes when emulated; each shape and byte is tried",
    ),
    (
        "verdict::random_talks_balance",
        "thousands of packets, minutes when emulated; each kind of talk is tried",
    ),
];

/// All of it, linked statically. The agent is the one that `cargo xtask build --static` makes.
pub(super) fn build() -> Result<Programs> {
    let agent = build::static_agent()?;
    let tests = ["--package", "mirror-tests", "--bin", "demo", "--test", "tap", "--test", "kernels"];
    let built = build::static_build(&tests)?;
    let suite = |name, left_out| Ok(Suite { name, left_out, file: built.file(name)? });
    let suites = [suite("kernels", &[]), suite("tap", &TOO_SLOW)].into_iter().collect::<Result<_>>()?;
    Ok(Programs { suites, beside: vec![("mirror-agent", agent), ("demo", built.file("demo")?)] })
}
