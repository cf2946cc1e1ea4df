//! What the agent says of itself: the object of `GET /v1/status`, of `--summary`, and the source of every metric.
//!
//! The keys are a contract with whoever scripts against them: they are added to, never renamed.

mod fence;
pub mod guards;
pub mod probes;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use fence::{Destination, Fence, OTHER_DESTINATION};

use crate::chaos::Kind;
use crate::differences::Totals;
use crate::exchange::Unmirrorable;
use crate::judge::Outcome;
use crate::ledger::{Counts, Shed, V2Failure};
use crate::select::Unselected;

/// The whole agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The agent as such.
    pub agent: Agent,
    /// Its services.
    pub services: Vec<Service>,
}

/// What is not of one service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Agent {
    /// The program's version.
    pub version: String,
    /// Where the taps are.
    pub taps: Vec<Tap>,
    /// How often something changed at the taps, by what.
    #[serde(default)] // an older agent does not say
    pub attach_changes: BTreeMap<String, u64>,
    /// Where the clones go.
    pub shadow_interface: String,
    /// The tunnel behind it, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<Tunnel>,
    /// What was read of the clones.
    pub intake: Intake,
    /// Connections that were not followed from their beginning to their end, by reason.
    pub connections: BTreeMap<String, u64>,
    /// Packets that the taps passed without matching them, by reason.
    pub skipped_packets: BTreeMap<String, u64>,
    /// The rings that rules name.
    #[serde(default)] // an older agent does not say
    pub rings: Vec<Ring>,
    /// How often the config was read again.
    #[serde(default)]
    pub reloads: Reloads,
    /// From the last kill command to the last clone after it; absent before the first.
    pub kill_latency_s: Option<f64>,
    /// The brakes.
    #[serde(default)] // an older agent does not say
    pub guards: guards::AgentGuards,
    /// What the agent itself takes.
    #[serde(default)] // an older agent does not say
    pub cost: Cost,
}

/// What the agent and its programs take.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Time that processors spent on the agent's threads; the kernel programs are not in it.
    pub cpu_s: f64,
    /// Memory of the agent, without the kernel's tables.
    pub memory_bytes: u64,
    /// The kernel programs; absent where the kernel does not measure them, and until it has.
    pub programs: Option<Programs>,
    /// How full the kernel's tables are; the flow table as of its last sweep, at most 30 s ago.
    pub maps: BTreeMap<String, Level>,
    /// How full the packet rings are.
    pub ring: Blocks,
}

/// Run times of the kernel programs. They are measured for a second of every minute, and all figures are of these seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Programs {
    /// How long was measured.
    pub sampled_s: f64,
    /// By name.
    pub by_name: BTreeMap<String, Program>,
}

/// A kernel program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// How long it ran, over all processors.
    pub run_s: f64,
    /// How often.
    pub runs: u64,
}

/// How full a table is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Entries in it.
    pub entries: u64,
    /// Entries that it holds at most.
    pub max: u64,
}

/// Blocks of the packet rings, over all workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocks {
    /// Full, and not read yet.
    pub waiting: u64,
    /// The most that have waited at once in one ring.
    pub highest: u64,
    /// All there are in one ring.
    pub of_one: u64,
    /// All there are.
    pub all: u64,
}

/// A named set of clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    /// Its name.
    pub name: String,
    /// Whether it is cloned.
    pub state: RingState,
    /// How many prefixes it has.
    pub prefixes: usize,
}

/// Whether a ring is cloned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RingState {
    /// As the shares say.
    On,
    /// `pause --ring` was said.
    Paused,
    /// `kill --ring` was said.
    Killed,
}

impl RingState {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            RingState::On => "on",
            RingState::Paused => "paused",
            RingState::Killed => "killed",
        }
    }
}

