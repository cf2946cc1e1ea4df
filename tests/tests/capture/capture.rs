//! A running `mirror-agent capture` on a host of a world.

use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use mirror_tests::process::Process;
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use nix::sys::signal::Signal;

/// How long it may take to come up, and to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A capture whose taps are in place.
pub struct Capture {
    pub process: Process,
    file: PathBuf,
}

/// How a capture ended.
#[derive(Debug)]
pub struct End {
    pub code: Option<i32>,
    pub stderr: String,
    pub file: PathBuf,
}

impl End {
    /// It ended well, and nothing was lost.
    pub fn check_complete(&self) {
        let line = self.stderr.lines().count() == 1 && self.stderr.contains(" 0 lost ");
        assert!(self.code == Some(0) && line, "{self:?}");
    }
}

impl Capture {
    /// On the node, with v1 as the service.
    pub fn start(world: &World, arguments: &[&str]) -> Capture {
        Capture::start_on(world, Host::Node, &Host::V1.ipv4().to_string(), arguments)
    }

    /// On any host, with a service at `to`.
    ///
    /// It says nothing when it is ready: so the client asks for `/probe` until something is in the file behind its head.
    pub fn start_on(world: &World, host: Host, to: &str, arguments: &[&str]) -> Capture {
        let file = world.directory().join("out.pcapng");
        let mut command = Command::new(mirror_tests::agent_binary().unwrap());
        command.arg("capture").args(arguments).arg("-w").arg(&file);
        let process = world.spawn(host, &mut command, Some("capture.log")).unwrap();
        let mut capture = Capture { process, file };
        let len = || std::fs::metadata(world.directory().join("out.pcapng")).map_or(0, |data| data.len());
        until("the head of the file", PATIENCE, || capture.unless_over(len() > 0)).unwrap();
        let head = len();
        until("a packet in the file", PATIENCE, || {
            let url = format!("http://{to}:8080/probe");
            let output = world.output(Host::Client, Command::new("curl").args(["-gsSf", &url]))?;
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            capture.unless_over(len() > head)
        })
        .unwrap();
        capture
    }

    fn unless_over(&mut self, ready: bool) -> anyhow::Result<Option<()>> {
        assert!(ready || self.process.exited()?.is_none(), "it ended: {}", self.process.log());
        Ok(ready.then_some(()))
    }

    /// Ends it with a signal.
    pub fn stop(self, signal: Signal) -> End {
        self.process.signal(signal).unwrap();
        self.finish()
    }

    /// Waits until it ends by itself.
    pub fn finish(mut self) -> End {
        let status: ExitStatus = self.process.wait(PATIENCE).unwrap();
        End { code: status.code(), stderr: self.process.log(), file: self.file }
    }
}
