//! The configuration file: its keys, and where they go.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use super::draft::{Draft, RingDraft, RuleDraft, Said, ServiceDraft};
use super::errors::{Errors, Place};
use super::fence::FenceDraft;
use super::guards::{AgentGuardsDraft, GuardsDraft, RampDraft, SloDraft};
use super::hiding;
use super::judge::JudgeDraft;
use super::prefix::{Ports, Prefix};
use super::probes;
use super::section::{Section, Source};
use super::{Share, values, yaml};

/// A larger file is not a configuration but the wrong path.
const SIZE_MAX: u64 = 1 << 20;

/// Reads the text of a file. The one function of the configuration that touches the world.
///
/// # Errors
/// What the system says, or a file over 1 MiB.
pub fn read(path: &Path) -> Result<String, String> {
    use std::io::Read;
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    file.take(SIZE_MAX + 1).read_to_string(&mut text).map_err(|error| format!("cannot be read: {error}"))?;
    if text.len() as u64 > SIZE_MAX {
        return Err("is larger than 1 MiB, too large for a configuration".to_owned());
    }
    Ok(text)
}

/// What the text of a file says, with all that is wrong with its keys and values. `name` is used in places.
///
/// `None` when it is not even YAML, or no mapping: then nothing can be said about the rest.
pub fn parse(name: &str, text: &str) -> (Option<Draft>, Errors) {
    document(name, text, "a configuration", whole)
}

/// What `read` makes of the mapping in the text of a file, which `what` names in errors, with all that is wrong with it.
/// `None` when it is not even YAML, or no mapping.
pub fn document<T>(
    name: &str,
    text: &str,
    what: &str,
    read: impl FnOnce(Section<'_>) -> T,
) -> (Option<T>, Errors) {
    let name: Arc<str> = Arc::from(name);
    let source = Source { name: name.clone(), text, errors: RefCell::default() };
    let root = match yaml::parse(text) {
        Ok(root) => root,
        Err((location, what)) => {
            let mut errors = Errors::default();
            let at = location.map_or(Place::File(name), |location| source.place(location));
            errors.add(&at, what);
            return (None, errors);
        }
    };
    let value = source.section(&root, what).map(read);
    (value, source.errors.take())
}

fn whole(mut root: Section<'_>) -> Draft {
    let mut draft = Draft {
        interfaces: root.list("interfaces", values::interfaces).unwrap_or_default(),
        shadow_interface: root.value("shadow_interface", str::parse),
        on_displaced: root.value("on_displaced", values::on_displaced),
        listen: root.value("listen", values::listen),
        control: root.value("control", values::socket_path),
        run_for: None, // a file that ends the program after a while would surprise whoever restarts it
        summary: root.value("summary", values::file_path),
        differences: root.value("differences", values::file_path),
        redact_names: Vec::new(),
        redact_patterns: Vec::new(),
        workers: root.value("workers", values::workers),
        transit: root.value("transit", values::flag),
        guards: AgentGuardsDraft::read(&mut root),
        rings: root.named("rings", values::ring_name).into_iter().map(ring).collect(),
        services: root.sections("services").into_iter().map(service).collect(),
        refused: Vec::new(),
    };
    if let Some(mut redact) = root.section("redact") {
        draft.redact_names = redact.list("names", values::secret_name).unwrap_or_default();
        draft.redact_patterns = redact.list("patterns", values::secret_pattern).unwrap_or_default();
        redact.finish();
    }
    root.finish();
    draft.refused = root.refused;
    draft
}

fn service(mut keys: Section<'_>) -> ServiceDraft {
    let mut draft = ServiceDraft::new(keys.at.clone());
    draft.name = keys.value("name", values::service_name);
    draft.v1 = keys.value("v1", values::endpoint);
    draft.v2 = keys.value("v2", values::endpoint);
    draft.share = keys.value("share", share);
    draft.rules = Some(keys.sections("rules").into_iter().map(rule).collect()); // in the file alone
    draft.request_share = keys.value("request_share", share);
    draft.methods = keys.list("methods", values::method);
    draft.paths = keys.list("paths", values::path_prefix);
    if let Some(mut ignore) = keys.section("ignore") {
        draft.ignored_headers = ignore.list("headers", values::header);
        draft.ignored_paths = ignore.list("paths", values::field_path);
        ignore.finish();
    }
    if let Some(mut compare) = keys.section("compare") {
        draft.hiding = Some(compare.sections("rules").into_iter().map(hiding::draft).collect());
        draft.keys = compare.list("keys", values::key_path);
        draft.routes = compare.list("routes", values::route);
        compare.finish();
    }
    if let Some(limits) = keys.section("limits") {
        read_limits(&mut draft, limits);
    }
    if let Some(mut caps) = keys.section("kernel_caps") {
        draft.cap_packets = caps.value("packets_per_second", values::cap);
        draft.cap_bytes = caps.value("bytes_per_second", values::bytes);
        draft.cap_connections = caps.value("connections_per_second", values::cap);
        draft.cap_open = caps.value("connections", values::at_once);
        draft.cap_burst = caps.value("burst", values::burst);
        caps.finish();
    }
    draft.thresholds = keys.list("thresholds", values::duration);
    draft.judge = JudgeDraft::read(&mut keys);
    draft.v2_role = keys.value("v2_role", values::role);
    draft.split = keys.value("split", values::split);
    draft.slo = SloDraft::read(&mut keys);
    draft.guards = GuardsDraft::read(&mut keys);
    draft.ramp = RampDraft::read(&mut keys);
    draft.fence = FenceDraft::read(&mut keys);
    draft.probes = keys.sections("probes").into_iter().map(probes::draft).collect();
    keys.finish();
    draft.refused = keys.refused;
    draft
}

fn ring((name, mut keys): (Said<String>, Section<'_>)) -> RingDraft {
    let clients = keys.list("clients", Prefix::parse);
    let share = keys.value("share", share);
    keys.finish();
    RingDraft { name, clients, share, refused: keys.refused }
}

fn rule(mut keys: Section<'_>) -> RuleDraft {
    let ring = keys.value("ring", values::ring_name);
    let clients = keys.list("clients", Prefix::parse);
    let ports = keys.list("ports", Ports::parse);
    let share = keys.value("share", share);
    keys.finish();
    RuleDraft { at: keys.at, ring, clients, ports, share, refused: keys.refused }
}

fn read_limits(draft: &mut ServiceDraft, mut limits: Section<'_>) {
    draft.rps = limits.value("rps", values::rate);
    draft.in_flight = limits.value("in_flight", values::at_once);
    draft.connections = limits.value("connections", values::at_once);
    draft.bytes_per_second = limits.value("bytes_per_second", values::bytes);
    draft.timeout = limits.value("timeout", values::duration);
    limits.finish();
}

fn share(text: &str) -> Result<Share, String> {
    text.parse().map_err(|error: super::ShareError| error.to_string())
}
