//! A small world of network namespaces: a client, a node that routes, and v1 and v2 behind it.
//!
//! ```text
//!  client                 node                        v1 (10.77.1.2, fd77:1::2)
//!  eth0 ═══════════ eth0 ──┬── veth-v1 ═══════════ eth0
//!  10.77.0.2        routes └── veth-v2 ═══════════ eth0
//!  fd77:0::2                                          v2 (10.77.2.2, fd77:2::2)
//! ```
//!
//! The names of the interfaces are fixed, because each is inside a namespace of its own world; the host's own
//! namespace gets no interface at all. The namespaces are called `mt<pid>-<number>-<host>`.

pub mod interrupt;
mod network;
mod remnant;

use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, setns};

use crate::process::{Process, confine};

/// Where the namespaces of `ip netns` are.
const NAMESPACES: &str = "/run/netns";

/// A host of the world: a network namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// Where the users are.
    Client,
    /// Routes between the others; the agent runs here.
    Node,
    /// Where the production version runs.
    V1,
    /// Where the new version runs.
    V2,
}

/// The hosts and the wires between them, and a directory for their files. Dropping it removes all of it.
#[derive(Debug)]
pub struct World {
    prefix: String,
}

impl Host {
    /// Every host.
    pub const ALL: [Host; 4] = [Host::Client, Host::Node, Host::V1, Host::V2];

    /// The node's interface towards this host; for the node itself, the one towards the client.
    pub fn interface(self) -> &'static str {
        match self {
            Host::Client | Host::Node => "eth0",
            Host::V1 => "veth-v1",
            Host::V2 => "veth-v2",
        }
    }

    /// The host's IPv4 address.
    pub fn ipv4(self) -> IpAddr {
        let end = if self == Host::Node { 1 } else { 2 };
        Ipv4Addr::new(10, 77, self.leg(), end).into()
    }

    /// The host's IPv6 address.
    pub fn ipv6(self) -> IpAddr {
        let end = if self == Host::Node { 1 } else { 2 };
        Ipv6Addr::new(0xfd77, self.leg().into(), 0, 0, 0, 0, 0, end).into()
    }

    /// Where a service on this host listens (IPv4).
    pub fn service(self) -> SocketAddr {
        SocketAddr::new(self.ipv4(), crate::service::PORT)
    }

    /// The number of the wire that leads to this host.
    fn leg(self) -> u8 {
        match self {
            Host::Client | Host::Node => 0,
            Host::V1 => 1,
            Host::V2 => 2,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Host::Client => "client",
            Host::Node => "node",
            Host::V1 => "v1",
            Host::V2 => "v2",
        }
    }
}

impl World {
    /// Removes what earlier processes left when they were killed, then makes a world. From then on SIGINT, SIGTERM and
    /// SIGHUP remove it too (see [`interrupt`]).
    ///
    /// # Errors
    ///
    /// Without root, without `ip` (iproute2), or when the kernel refuses.
    pub fn new() -> Result<World> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        World::sweep()?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let world = World { prefix: format!("mt{}-{number}", std::process::id()) };
        interrupt::watch(&world.prefix)?;
        fs::create_dir_all(world.directory())
            .with_context(|| format!("create {}", world.directory().display()))?;
        network::build(&world).context("make the world of namespaces (needs root and iproute2)")?;
        Ok(world)
    }

    /// Removes the worlds of processes that no longer run. Needs no world.
    ///
    /// # Errors
    ///
    /// When something of theirs cannot be removed.
    pub fn sweep() -> Result<()> {
        remnant::dead().iter().try_for_each(|prefix| remnant::remove(prefix))
    }

    /// A directory for sockets, logs and other files; it goes with the world.
    pub fn directory(&self) -> PathBuf {
        remnant::directory(&self.prefix)
    }

    /// The name of a host's namespace, for `ip netns`.
    pub fn namespace(&self, host: Host) -> String {
        format!("{}-{}", self.prefix, host.name())
    }

    /// Cuts the wire to a host, as when its pod ends.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn cut(&self, host: Host) -> Result<()> {
        network::ip(&["-n", &self.namespace(Host::Node), "link", "del", host.interface()], "")
    }

    /// Lays the wire to a host again, with the same names and addresses, as when its pod is back.
    ///
    /// # Errors
    ///
    /// When it was not cut, or the kernel refuses.
    pub fn lay(&self, host: Host) -> Result<()> {
        network::wire(self, host)
    }

    /// Starts `command` on `host`. With `log`, its stderr goes to that file in [`World::directory`].
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn spawn(&self, host: Host, command: &mut Command, log: Option<&str>) -> Result<Process> {
        Process::start(command, &self.path(host), log.map(|name| self.directory().join(name)))
    }

    /// Runs `command` on `host` to its end and returns what it wrote.
    ///
    /// # Errors
    ///
    /// When it cannot be started; a failing exit status is not an error here.
    pub fn output(&self, host: Host, command: &mut Command) -> Result<Output> {
        confine(command, &self.path(host))?;
        command.output().with_context(|| format!("run {command:?}"))
    }

    /// Runs `work` in a thread that is on `host`; sockets made there stay there.
    ///
    /// # Errors
    ///
    /// When the namespace cannot be entered. A panic of `work` goes on here.
    pub fn enter<T: Send>(&self, host: Host, work: impl FnOnce() -> T + Send) -> Result<T> {
        let namespace = File::open(self.path(host))?;
        let inside = || -> Result<T> {
            setns(&namespace, CloneFlags::CLONE_NEWNET)?;
            Ok(work())
        };
        std::thread::scope(|scope| {
            scope.spawn(inside).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn path(&self, host: Host) -> PathBuf {
        Path::new(NAMESPACES).join(self.namespace(host))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        interrupt::forget(&self.prefix);
        if let Err(error) = remnant::remove(&self.prefix) {
            eprintln!("cannot remove the world {}: {error:#}", self.prefix);
        }
    }
}