/// Reloads of the config since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloads {
    /// Those that took effect.
    pub success: u64,
    /// Those that were refused whole.
    pub refused: u64,
    /// Whether the last one took effect; true before the first.
    pub last_successful: bool,
}

impl Default for Reloads {
    fn default() -> Self {
        Reloads { success: 0, refused: 0, last_successful: true }
    }
}

/// A rule of a service, and the new connections of v1 that it has decided: `named = mirrored + share_out + capped`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its ring's name, its number from 1, or `rest`.
    pub rule: String,
    /// Its ring.
    pub ring: Option<String>,
    /// Its share, as typed: `5%`.
    pub share: String,
    /// Connections whose clients it names.
    pub named: u64,
    /// Those that were mirrored.
    pub mirrored: u64,
    /// Those outside its share.
    pub share_out: u64,
    /// Those inside its share that a cap left out whole.
    pub capped: u64,
    /// Those of `mirrored` that a cap cut in the middle.
    pub cut: u64,
}

/// A tap.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tap {
    /// The interface.
    pub interface: String,
    /// `ingress` or `egress`.
    pub hook: String,
    /// `tcx` or `clsact`.
    pub mechanism: String,
    /// How it stands.
    #[serde(default)] // an older agent does not say
    pub condition: Condition,
    /// How many programs and filters see a packet before it; absent while it is removed.
    pub position: Option<usize>,
    /// How many come after it.
    pub followers: Option<usize>,
}

/// How a tap stands at its hook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// Nobody sees packets before it.
    #[default]
    First,
    /// Somebody sees packets before it, and may keep them from it.
    Preceded,
    /// Somebody took it away: it sees nothing.
    Removed,
}

impl Condition {
    /// Every condition, with its name in metrics.
    pub const ALL: [(Condition, &'static str); 3] =
        [(Condition::First, "first"), (Condition::Preceded, "preceded"), (Condition::Removed, "removed")];
}

/// The intake's ledger, in frames: `cloned = read + link_dropped + ring_dropped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intake {
    /// Clones that the kernel made.
    pub cloned: u64,
    /// Frames that were read.
    pub read: u64,
    /// Clones that the shadow interface lost.
    pub link_dropped: u64,
    /// Frames that a full packet ring refused.
    pub ring_dropped: u64,
    /// Frames longer than a block of the packet ring, of which the end was not read: a part of `read`.
    #[serde(default)] // an older agent does not say
    pub truncated: u64,
}

/// The tunnel that the clones leave by. Packets that offload has merged count once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tunnel {
    /// The host at its other end.
    pub remote: String,
    /// Its network identifier.
    pub vni: u32,
    /// The MTU of the way there, as it was at the start.
    pub path_mtu: u32,
    /// Packets that it has sent.
    pub sent: u64,
    /// Packets that it could not send.
    pub failed: u64,
    /// Frames too long for one packet: over IPv4 they leave in fragments, over IPv6 they fail.
    pub oversize: u64,
}

