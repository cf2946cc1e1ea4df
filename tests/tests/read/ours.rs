//! `mirror-agent read --format json` as its users run it, and what it said.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use mirror_tests::traffic::Body;
use serde_json::Value;

/// Everything that one run of `read` said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stderr: String,
    pub exchanges: Vec<Shown>,
    /// The object of the last line.
    pub summary: Value,
}

/// An exchange as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub connection: u64,
    pub client: String,
    pub server: String,
    pub start_ns: Option<u64>,
    pub ttfb_ns: Option<u64>,
    pub total_ns: Option<u64>,
    pub request: Option<Request>,
    pub response: Option<Response>,
    pub end: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub version: String,
    /// The `x-id`.
    pub id: Option<String>,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    pub status: u16,
    pub version: String,
    /// The `x-id`.
    pub id: Option<String>,
    pub body: Body,
}

/// A command that will show files as JSON.
pub fn command(files: &[&Path]) -> Command {
    let mut command = Command::new(mirror_tests::agent_binary().unwrap());
    command.arg("read").args(files).args(["--format", "json"]).stdin(Stdio::null());
    command
}

/// Reads one file.
pub fn read(file: &Path) -> Said {
    said(&command(&[file]).output().unwrap())
}

/// Reads standard input.
pub fn read_input(file: &Path) -> Said {
    let mut cat = Command::new("cat").arg(file).stdout(Stdio::piped()).spawn().unwrap();
    let pipe = cat.stdout.take().unwrap();
    let output = command(&[Path::new("-")]).stdin(pipe).output().unwrap();
    cat.wait().unwrap();
    said(&output)
}

/// Reads a file that `packer` makes of another, with its name's `extension`.
pub fn read_packed(file: &Path, packer: &str, extension: &str) -> Said {
    let packed = tempfile::Builder::new().suffix(extension).tempfile().unwrap();
    let input = File::open(file).unwrap();
    let status = Command::new(packer).arg("-c").stdin(input).stdout(packed.reopen().unwrap()).status();
    assert!(status.is_ok_and(|status| status.success()), "{packer} (`cargo xtask setup` installs it)");
    read(packed.path())
}

pub fn said(output: &Output) -> Said {
    let stdout = str::from_utf8(&output.stdout).unwrap();
    let mut lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = match lines.pop_if(|last| last.get("summary").is_some()) {
        Some(mut last) => last["summary"].take(),
        None => Value::Null,
    };
    Said {
        code: output.status.code(),
        stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        exchanges: lines.iter().map(Shown::new).collect(),
        summary,
    }
}

impl Said {
    /// It read all there was, and says where all of it went.
    pub fn check_well(&self) {
        assert!(
            (self.code, self.stderr.as_str()) == (Some(0), ""),
            "exit code {:?}: {}",
            self.code,
            self.stderr
        );
        self.check_balance();
    }

    /// Every frame, segment, byte, connection and exchange has one fate.
    pub fn check_balance(&self) {
        for name in ["frames", "segments", "payload_bytes", "connections", "exchanges"] {
            let fates = &self.summary[name];
            assert_eq!(fates["imbalance"], 0, "{name}: {fates}");
            let sum: u64 = fates["fates"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
            assert_eq!(fates["total"].as_u64(), Some(sum), "{name}: {fates}");
        }
        assert_eq!(self.summary["exchanges"]["total"], self.exchanges.len());
    }

    /// Those whose request has this `x-id`.
    pub fn of<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Shown> {
        self.exchanges.iter().filter(move |shown| shown.id() == Some(id))
    }

    pub fn complete(&self) -> impl Iterator<Item = &Shown> {
        self.exchanges.iter().filter(|shown| shown.end == "complete")
    }
}

impl Shown {
    fn new(object: &Value) -> Shown {
        let text = |name: &str| object[name].as_str().unwrap().to_owned();
        let nanos = |name: &str| object[name].as_f64().map(|seconds| (seconds * 1e9).round() as u64);
        Shown {
            connection: object["connection"].as_u64().unwrap(),
            client: text("client"),
            server: text("server"),
            start_ns: object["start"].as_str().map(unix_ns),
            ttfb_ns: nanos("ttfb_s"),
            total_ns: nanos("total_s"),
            request: some(&object["request"]).map(Request::new),
            response: some(&object["response"]).map(Response::new),
            end: text("end"),
        }
    }

    /// The `x-id` of its request.
    pub fn id(&self) -> Option<&str> {
        self.request.as_ref()?.id.as_deref()
    }
}

impl Request {
    fn new(object: &Value) -> Request {
        let text = |name: &str| object[name].as_str().unwrap().to_owned();
        let (method, target, version) = (text("method"), text("target"), text("version"));
        Request { method, target, version, id: x_id(object), body: body(object) }
    }
}

impl Response {
    fn new(object: &Value) -> Response {
        let status = u16::try_from(object["status"].as_u64().unwrap()).unwrap();
        let version = object["version"].as_str().unwrap().to_owned();
        Response { status, version, id: x_id(object), body: body(object) }
    }
}

fn some(value: &Value) -> Option<&Value> {
    (!value.is_null()).then_some(value)
}

fn x_id(message: &Value) -> Option<String> {
    let mut fields = message["headers"].as_array().unwrap().iter();
    let id = fields.find(|field| field[0].as_str().unwrap().eq_ignore_ascii_case("x-id"))?;
    Some(id[1].as_str().unwrap().to_owned())
}

/// The digest is empty for a body that broke off.
fn body(message: &Value) -> Body {
    let sha256 = message["body_sha256"].as_str().unwrap_or_default().to_owned();
    Body { len: message["body_bytes"].as_u64().unwrap(), sha256 }
}

/// Of `2026-03-01T12:00:00.123456789Z`. The days follow Hinnant's `days_from_civil`.
fn unix_ns(time: &str) -> u64 {
    let (date, clock) = time.strip_suffix('Z').unwrap().split_once('T').unwrap();
    let numbers = |text: &str, at: char| -> Vec<u64> { text.split(at).map(|n| n.parse().unwrap()).collect() };
    let [year, month, day] = numbers(date, '-')[..] else { panic!("{time}") };
    let (whole, nanos) = clock.split_once('.').unwrap();
    let [hours, minutes, seconds] = numbers(whole, ':')[..] else { panic!("{time}") };
    assert_eq!(nanos.len(), 9, "{time}");
    let year = year - u64::from(month <= 2);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468;
    let seconds = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
    seconds * 1_000_000_000 + nanos.parse::<u64>().unwrap()
}

#[test]
fn times_are_read() {
    assert_eq!(unix_ns("1970-01-01T00:00:00.000000001Z"), 1);
    assert_eq!(unix_ns("2000-02-29T00:00:00.000000000Z"), 951_782_400_000_000_000);
    assert_eq!(unix_ns("2025-06-15T15:06:40.751809975Z"), 1_750_000_000_751_809_975);
}
