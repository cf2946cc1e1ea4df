//! What a service was asked, in the order in which it answered, for tests to read.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hyper::StatusCode;
use hyper::http::request::Parts;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The number of the connection it came on, from 0 in the order of accepting.
    pub connection: u64,
    /// Its method.
    pub method: String,
    /// Its target, as it was sent.
    pub target: String,
    /// SHA-256 of its body, in hexadecimal.
    pub body_sha256: String,
    /// The status of the answer.
    pub status: u16,
    /// Whether it carried the marker header of replayed requests.
    pub shadow: bool,
    /// The probe that it said it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
    /// Microseconds from its head to the answer's.
    pub took_us: u64,
}

/// An access log that is being written.
pub(super) struct AccessLog {
    file: File,
}

impl Entry {
    pub(super) fn new(
        connection: u64,
        head: &Parts,
        body: &[u8],
        status: StatusCode,
        took: Duration,
    ) -> Entry {
        Entry {
            connection,
            method: head.method.to_string(),
            target: head.uri.to_string(),
            body_sha256: digest(body),
            status: status.as_u16(),
            shadow: head.headers.contains_key("x-mirror-shadow"),
            probe: head
                .headers
                .get("x-mirror-probe")
                .map(|tag| String::from_utf8_lossy(tag.as_bytes()).into_owned()),
            took_us: took.as_micros().try_into().unwrap_or(u64::MAX),
        }
    }
}

impl AccessLog {
    pub(super) fn create(path: &Path) -> Result<AccessLog> {
        let file = File::create(path).with_context(|| format!("create {}", path.display()))?;
        Ok(AccessLog { file })
    }

    /// One write a line, so that a reader never sees half of one for long.
    pub(super) fn write(&self, entry: &Entry) {
        let Ok(mut line) = serde_json::to_vec(entry) else { return };
        line.push(b'\n');
        if let Err(error) = (&self.file).write_all(&line) {
            eprintln!("access log: {error}");
        }
    }
}

/// The whole lines of an access log so far.
///
/// # Errors
///
/// When it cannot be read, or holds something else.
pub fn read_log(path: &Path) -> Result<Vec<Entry>> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).context("a line of the access log")).collect()
}

/// SHA-256 in hexadecimal.
pub(super) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_of_nothing() {
        assert_eq!(digest(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
