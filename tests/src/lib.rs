//! What the end-to-end tests and the demo stand on: a world of namespaces, services that can lie, a load, the agent; and
//! simulated traffic for the judge.
//!
//! ```text
//! world, cgroup ─► process ─► service, nginx, load, agent ─► demo
//! simulation ─► scenario files, the table of docs/judge.md
//!            └► rehearsal ─► scenario files of the guards
//! ```
//!
//! Everything but `simulation`, `rehearsal` and `traffic` needs root and a Linux kernel. Nothing but `simulation` and `rehearsal` knows how the
//! agent works inside: it is started as its users start it, and asked over its own control socket.

pub mod agent;
pub mod cgroup;
pub mod demo;
pub mod drill;
pub mod load;
pub mod nginx;
pub mod process;
pub mod quantile;
pub mod rehearsal;
pub mod service;
pub mod simulation;
pub mod traffic;
pub mod wait;
pub mod world;

use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// The `demo` binary of this package, which is also the service and the load behind hidden verbs.
///
/// # Errors
///
/// When it stands neither where the running program stands nor one directory above (as for a test).
pub fn demo_binary() -> Result<PathBuf> {
    beside_us("demo").context("`cargo build -p mirror-tests` makes it")
}

/// The agent to test: `MIRROR_AGENT_BIN` if it is set, else the one that was built beside the running program.
///
/// # Errors
///
/// When there is none.
pub fn agent_binary() -> Result<PathBuf> {
    match std::env::var_os("MIRROR_AGENT_BIN") {
        Some(path) => Ok(path.into()),
        None => beside_us("mirror-agent").context("`cargo build` makes it, or set MIRROR_AGENT_BIN"),
    }
}

fn beside_us(name: &str) -> Result<PathBuf> {
    let us = std::env::current_exe()?;
    us.ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
        .with_context(|| format!("there is no `{name}` beside {}", us.display()))
}
