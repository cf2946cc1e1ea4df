//! What is left of a world, found by its name alone: also when the process that made it was killed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Host, NAMESPACES};
use crate::wait::until;

/// Files of worlds are here and not in `/tmp`, because only root may make names here.
const DIRECTORIES: &str = "/run/mirror-tests";

/// How long a process may take to clean up after SIGTERM before it gets SIGKILL.
const GRACE: Duration = Duration::from_secs(3);

pub(super) fn directory(prefix: &str) -> PathBuf {
    Path::new(DIRECTORIES).join(prefix)
}

/// The prefixes of worlds whose maker no longer runs.
pub(super) fn dead() -> Vec<String> {
    let mut prefixes: Vec<String> = [NAMESPACES, DIRECTORIES]
        .into_iter()
        .filter_map(|directory| fs::read_dir(directory).ok())
        .flatten()
        .flatten()
        .filter_map(|entry| maker(entry.file_name().to_str()?))
        .filter(|(pid, _)| !Path::new("/proc").join(pid.to_string()).exists())
        .map(|(_, prefix)| prefix)
        .collect();
    prefixes.sort();
    prefixes.dedup();
    prefixes
}

/// Ends the processes of a world, then removes its namespaces (the wires go with them) and its directory. What is not
/// there is no error.
pub(super) fn remove(prefix: &str) -> Result<()> {
    let ours = Host::ALL.map(|host| format!("{prefix}-{}", host.name()));
    let names: Vec<&String> = ours.iter().filter(|name| Path::new(NAMESPACES).join(name).exists()).collect();
    end_processes(&names)?;
    for name in names {
        super::network::ip(&["netns", "delete", name], "")?;
    }
    match fs::remove_dir_all(directory(prefix)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).context("remove its directory");
        }
        _ => {}
    }
    let _ = fs::remove_dir(DIRECTORIES); // fails while another world is there
    Ok(())
}

/// SIGTERM, and SIGKILL for those that do not end in time.
fn end_processes(namespaces: &[&String]) -> Result<()> {
    let living = || namespaces.iter().flat_map(|name| processes(name)).collect::<Vec<Pid>>();
    let send = |signal: Signal| living().into_iter().for_each(|pid| kill(pid, signal).unwrap_or_default());
    let gone = |patience| until("the world's processes", patience, || Ok(living().is_empty().then_some(())));
    send(Signal::SIGTERM);
    gone(GRACE).or_else(|_| {
        send(Signal::SIGKILL);
        gone(GRACE)
    })
}

/// The processes in a namespace that are not zombies: our own dead children stay until somebody waits for them.
fn processes(namespace: &str) -> Vec<Pid> {
    let Ok(output) = Command::new("ip").args(["netns", "pids", namespace]).output() else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .filter_map(|line| line.trim().parse().ok())
        .map(Pid::from_raw)
        .filter(|pid| !zombie(*pid))
        .collect()
}

fn zombie(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
}

/// `mt12-3-node` and `mt12-3` were made by process 12: gives `(12, "mt12-3")`. Nothing else is ours.
fn maker(name: &str) -> Option<(u32, String)> {
    let mut parts = name.strip_prefix("mt")?.split('-');
    let pid = parts.next()?.parse().ok()?;
    let number: u32 = parts.next()?.parse().ok()?;
    let known = parts.next().is_none_or(|host| Host::ALL.iter().any(|known| known.name() == host));
    (known && parts.next().is_none()).then(|| (pid, format!("mt{pid}-{number}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_ours() {
        for (name, expected) in [
            ("mt12-3-node", Some((12, "mt12-3"))),
            ("mt12-3", Some((12, "mt12-3"))),
            ("mt12-3-v2", Some((12, "mt12-3"))),
            ("mt12", None),
            ("mt-3-node", None),
            ("mt12-3-other", None),
            ("mt12-3-node-x", None),
            ("mtu-12", None),
            ("blue", None),
        ] {
            assert_eq!(maker(name), expected.map(|(pid, prefix)| (pid, prefix.to_owned())), "{name}");
        }
    }

    #[test]
    fn what_is_not_there_is_removed_without_complaint() {
        remove("mt0-0").unwrap();
    }
}
