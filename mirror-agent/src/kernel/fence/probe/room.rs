//! A cgroup of the probe's own inside the fenced one, where that takes no processes itself. It is there for the time of a
//! probe alone; what a killed agent has left is swept by the next.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PREFIX: &str = "mirror-agent-probe.";
/// The kernel may need a moment after the process has ended until its cgroup is empty.
const EMPTY_WITHIN: Duration = Duration::from_millis(100);

/// The cgroup; removed when dropped.
pub struct Room(PathBuf);

impl Room {
    /// Makes one in the cgroup at `path`.
    pub fn make(path: &Path) -> Result<Room, String> {
        sweep(path);
        let own = path.join(format!("{PREFIX}{}", std::process::id()));
        match fs::create_dir(&own) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(format!("cannot make a cgroup for the probe in {}: {error}", path.display()))
            }
            _ => Ok(Room(own)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let deadline = Instant::now() + EMPTY_WITHIN;
        while fs::remove_dir(&self.0).is_err_and(|error| error.kind() == std::io::ErrorKind::ResourceBusy)
            && Instant::now() < deadline
        {
            std::thread::yield_now();
        }
    }
}

/// Removes the rooms of agents that are gone. One that holds a process stays: the kernel sees to that.
fn sweep(path: &Path) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(owner) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        if !Path::new("/proc").join(owner).exists() {
            let _ = fs::remove_dir(entry.path());
        }
    }
}
