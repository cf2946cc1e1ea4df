//! The self-test: a process of our own joins the fenced cgroup, calls where nothing may call, and says what it got.

pub mod child;
mod room;
mod verdict;

use std::io::Read as _;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use mirror_common::fence::hook;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

pub use room::Room;
pub use verdict::verdict;

/// The hidden verb of our own binary that the process runs.
pub const VERB: &str = "fence-probe";
/// How long the process may take. It starts, joins, and makes four calls of which none waits.
const DEADLINE: Duration = Duration::from_secs(2);
/// More than it ever says.
const SAID_MAX: u64 = 4096;

/// What one of the calls gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The error's number; 0 for none.
    Errno(i32),
    /// This kernel has no such sockets: nobody can call by them.
    NoSockets,
}

/// Probes the cgroup at `path`, whatever stands there now. `program` is the binary with [`VERB`].
///
/// # Errors
///
/// Why nothing was found out.
pub fn run(program: &Path, path: &Path, targets: [SocketAddr; 2]) -> Result<[Answer; hook::COUNT], String> {
    match ask(program, path, targets)? {
        child::Said::Answers(answers) => Ok(answers),
        // Cgroups with controllers for others below them take no processes, but the others below them do.
        child::Said::NotJoined(libc::EBUSY) => {
            let room = Room::make(path)?;
            match ask(program, room.path(), targets)? {
                child::Said::Answers(answers) => Ok(answers),
                child::Said::NotJoined(errno) => Err(not_joined(room.path(), errno)),
            }
        }
        child::Said::NotJoined(errno) => Err(not_joined(path, errno)),
    }
}

fn not_joined(path: &Path, errno: i32) -> String {
    let why = match errno {
        libc::ENOENT => "it is gone".to_owned(),
        libc::EOPNOTSUPP => "it is threaded, or below a threaded one".to_owned(),
        _ => std::io::Error::from_raw_os_error(errno).to_string(),
    };
    format!("no process of ours can join the cgroup {}: {why}", path.display())
}

fn ask(program: &Path, path: &Path, [v4, v6]: [SocketAddr; 2]) -> Result<child::Said, String> {
    let mut command = Command::new(program);
    command.arg(VERB).arg(path).args([v4.to_string(), v6.to_string()]).env_clear();
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
    let mut child = Ended(child.map_err(|error| format!("cannot start the probe: {error}"))?);
    let output = child.0.stdout.take().ok_or("the probe has no output")?;
    let said = read(output, Instant::now() + DEADLINE)?;
    drop(child);
    child::parse(&said).ok_or_else(|| format!("the probe says what makes no sense: {said:?}"))
}

/// What it says to its end.
fn read(mut output: ChildStdout, deadline: Instant) -> Result<String, String> {
    let mut said = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        match poll(&mut [PollFd::new(output.as_fd(), PollFlags::POLLIN)], timeout) {
            Ok(0) => return Err(format!("the probe took longer than {DEADLINE:?}, and was ended")),
            Ok(_) => {}
            Err(nix::errno::Errno::EINTR) => continue,
            Err(error) => return Err(format!("wait for the probe: {error}")),
        }
        let mut part = [0; 256];
        match output.read(&mut part) {
            Ok(0) => return Ok(String::from_utf8_lossy(&said).into_owned()),
            Ok(length) if (said.len() + length) as u64 <= SAID_MAX => {
                said.extend(part.iter().take(length));
            }
            Ok(_) => return Err("the probe says too much".into()),
            Err(error) => return Err(format!("read from the probe: {error}")),
        }
    }
}

/// A process that does not outlive this.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill(); // it has ended by itself, or has to
        let _ = self.0.wait();
    }
}
