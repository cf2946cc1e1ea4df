//! What the agent starts itself with, to test a fence from inside.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// Call from inside a cgroup, and say what came of it
#[derive(Clone, Debug, Args)]
pub struct FenceProbe {
    /// The cgroup to join
    pub cgroup: PathBuf,
    /// Where to call by IPv4
    pub v4: SocketAddr,
    /// Where to call by IPv6
    pub v6: SocketAddr,
}