/// One service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Share of connections that is mirrored where no rule names the client, as typed: `5%`.
    pub share: String,
    /// The rules in their order; the last is the rest.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Mirrored connections that are open.
    #[serde(default)]
    pub connections_open: u64,
    /// What the mirror does.
    pub state: State,
    /// The kernel's ledger, in packets.
    pub packets: Packets,
    /// The same in bytes.
    pub bytes: Packets,
    /// The ledger of requests.
    pub requests: Requests,
    /// Differences by part.
    pub differences: Totals,
    /// Differences that rules hid, by the rule's name: none of them is in `differences`.
    #[serde(default)] // an older agent does not say
    pub hidden_differences: BTreeMap<String, u64>,
    /// Differing exchanges for whose route there was no room.
    #[serde(default)]
    pub other_routes: u64,
    /// Bodies that could not be decoded, and were compared as they were sent, by version and reason.
    #[serde(default)] // an older agent does not say
    pub undecodable_bodies: BTreeMap<String, BTreeMap<String, u64>>,
    /// What is said of v2 since the start.
    #[serde(default)] // an older agent does not say
    pub verdict: Verdict,
    /// Requests that were asked a second time, by how that ended.
    #[serde(default)] // as above
    pub second_answers: BTreeMap<String, u64>,
    /// The brakes.
    #[serde(default)] // as above
    pub guards: guards::Guards,
    /// What both versions are asked on a schedule; empty without probes.
    #[serde(default)] // as above
    pub probes: Vec<probes::Probe>,
    /// Turns by version.
    pub turns: BTreeMap<String, Turns>,
    /// Latencies by version, from the kernel's histograms, all outcomes together.
    pub latency: BTreeMap<String, Latencies>,
    /// What the network did, by version.
    #[serde(default)] // an older agent does not say
    pub tcp: BTreeMap<String, Tcp>,
    /// Durations in seconds that are counted exactly.
    #[serde(default)] // as above
    pub thresholds_s: Vec<f64>,
    /// What keeps v2's own calls in; absent where there is no fence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<Fence>,
    /// What the ledgers do not account for; all must be 0.
    pub ledger_imbalance: Imbalance,
}

/// A verdict in short; `GET /v1/verdict` has the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The word.
    pub verdict: Outcome,
    /// Why, a line each.
    pub reasons: Vec<String>,
}

impl Default for Verdict {
    fn default() -> Self {
        Verdict { verdict: Outcome::Inconclusive, reasons: vec!["the agent does not say".into()] }
    }
}

impl From<crate::judge::Verdict> for Verdict {
    fn from(whole: crate::judge::Verdict) -> Self {
        Verdict { verdict: whole.verdict, reasons: whole.reasons }
    }
}

/// What the mirror of a service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It clones what the share asks for.
    Mirroring,
    /// Every share is 0.
    Off,
    /// `pause` was said.
    Paused,
    /// `kill` was said.
    Killed,
    /// A guard was breached.
    Aborted,
    /// It waits until what must be known is known.
    Preflight,
    /// The agent has ended.
    Stopped,
}

impl State {
    /// Every state, with its name in metrics.
    pub const ALL: [(State, &'static str); 7] = [
        (State::Mirroring, "mirroring"),
        (State::Off, "off"),
        (State::Paused, "paused"),
        (State::Killed, "killed"),
        (State::Aborted, "aborted"),
        (State::Preflight, "preflight"),
        (State::Stopped, "stopped"),
    ];
}

/// How matched packets ended: `matched` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packets {
    /// Packets of the primary endpoint.
    pub matched: u64,
    /// Copied to the shadow interface.
    pub cloned: u64,
    /// Outside the share.
    pub share_out: u64,
    /// Left out by a cap.
    pub capped: u64,
    /// Left out while paused or killed.
    pub paused: u64,
    /// Left out because the agent did not renew its lease.
    pub lease_expired: u64,
    /// The copy could not be made or sent.
    pub clone_failed: u64,
    /// Seen again at another interface or hook.
    pub duplicate_vantage: u64,
}

impl From<[u64; 8]> for Packets {
    fn from(by_ending: [u64; 8]) -> Self {
        let [matched, cloned, share_out, capped, paused, lease_expired, clone_failed, duplicate_vantage] =
            by_ending;
        Packets { matched, cloned, share_out, capped, paused, lease_expired, clone_failed, duplicate_vantage }
    }
}

impl From<Packets> for [u64; 8] {
    fn from(p: Packets) -> Self {
        [
            p.matched,
            p.cloned,
            p.share_out,
            p.capped,
            p.paused,
            p.lease_expired,
            p.clone_failed,
            p.duplicate_vantage,
        ]
    }
}

