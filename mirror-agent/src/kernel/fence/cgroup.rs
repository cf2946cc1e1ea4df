//! Cgroups of version 2: where they are, and which lies in which.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, fstatfs};
use procfs::process::Process;

use crate::config;

/// A cgroup that is there.
#[derive(Debug)]
pub struct Cgroup {
    /// Where it is.
    pub path: PathBuf,
    /// Its directory, to attach to.
    pub directory: File,
    /// Itself and all that it lies in, by their numbers, from the inside out.
    ids: Vec<u64>,
}

impl Cgroup {
    /// Opens the cgroup at a path: absolute, or relative to where cgroup v2 is mounted.
    ///
    /// # Errors
    ///
    /// When there is none, or it is none of version 2; the path is named.
    pub fn open(path: &Path) -> Result<Cgroup> {
        let mount = mount()?;
        let path = mount.join(path); // an absolute path stays as it is
        let shown = path.display();
        let real = path.canonicalize().with_context(|| format!("there is no cgroup {shown}"))?;
        let directory = File::open(&real).with_context(|| format!("open the cgroup {shown}"))?;
        let kind = fstatfs(&directory).with_context(|| format!("ask what {shown} is"))?.filesystem_type();
        if kind != CGROUP2_SUPER_MAGIC || !directory.metadata()?.is_dir() {
            bail!("{shown} is no cgroup of version 2: those are below {}", mount.display());
        }
        Ok(Cgroup { ids: ids(&real)?, path: real, directory })
    }

    /// Whether `other` is it, or lies in it.
    pub fn holds(&self, other: &Cgroup) -> bool {
        self.ids.first().is_some_and(|id| other.ids.contains(id))
    }

    /// The one that this process is in, as far as it can be seen from here.
    fn own() -> Option<Cgroup> {
        let groups = Process::myself().ok()?.cgroups().ok()?;
        let own = groups.into_iter().find(|group| group.hierarchy == 0)?;
        Cgroup::open(Path::new(own.pathname.trim_start_matches('/'))).ok()
    }
}

/// The numbers of a cgroup and of all that it lies in, to the root of the mount.
fn ids(path: &Path) -> Result<Vec<u64>> {
    let first = fs::metadata(path).with_context(|| format!("look at the cgroup {}", path.display()))?;
    let metadata = path.ancestors().map_while(|path| fs::metadata(path).ok());
    Ok(metadata.take_while(|one| one.dev() == first.dev()).map(|one| one.ino()).collect())
}

/// Where cgroup v2 is mounted; of several places, one that shows it from its root.
///
/// # Errors
///
/// When it is not.
pub fn mount() -> Result<PathBuf> {
    let mounts = Process::myself().and_then(|own| own.mountinfo()).context("read /proc/self/mountinfo")?;
    let mounts: Vec<_> = mounts.into_iter().filter(|mount| mount.fs_type == "cgroup2").collect();
    let from_root = mounts.iter().find(|mount| mount.root == "/");
    let mount = from_root.or(mounts.first()).context(
        "cgroup v2 is not mounted, and a fence needs it (mount -t cgroup2 none /sys/fs/cgroup/unified, or boot with it)",
    )?;
    Ok(mount.mount_point.clone())
}

/// Checks the cgroups of all fences, before anything is attached.
///
/// # Errors
///
/// The first that is not there, or that holds what must not be fenced: v1, or this agent.
pub fn check<'a>(fences: impl Iterator<Item = &'a config::Fence> + Clone) -> Result<()> {
    let own = Cgroup::own();
    let open_v1 = |fence: &'a config::Fence| fence.v1_cgroup.as_deref().map(Cgroup::open);
    let of_v1 = fences.clone().filter_map(open_v1).collect::<Result<Vec<_>>>()?;
    for fence in fences {
        let fenced = Cgroup::open(&fence.cgroup)?;
        let shown = fenced.path.display();
        if own.as_ref().is_some_and(|own| fenced.holds(own)) {
            bail!(
                "the cgroup {shown} holds this agent, whose own calls would be fenced: name the one of v2 alone"
            );
        }
        if let Some(v1) = of_v1.iter().find(|v1| fenced.holds(v1)) {
            bail!(
                "the cgroup {shown} holds {}, which is v1's: its calls must never be denied",
                v1.path.display()
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_cgroup_is_named() {
        let said = |path: &str| format!("{:#}", Cgroup::open(Path::new(path)).unwrap_err());
        assert!(
            said("/nowhere/at/all").contains("there is no cgroup /nowhere/at/all: No such file"),
            "{}",
            said("/nowhere/at/all")
        );
        assert!(said("/proc").contains("/proc is no cgroup of version 2"), "{}", said("/proc"));
        let inside = mount().unwrap().join("cgroup.procs");
        assert!(said(inside.to_str().unwrap()).contains("is no cgroup of version 2"));
    }

    #[test]
    fn the_root_holds_this_process() {
        let root = Cgroup::open(&mount().unwrap()).unwrap();
        assert!(root.holds(&Cgroup::own().unwrap()));
    }
}
