//! What the program needs to know, built from flags, then the file, then defaults.
//! Everything that is wrong is said at once, each thing with its place.

mod clash;
mod displaced;
mod draft;
mod errors;
mod fence;
mod file;
mod guards;
mod hiding;
mod judge;
mod prefix;
mod probes;
mod resolve;
mod role;
mod rules;
mod section;
mod shadow;
mod share;
mod speed;
pub mod values;
mod yaml;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use displaced::OnDisplaced;
pub use draft::{Draft, Said, ServiceDraft};
pub use errors::{Errors, Place, Problem};
pub use fence::{Destination, Fence, FenceDraft, FenceMode};
pub(crate) use file::{document, read as read_text};
pub use guards::{AgentGuards, AgentGuardsDraft, Guards, GuardsDraft, Preflight, Slo, SloDraft};
pub use hiding::{HidingDraft, Redact};
pub use judge::{Judge, JudgeDraft};
pub use prefix::{Ports, Prefix};
pub use role::Role;
pub use rules::{Ring, Rule};
pub(crate) use section::Section;
pub use shadow::{ShadowInterface, Tunnel, VXLAN_PORT, source_ports};
pub use share::{Share, ShareError};
pub use speed::Speed;

/// The control socket, in the directory that systemd and the DaemonSet make for the agent.
pub const DEFAULT_CONTROL: &str = "/run/mirror-agent/control.sock";

/// The methods that RFC 9110 section 9.2.1 calls safe, but TRACE: to replay anything else must be asked for.
pub const DEFAULT_METHODS: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

/// Services that the kernel's endpoint map has room for.
pub const SERVICES_MAX: usize = 64;

/// Everything that `run` needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Interfaces to tap, or patterns of their names, without repetition, in the order given. At least one.
    pub interfaces: Vec<String>,
    /// What to do when somebody takes a tap away, or comes before it.
    pub on_displaced: OnDisplaced,
    /// The rings, with distinct names, at most 63.
    pub rings: Vec<Ring>,
    /// The services, 1 to [`SERVICES_MAX`], with distinct names and endpoints.
    pub services: Vec<Service>,
    /// What gets the clones; `None`: an interface of the agent's own. Never one that is tapped.
    pub shadow_interface: Option<ShadowInterface>,
    /// Where metrics and the read-only API are served; `None`: nowhere. Port 0 lets the kernel choose.
    pub listen: Option<SocketAddr>,
    /// The control socket.
    pub control: PathBuf,
    /// When to end; `None`: when told to.
    pub run_for: Option<Duration>,
    /// Where the final status goes, as JSON.
    pub summary: Option<PathBuf>,
    /// Where differences go, one JSON object a line.
    pub differences: Option<PathBuf>,
    /// Threads that read the shadow interface, 1 to 256.
    pub workers: usize,
    /// Accept a v1 that no given interface leads to, because this host only forwards its traffic.
    pub transit: bool,
    /// The brakes of the agent as a whole.
    pub guards: AgentGuards,
}

/// One service: its versions, how much of it is mirrored, and how far that may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// 1 to 32 of `a-z0-9_-`; a metric label.
    pub name: String,
    /// The version that serves users. Address zero means any address of this host.
    pub v1: SocketAddr,
    /// The version that gets the copy.
    pub v2: SocketAddr,
    /// The share of connections that the kernel clones, of clients that no rule names.
    pub share: Share,
    /// The shares of other clients; the first that matches holds.
    pub rules: Vec<Rule>,
    /// The share of the requests on those connections that is replayed.
    pub request_share: Share,
    /// The methods that are replayed.
    pub methods: Vec<String>,
    /// Beginnings of the paths that are replayed; none means all.
    pub paths: Vec<String>,
    /// Headers that compare leaves out, in lower case, besides the ones it always does.
    pub ignored_headers: Vec<String>,
    /// Paths of fields that compare leaves out, for example `body.items[*].id`.
    pub ignored_paths: Vec<String>,
    /// What compare leaves out or tolerates, with distinct names: what the two above say, then the rules.
    pub hiding: Vec<crate::compare::Rule>,
    /// Members that tell the elements of an array apart, for example `body.items[*].sku`.
    pub keys: Vec<String>,
    /// Routes that are given: of those that match a path, the first is taken.
    pub routes: Vec<String>,
    /// What must not be shown; the same for all services.
    pub redact: Redact,
    /// How far replay may go.
    pub limits: Limits,
    /// How far the kernel may go.
    pub caps: Caps,
    /// Durations up to which turns are counted exactly, rising, at most 8: the bounds of an objective.
    pub thresholds: Vec<Duration>,
    /// How v2 is judged.
    pub judge: Judge,
    /// What v2 is.
    pub v2_role: Role,
    /// Of a v2 that carries users' traffic, the share of it that it should get; `None` if nobody said.
    pub split: Option<Share>,
    /// What v1 promises; `None`: its burn is not guarded.
    pub slo: Option<Slo>,
    /// When to stop.
    pub guards: Guards,
    /// How the share rises, never down; empty: it is what `share` says.
    pub ramp: Vec<crate::ramp::Step>,
    /// What keeps v2's own calls in.
    pub fence: Option<Fence>,
    /// What both versions are asked on a schedule, with distinct names.
    pub probes: Vec<crate::probe::Spec>,
}

