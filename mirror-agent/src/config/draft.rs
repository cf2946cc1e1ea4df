//! What was said, by whom, before it is complete: the same shape for the flags and for the file.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::errors::{Errors, Place};
use super::fence::FenceDraft;
use super::guards::{AgentGuardsDraft, GuardsDraft, RampDraft, SloDraft};
use super::hiding::HidingDraft;
use super::judge::JudgeDraft;
use super::prefix::{Ports, Prefix};
use super::probes::ProbeDraft;
use super::{OnDisplaced, Role, ShadowInterface, Share};

/// A value and where it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<T> {
    /// What.
    pub value: T,
    /// Where.
    pub at: Place,
}

/// A [`Config`](super::Config) in the making.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Interfaces that carry the services.
    pub interfaces: Vec<Said<String>>,
    /// What to do about a displaced tap.
    pub on_displaced: Option<Said<OnDisplaced>>,
    /// The rings; from flags, none.
    pub rings: Vec<RingDraft>,
    /// The services; from flags, at most one.
    pub services: Vec<ServiceDraft>,
    /// Where to send the clones.
    pub shadow_interface: Option<Said<ShadowInterface>>,
    /// Where to serve metrics.
    pub listen: Option<Said<SocketAddr>>,
    /// The control socket.
    pub control: Option<Said<PathBuf>>,
    /// When to end by itself.
    pub run_for: Option<Said<Duration>>,
    /// Where the final status goes.
    pub summary: Option<Said<PathBuf>>,
    /// Where differences go.
    pub differences: Option<Said<PathBuf>>,
    /// Names of secrets; from flags, none.
    pub redact_names: Vec<Said<String>>,
    /// Shapes of secrets; from flags, none.
    pub redact_patterns: Vec<Said<String>>,
    /// Worker threads.
    pub workers: Option<Said<usize>>,
    /// Whether a v1 that no interface leads to is fine.
    pub transit: Option<Said<bool>>,
    /// The brakes of the agent.
    pub guards: AgentGuardsDraft,
    /// Keys that were given a value that was refused.
    pub refused: Vec<&'static str>,
}

/// A [`Ring`](super::Ring) in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingDraft {
    /// Its name, at its place.
    pub name: Said<String>,
    /// Who is in it.
    pub clients: Option<Vec<Said<Prefix>>>,
    /// The share of rules that say none.
    pub share: Option<Said<Share>>,
    /// Keys that were given a value that was refused.
    pub refused: Vec<&'static str>,
}

/// A [`Rule`](super::Rule) in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleDraft {
    /// Where it stands.
    pub at: Place,
    /// The ring that it names.
    pub ring: Option<Said<String>>,
    /// The clients that it names.
    pub clients: Option<Vec<Said<Prefix>>>,
    /// Their ports.
    pub ports: Option<Vec<Said<Ports>>>,
    /// Share of their connections.
    pub share: Option<Said<Share>>,
    /// Keys that were given a value that was refused.
    pub refused: Vec<&'static str>,
}

/// A [`Service`](super::Service) in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceDraft {
    /// Where it stands.
    pub at: Place,
    /// Its name.
    pub name: Option<Said<String>>,
    /// The version that serves users.
    pub v1: Option<Said<SocketAddr>>,
    /// The version that gets the copy.
    pub v2: Option<Said<SocketAddr>>,
    /// Share of the connections.
    pub share: Option<Said<Share>>,
    /// Shares of some of the clients, in order.
    pub rules: Option<Vec<RuleDraft>>,
    /// Share of the requests of a mirrored connection.
    pub request_share: Option<Said<Share>>,
    /// Methods to replay.
    pub methods: Option<Vec<Said<String>>>,
    /// Path prefixes to replay.
    pub paths: Option<Vec<Said<String>>>,
    /// Headers that compare leaves out.
    pub ignored_headers: Option<Vec<Said<String>>>,
    /// Field paths that compare leaves out.
    pub ignored_paths: Option<Vec<Said<String>>>,
    /// Rules of compare.
    pub hiding: Option<Vec<HidingDraft>>,
    /// Members that tell the elements of an array apart.
    pub keys: Option<Vec<Said<String>>>,
    /// Routes that are given.
    pub routes: Option<Vec<Said<String>>>,
    /// Requests per second.
    pub rps: Option<Said<u32>>,
    /// Requests at once.
    pub in_flight: Option<Said<u32>>,
    /// Connections at once.
    pub connections: Option<Said<u32>>,
    /// Bytes per second towards v2.
    pub bytes_per_second: Option<Said<u64>>,
    /// Time per request.
    pub timeout: Option<Said<Duration>>,
    /// Cap in the kernel.
    pub cap_packets: Option<Said<u64>>,
    /// Cap in the kernel.
    pub cap_bytes: Option<Said<u64>>,
    /// Cap in the kernel.
    pub cap_connections: Option<Said<u64>>,
    /// Cap in the kernel on connections at once.
    pub cap_open: Option<Said<u32>>,
    /// How much of a rate may come at once.
    pub cap_burst: Option<Said<Duration>>,
    /// Bounds that are counted exactly.
    pub thresholds: Option<Vec<Said<Duration>>>,
    /// How v2 is judged.
    pub judge: JudgeDraft,
    /// What v2 is.
    pub v2_role: Option<Said<Role>>,
    /// The share of the users that it should get.
    pub split: Option<Said<Share>>,
    /// What v1 promises.
    pub slo: SloDraft,
    /// When to stop.
    pub guards: GuardsDraft,
    /// How the share rises; from flags, not at all.
    pub ramp: RampDraft,
    /// What keeps v2's own calls in; from flags, nothing.
    pub fence: Option<FenceDraft>,
    /// What is asked on a schedule; from flags, nothing.
    pub probes: Vec<ProbeDraft>,
    /// Keys that were given a value that was refused.
    pub refused: Vec<&'static str>,
}

