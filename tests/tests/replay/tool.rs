//! `mirror-agent replay` as its users start it, and its summary.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// What it did.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub summary: Value,
    pub stderr: String,
}

/// The command that replays `files` to `to`, with limits that nothing here reaches unless `more` sets others.
pub fn command(files: &[&Path], to: SocketAddr, more: &[&str]) -> Command {
    let mut command = Command::new(mirror_tests::agent_binary().unwrap());
    command.arg("replay").args(files).args(["--to", &to.to_string(), "--format", "json", "--log", "warn"]);
    let limits = [("--max-rps", "1000000"), ("--max-inflight", "65536"), ("--max-connections", "65536")];
    for (limit, most) in limits.into_iter().filter(|(limit, _)| !more.contains(limit)) {
        command.args([limit, most]);
    }
    command.args(more);
    command
}

/// Replays one file.
pub fn replay(file: &Path, to: SocketAddr, more: &[&str]) -> Said {
    said(&command(&[file], to, more).output().unwrap())
}

/// What an ended command said. Its summary is empty if it gave none.
pub fn said(output: &Output) -> Said {
    Said {
        code: output.status.code(),
        summary: serde_json::from_slice(&output.stdout).unwrap_or_default(),
        stderr: String::from_utf8(output.stderr.clone()).unwrap(),
    }
}

impl Said {
    /// It ended well, each of `seen` requests was compared, and the ledger balances.
    pub fn check_all_compared(&self, seen: usize) {
        self.check_balanced();
        assert_eq!(self.code, Some(0), "{self:?}");
        let counts = (self.count("/requests/seen"), self.count("/requests/compared"));
        assert_eq!(counts, (seen as u64, seen as u64), "{:#}", self.summary);
    }

    /// Every request ended in one bucket. Counted here too, not only believed.
    pub fn check_balanced(&self) {
        assert_eq!(self.summary["ledger_imbalance"]["requests"], 0, "{self:?}");
        assert_eq!(self.count("/requests/in_progress"), 0, "{self:?}");
        assert_eq!(self.count("/requests"), 2 * self.count("/requests/seen"), "{:#}", self.summary);
    }

    /// The count at `pointer` of the summary; the sum, if there are several.
    pub fn count(&self, pointer: &str) -> u64 {
        sum(self.summary.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {self:?}")))
    }

    /// The seconds at `pointer` of the summary.
    pub fn seconds(&self, pointer: &str) -> f64 {
        let value = self.summary.pointer(pointer).and_then(Value::as_f64);
        value.unwrap_or_else(|| panic!("no {pointer} in {self:?}"))
    }

    /// The lines of standard error behind the first, which says what will be done.
    pub fn errors(&self) -> Vec<&str> {
        let mut lines = self.stderr.lines();
        assert!(lines.next().is_some_and(|line| line.starts_with("replaying ")), "{}", self.stderr);
        lines.collect()
    }
}

fn sum(value: &Value) -> u64 {
    match value {
        Value::Object(counts) => counts.values().map(sum).sum(),
        _ => value.as_u64().unwrap_or_else(|| panic!("not a count: {value}")),
    }
}
