//! A child process that cannot outlive us.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, setns};
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid, getppid};

use crate::wait::until;

/// A running child. Dropping it kills it and waits for it.
///
/// The kernel kills it too when the *thread* that started it ends, so start processes from a thread that lives as long
/// as they should.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
    log: Option<PathBuf>,
}

impl Process {
    /// Starts `command` in the network namespace at `namespace`, in a process group of its own, so that a Ctrl-C on
    /// the terminal reaches us alone and we end things in order. With `log`, stderr goes to that file.
    pub(crate) fn start(command: &mut Command, namespace: &Path, log: Option<PathBuf>) -> Result<Process> {
        let name = command.get_program().to_string_lossy().into_owned();
        if let Some(log) = &log {
            command.stderr(File::create(log).with_context(|| format!("create {}", log.display()))?);
        }
        confine(command, namespace)?;
        let child = command.spawn().with_context(|| format!("start {name}"))?;
        Ok(Process { child, name, log })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its standard output, if that was piped and not taken before.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Sends a signal.
    ///
    /// # Errors
    ///
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal)
            .with_context(|| format!("{signal} to {}", self.name))
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    ///
    /// When the kernel will not say.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    ///
    /// When it still runs after `patience`.
    pub fn wait(&mut self, patience: Duration) -> Result<ExitStatus> {
        let child = &mut self.child;
        until(&format!("the end of {}", self.name), patience, || Ok(child.try_wait()?))
    }

    /// What it has written to its log file so far.
    pub fn log(&self) -> String {
        self.log.as_deref().map(|log| std::fs::read_to_string(log).unwrap_or_default()).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Has the child enter `namespace` before it runs, and die with the thread that started it.
pub(crate) fn confine(command: &mut Command, namespace: &Path) -> Result<()> {
    let namespace = File::open(namespace).with_context(|| format!("open {}", namespace.display()))?;
    let parent = getpid();
    let enter = move || -> io::Result<()> {
        setns(&namespace, CloneFlags::CLONE_NEWNET)?;
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        // The parent may have died before the line above: then nobody would send the signal.
        if getppid() == parent { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    };
    // SAFETY: between fork and exec `enter` makes four system calls; it neither allocates nor takes a lock.
    unsafe { command.process_group(0).pre_exec(enter) };
    Ok(())
}
