//! A program that calls from inside a cgroup: Python, whose own `ipaddress` says what a list covers.

use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use mirror_tests::world::{Host, World};
use serde::Deserialize;
use serde_json::{Value, json};

/// How a call is made.
pub const KINDS: [&str; 3] = ["connect", "udp-connect", "udp-send"];

/// What came of one call.
#[derive(Deserialize)]
pub struct Call {
    /// One of [`KINDS`].
    pub kind: String,
    /// The address.
    pub to: String,
    /// The port.
    pub port: u16,
    /// The destination of the list that covers it first, by Python's account.
    pub covered: Option<String>,
    /// What the program got: the error's text, or nothing.
    pub error: Option<String>,
}

/// For the words of an assertion.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Call { kind, to, port, covered, error } = self;
        write!(f, "{kind} to {to} port {port}, covered by {covered:?}, gave {error:?}")
    }
}

impl Call {
    /// Whether it failed in the way of a fence.
    pub fn is_denied(&self) -> bool {
        self.error.as_deref() == Some("Operation not permitted")
    }
}

const PROGRAM: &str = r#"
import errno, ipaddress, json, os, socket, sys
asked = json.loads(sys.argv[1])
if asked["cgroup"]:
    with open(asked["cgroup"] + "/cgroup.procs", "w") as procs: procs.write("0")
def covered(to, port):
    ip = ipaddress.ip_address(to)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    for one in asked["allow"]:
        ranges = [(str(p).split("-") * 2)[:2] for p in one.get("ports", ["0-65535"])]
        if any(ip in ipaddress.ip_network(net) for net in one["to"]) and any(int(a) <= port <= int(b) for a, b in ranges):
            return one["name"]
def call(kind, to, port):
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if kind == "connect" else socket.SOCK_DGRAM) as s:
        s.setblocking(False)
        try:
            s.sendto(b"x", (to, port)) if kind == "udp-send" else s.connect((to, port))
        except OSError as error:
            return None if error.errno == errno.EINPROGRESS else os.strerror(error.errno)
print(json.dumps([
    {"kind": kind, "to": to, "port": port, "covered": covered(to, port), "error": call(kind, to, port)}
    for kind, to, port in asked["calls"]
]))
"#;

/// Makes the calls on a host of the world, from inside `cgroup` if one is given. `allow` is the list in the words of the
/// config.
pub fn calls(
    world: &World,
    host: Host,
    cgroup: Option<&Path>,
    allow: &Value,
    calls: &[(&str, &str, u16)],
) -> Vec<Call> {
    let asked = json!({"cgroup": cgroup, "allow": allow, "calls": calls}).to_string();
    let output = world.output(host, Command::new("python3").args(["-c", PROGRAM, &asked])).unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Every kind of call to every address and port.
pub fn every<'a>(to: &[&'a str], ports: &[u16]) -> Vec<(&'static str, &'a str, u16)> {
    let addresses = |kind| to.iter().flat_map(move |to| ports.iter().map(move |port| (kind, *to, *port)));
    KINDS.into_iter().flat_map(addresses).collect()
}

/// The output of a shell in the cgroup, its errors too.
pub fn shell(world: &World, host: Host, cgroup: &Path, script: &str) -> String {
    let script = format!("echo 0 > {}/cgroup.procs; {{ {script}; }} 2>&1", cgroup.display());
    let output = world.output(host, Command::new("bash").args(["-c", &script]).stdin(Stdio::null())).unwrap();
    let _ = std::io::stderr().write_all(&output.stderr);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