impl Draft {
    /// What `self` (the flags) says, and where it is silent, what `file` says.
    ///
    /// Flags of a service speak of the file's only service, or of the one that `--name` names. They make a service
    /// of their own only where the file has none.
    pub fn over(self, file: Draft, errors: &mut Errors) -> Draft {
        let services = merge_services(self.services, file.services, errors);
        Draft {
            interfaces: if self.interfaces.is_empty() { file.interfaces } else { self.interfaces },
            on_displaced: self.on_displaced.or(file.on_displaced),
            rings: file.rings,
            services,
            shadow_interface: self.shadow_interface.or(file.shadow_interface),
            listen: self.listen.or(file.listen),
            control: self.control.or(file.control),
            run_for: self.run_for.or(file.run_for),
            summary: self.summary.or(file.summary),
            differences: self.differences.or(file.differences),
            redact_names: file.redact_names,
            redact_patterns: file.redact_patterns,
            workers: self.workers.or(file.workers),
            transit: self.transit.or(file.transit),
            guards: self.guards.over(file.guards),
            refused: file.refused,
        }
    }
}

impl ServiceDraft {
    /// A service of which nothing is known but where it stands.
    pub fn new(at: Place) -> ServiceDraft {
        ServiceDraft {
            at,
            name: None,
            v1: None,
            v2: None,
            share: None,
            rules: None,
            request_share: None,
            methods: None,
            paths: None,
            ignored_headers: None,
            ignored_paths: None,
            hiding: None,
            keys: None,
            routes: None,
            rps: None,
            in_flight: None,
            connections: None,
            bytes_per_second: None,
            timeout: None,
            cap_packets: None,
            cap_bytes: None,
            cap_connections: None,
            cap_open: None,
            cap_burst: None,
            thresholds: None,
            judge: JudgeDraft::default(),
            v2_role: None,
            split: None,
            slo: SloDraft::default(),
            guards: GuardsDraft::default(),
            ramp: RampDraft::default(),
            fence: None,
            probes: Vec::new(),
            refused: Vec::new(),
        }
    }

    fn over(self, file: ServiceDraft) -> ServiceDraft {
        ServiceDraft {
            at: file.at,
            name: file.name.or(self.name),
            v1: self.v1.or(file.v1),
            v2: self.v2.or(file.v2),
            share: self.share.or(file.share),
            rules: file.rules.or(self.rules),
            request_share: self.request_share.or(file.request_share),
            methods: self.methods.or(file.methods),
            paths: self.paths.or(file.paths),
            ignored_headers: self.ignored_headers.or(file.ignored_headers),
            ignored_paths: self.ignored_paths.or(file.ignored_paths),
            hiding: file.hiding.or(self.hiding),
            keys: file.keys.or(self.keys),
            routes: file.routes.or(self.routes),
            rps: self.rps.or(file.rps),
            in_flight: self.in_flight.or(file.in_flight),
            connections: self.connections.or(file.connections),
            bytes_per_second: self.bytes_per_second.or(file.bytes_per_second),
            timeout: self.timeout.or(file.timeout),
            cap_packets: self.cap_packets.or(file.cap_packets),
            cap_bytes: self.cap_bytes.or(file.cap_bytes),
            cap_connections: self.cap_connections.or(file.cap_connections),
            cap_open: self.cap_open.or(file.cap_open),
            cap_burst: self.cap_burst.or(file.cap_burst),
            thresholds: self.thresholds.or(file.thresholds),
            judge: self.judge.over(file.judge),
            v2_role: self.v2_role.or(file.v2_role),
            split: self.split.or(file.split),
            slo: self.slo.over(file.slo),
            guards: self.guards.over(file.guards),
            ramp: file.ramp,
            fence: file.fence,
            probes: file.probes,
            refused: file.refused,
        }
    }

    fn is_called(&self, name: &str) -> bool {
        self.name.as_ref().is_some_and(|said| said.value == name)
    }
}

fn merge_services(
    flags: Vec<ServiceDraft>,
    mut file: Vec<ServiceDraft>,
    errors: &mut Errors,
) -> Vec<ServiceDraft> {
    let Some(typed) = flags.into_iter().next() else { return file };
    if file.is_empty() {
        return vec![typed];
    }
    let meant = match &typed.name {
        Some(name) => file.iter().position(|service| service.is_called(&name.value)),
        None => (file.len() == 1).then_some(0),
    };
    match (meant, &typed.name) {
        (Some(index), _) => {
            let service = file.remove(index);
            file.insert(index, typed.over(service));
        }
        (None, Some(name)) => errors.add(&name.at, format!("the file has no service called {}", name.value)),
        (None, None) => {
            errors.add(&typed.at, "the file has several services: say with --name which one these flags mean")
        }
    }
    file
}
