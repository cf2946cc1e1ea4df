//! A private network namespace. It lives as long as somebody holds it, and takes everything in it along.

use std::fs::File;
use std::thread;

use anyhow::{Context, Result, anyhow};
use nix::sched::{CloneFlags, setns, unshare};

/// A handle on a network namespace that no path leads to: it is gone with the last handle and socket, also when the
/// process is killed.
pub struct Namespace(File);

impl Namespace {
    /// Makes a new, empty namespace.
    ///
    /// # Errors
    ///
    /// Without `CAP_SYS_ADMIN`.
    pub fn new() -> Result<Self> {
        on_own_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET).context("make a private network namespace (CAP_SYS_ADMIN)")?;
            Self::current()
        })
    }

    /// The namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// When /proc is not mounted.
    pub fn current() -> Result<Self> {
        let path = "/proc/thread-self/ns/net";
        Ok(Namespace(File::open(path).with_context(|| format!("open {path}"))?))
    }

    /// Runs something inside the namespace. What it opens there stays usable outside.
    ///
    /// # Errors
    ///
    /// When the namespace cannot be entered, and what `act` returns.
    pub fn run<T: Send>(&self, act: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        on_own_thread(|| {
            setns(&self.0, CloneFlags::CLONE_NEWNET).context("enter the private network namespace")?;
            act()
        })
    }

    /// The descriptor, for netlink.
    pub fn file(&self) -> &File {
        &self.0
    }
}

/// A thread that dies afterwards, so that no other work ever runs in a namespace that is not its own.
fn on_own_thread<T: Send>(act: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| scope.spawn(act).join())
        .map_err(|_| anyhow!("a thread in another namespace panicked"))?
}