/// How far replay may go; what is over is shed and counted, never queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests per second.
    pub rps: u32,
    /// Requests that wait for an answer at once.
    pub in_flight: u32,
    /// Connections to v2 at once.
    pub connections: u32,
    /// Bytes per second towards v2; `None`: no limit.
    pub bytes_per_second: Option<u64>,
    /// Time for one request, from its first byte sent to the last byte of its answer.
    pub timeout: Duration,
}

/// Caps that the kernel keeps even when the agent hangs; `None`: no cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Packets cloned per second.
    pub packets_per_second: Option<u64>,
    /// Bytes cloned per second.
    pub bytes_per_second: Option<u64>,
    /// Newly mirrored connections per second.
    pub connections_per_second: Option<u64>,
    /// Mirrored connections at once.
    pub connections: Option<u32>,
    /// How much of a second's worth may come at once.
    pub burst: Duration,
}

impl Caps {
    /// A quarter of a second's worth at once.
    pub const BURST: Duration = Duration::from_millis(250);
}

impl Default for Caps {
    fn default() -> Self {
        Caps {
            packets_per_second: None,
            bytes_per_second: None,
            connections_per_second: None,
            connections: None,
            burst: Caps::BURST,
        }
    }
}

impl Limits {
    /// Small enough that a v2 of the size of one v1 replica stands it, large enough that 5 % of a busy one fits.
    pub const DEFAULT: Limits = Limits {
        rps: 1000,
        in_flight: 64, // 1000/s at 64 ms each: a v2 that is slower than that is shed, not piled up on
        connections: 256, // four idle for each busy one; each costs v2 a socket and us a buffer
        bytes_per_second: None, // the three others bound it, and bodies over the cap are not replayed
        timeout: Duration::from_secs(5), // longer than people wait; the answer no longer matters then
    };
}

impl Config {
    /// Builds a configuration from what the flags say and, where they are silent, the text of a file with its path.
    /// Pure: reads no file and asks the system for nothing but the number of its processors.
    ///
    /// # Errors
    /// Everything that is wrong, at once. A file that is no YAML, or no mapping, ends the search there.
    pub fn build(flags: Draft, file: Option<(&str, &str)>) -> Result<Config, Errors> {
        let Some((name, text)) = file else {
            let mut errors = Errors::default();
            clash::check(&flags, &mut errors);
            let config = resolve::resolve(flags, &Place::CommandLine, &mut errors);
            return errors.or(config);
        };
        let (draft, mut errors) = file::parse(name, text);
        let config = draft.and_then(|draft| {
            let draft = flags.over(draft, &mut errors);
            clash::check(&draft, &mut errors);
            resolve::resolve(draft, &Place::File(name.into()), &mut errors)
        });
        errors.or(config)
    }

    /// Like [`Config::build`], with the file at `path`.
    ///
    /// # Errors
    /// The same, and a file that cannot be read.
    pub fn load(flags: Draft, path: Option<&Path>) -> Result<Config, Errors> {
        let Some(path) = path else { return Config::build(flags, None) };
        let name = path.display().to_string();
        match file::read(path) {
            Ok(text) => Config::build(flags, Some((&name, &text))),
            Err(why) => {
                let mut errors = Errors::default();
                errors.add(&Place::Flag("--config"), format!("{name} {why}"));
                errors.or(None)
            }
        }
    }
}

impl Service {
    /// Completes what was said of one service, as [`Config::build`] does for all of them.
    ///
    /// # Errors
    /// Everything that is missing, at once.
    pub fn build(draft: ServiceDraft) -> Result<Service, Errors> {
        let mut errors = Errors::default();
        let service = resolve::complete(draft, &[], &mut errors);
        errors.or(service)
    }
}

/// One for each processor, up to four: beyond that a share of one node's HTTP traffic leaves them idle.
fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get().min(4))
}

#[cfg(test)]
mod tests;