/// How requests ended: `seen` is the sum of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// Requests recognised.
    pub seen: u64,
    /// Answered by both versions, and compared.
    pub compared: u64,
    /// Not answered by v2, by how.
    pub v2_failed: BTreeMap<String, u64>,
    /// Kept from v2 by a limit, by which.
    pub shed: BTreeMap<String, u64>,
    /// Not asked for by the config, by which part of it.
    pub unselected: BTreeMap<String, u64>,
    /// Not readable as a whole, by reason.
    pub unmirrorable: BTreeMap<String, u64>,
    /// Never answered by v1.
    pub v1_unanswered: u64,
    /// Met a fault that an experiment made, by which.
    #[serde(default)] // an older agent does not say
    pub faulted: BTreeMap<String, u64>,
    /// Not ended yet.
    pub in_progress: u64,
}

impl From<&Counts> for Requests {
    fn from(counts: &Counts) -> Self {
        Requests {
            seen: counts.seen,
            compared: counts.compared,
            v2_failed: by_name(V2Failure::NAMES, &counts.v2_failed),
            shed: by_name(Shed::NAMES, &counts.shed),
            unselected: by_name(Unselected::ALL.map(Unselected::as_str), &counts.unselected),
            unmirrorable: by_name(Unmirrorable::ALL.map(Unmirrorable::as_str), &counts.unmirrorable),
            v1_unanswered: counts.v1_unanswered,
            faulted: by_name(Kind::NAMES, &counts.faulted),
            in_progress: counts.in_progress(),
        }
    }
}

/// Turns of one version: `started = recorded + ambiguous + expired + evicted + open`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turns {
    /// Turns that began.
    pub started: u64,
    /// Turns in the histograms.
    pub recorded: u64,
    /// Turns whose latency is not certain, by reason.
    pub ambiguous: BTreeMap<String, u64>,
    /// Turns whose connection fell silent before they were certain.
    pub expired: u64,
    /// Turns whose connection had to make room in a crowded flow table.
    #[serde(default)] // an older agent does not say
    pub evicted: u64,
}

/// Latencies of one version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latencies {
    /// Last request byte to first response byte.
    pub ttfb: Quantiles,
    /// First request byte to last response byte.
    pub total: Quantiles,
}

/// The network between the tap and the two ends of one version's connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tcp {
    /// Towards the clients.
    pub client: TcpSide,
    /// Towards the servers.
    pub server: TcpSide,
}

/// One side of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TcpSide {
    /// Round trips of handshakes.
    pub handshake: Quantiles,
    /// Round trips of later segments, by their time stamps: with what the peer delays its acknowledgements.
    pub timestamp: Quantiles,
    /// Segments of this side whose bytes had been sent before.
    pub retransmits: u64,
    /// Resets by this side.
    pub resets: u64,
}

/// A distribution in five numbers; quantiles in seconds, absent without values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// How many values.
    pub count: u64,
    /// Median.
    pub p50_s: Option<f64>,
    /// 90th percentile.
    pub p90_s: Option<f64>,
    /// 99th percentile.
    pub p99_s: Option<f64>,
    /// 99.9th percentile.
    pub p999_s: Option<f64>,
}

impl From<&crate::latency::Latency> for Quantiles {
    fn from(latency: &crate::latency::Latency) -> Self {
        Quantiles {
            count: latency.count(),
            p50_s: latency.quantile(0.5),
            p90_s: latency.quantile(0.9),
            p99_s: latency.quantile(0.99),
            p999_s: latency.quantile(0.999),
        }
    }
}

/// What each ledger does not account for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imbalance {
    /// Matched packets in no bucket.
    pub kernel: i64,
    /// Cloned frames neither read nor dropped, of all services together.
    pub intake: i64,
    /// Requests in no bucket.
    pub requests: i64,
}

/// Names and counts as a map, for JSON.
pub fn by_name<'a>(names: impl IntoIterator<Item = &'a str>, counts: &[u64]) -> BTreeMap<String, u64> {
    names.into_iter().map(str::to_owned).zip(counts.iter().copied()).collect()
}
