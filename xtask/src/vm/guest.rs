//! An emulated machine: started, listened to, and ended when it falls silent.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::kernel::Kernel;

/// No test is silent for so long, even when everything else on this machine is busy.
const SILENCE: Duration = Duration::from_secs(180);
/// How long a guest may take altogether.
const LONGEST: Duration = Duration::from_secs(900);
/// How much of what was said last is shown of a guest that hangs.
const LAST_LINES: usize = 25;

/// What the guest says when it has come to its end.
const DONE: &str = "@@ done";

/// What is to be booted.
pub(super) struct Guest<'a> {
    pub(super) kernel: &'a Kernel,
    pub(super) archive: &'a Path,
    /// For the text of both serial ports: `console` and `said`.
    pub(super) directory: &'a Path,
}

impl Guest<'_> {
    /// Runs it to its end, and calls `on_line` with each line that its tests say.
    pub(super) fn run(&self, mut on_line: impl FnMut(&str)) -> Result<()> {
        let mut machine = Machine(self.command().spawn().context("start qemu-system-x86_64")?);
        let lines = machine.lines()?;
        let deadline = Instant::now() + LONGEST;
        let mut last: Vec<String> = Vec::new();
        let mut kept = File::create(self.directory.join("said"))?;
        loop {
            let patience = SILENCE.min(deadline.saturating_duration_since(Instant::now()));
            match lines.recv_timeout(patience) {
                Ok(line) => {
                    writeln!(kept, "{line}")?;
                    on_line(&line);
                    last.push(line);
                }
                Err(RecvTimeoutError::Disconnected) if last.iter().any(|line| line == DONE) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => bail!("the guest broke off{}", self.last_words(&last)),
                Err(RecvTimeoutError::Timeout) => {
                    bail!("the guest hangs, and was ended{}", self.last_words(&last))
                }
            }
        }
    }

    fn command(&self) -> Command {
        let mut qemu = Command::new("qemu-system-x86_64");
        // Emulated even where the hardware could help: the same everywhere, and guests on nested hardware hang. By one
        // thread: with one for each processor, a guest that patches its own code may run what was there before, which
        // its kernel does each time that a filter comes or goes; it then stops at a breakpoint that nobody set.
        qemu.args(["-accel", "tcg,thread=single", "-smp", "2", "-m", "1536", "-no-reboot", "-nodefaults"]);
        qemu.args(["-display", "none", "-serial", &format!("file:{}", self.console().display())]);
        qemu.args(["-serial", "stdio"]).arg("-kernel").arg(self.kernel.image());
        qemu.arg("-initrd").arg(self.archive);
        qemu.args(["-append", "console=ttyS0 quiet loglevel=1 panic=-1"]);
        qemu.stdin(Stdio::null()).stdout(Stdio::piped());
        qemu
    }

    /// Where the kernel writes to, when something is wrong.
    fn console(&self) -> PathBuf {
        self.directory.join("console")
    }

    /// What the tests and the kernel said last.
    fn last_words(&self, lines: &[String]) -> String {
        let console = fs::read(self.console()).unwrap_or_default();
        let console = String::from_utf8_lossy(&console);
        let console: Vec<String> = console.lines().map(str::to_owned).collect();
        format!("; its tests said last:{}\nits console:{}", tail(lines), tail(&console))
    }
}

fn tail(lines: &[String]) -> String {
    lines[lines.len().saturating_sub(LAST_LINES)..].iter().map(|line| format!("\n  {line}")).collect()
}

/// A running qemu, which ends with us.
struct Machine(Child);

impl Machine {
    /// Its second serial port, line by line.
    fn lines(&mut self) -> Result<Receiver<String>> {
        let output = self.0.stdout.take().context("qemu has no output")?;
        let (line_tx, lines) = channel();
        std::thread::spawn(move || each_line(output, |line| line_tx.send(line).is_ok()));
        Ok(lines)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Lines as a serial port carries them: they end with a carriage return too, and may hold anything.
fn each_line(output: impl Read, mut wanted: impl FnMut(String) -> bool) {
    for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
        if !wanted(line) {
            return;
        }
    }
}
