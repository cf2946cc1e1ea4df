//! A draft becomes a configuration: what is missing is named, what may be missing gets its default.

use std::path::PathBuf;
use std::time::Duration;

use mirror_common::limits::THRESHOLDS;

use crate::judge::Again;

use super::draft::{Draft, Said, ServiceDraft};
use super::errors::{Errors, Place};
use super::hiding::{self, Redact};
use super::probes;
use super::rules::{self, Ring};
use super::{Caps, Config, DEFAULT_CONTROL, DEFAULT_METHODS, Limits, Role, Service, Share, default_workers};

/// Completes `draft`; `None` only after naming something that is missing, here or where it was refused.
/// `root` is where a missing service or interface is missed: the file, if there is one.
pub fn resolve(draft: Draft, root: &Place, errors: &mut Errors) -> Option<Config> {
    miss_interfaces(&draft, root, errors);
    if draft.services.is_empty() && !draft.refused.contains(&"services") {
        errors.add(root, "names no service: give it one under services, or use --v1, --v2 and --share");
    }
    let rings = rules::rings(&draft.rings, errors);
    let redact = Redact {
        names: distinct(draft.redact_names.clone()),
        patterns: distinct(draft.redact_patterns.clone()),
    };
    let complete = |service: &ServiceDraft| {
        complete(service.clone(), &rings, errors).map(|service| Service { redact: redact.clone(), ..service })
    };
    let services: Vec<_> = draft.services.iter().map(complete).collect();
    let services: Vec<_> = services.into_iter().collect::<Option<_>>()?;
    rules::check_prefixes(&draft, &services, errors);
    let control = value(draft.control).unwrap_or_else(|| PathBuf::from(DEFAULT_CONTROL));
    Some(Config {
        guards: draft.guards.complete(&control),
        interfaces: distinct(draft.interfaces),
        on_displaced: value(draft.on_displaced).unwrap_or_default(),
        rings,
        services,
        shadow_interface: value(draft.shadow_interface),
        listen: value(draft.listen),
        control,
        run_for: value(draft.run_for),
        summary: value(draft.summary),
        differences: value(draft.differences),
        workers: value(draft.workers).unwrap_or_else(default_workers),
        transit: value(draft.transit).unwrap_or(false),
    })
}

fn miss_interfaces(draft: &Draft, root: &Place, errors: &mut Errors) {
    if !draft.interfaces.is_empty() || draft.refused.contains(&"interfaces") {
        return;
    }
    match root {
        Place::CommandLine => {
            errors.add(&Place::Flag("--interface"), "missing: name an interface that carries the service");
        }
        file => {
            let what = "names no interface that carries a service: give it interfaces, or use --interface";
            errors.add(file, what);
        }
    }
}

/// Completes one service; `None` only after naming something that is missing.
pub fn complete(draft: ServiceDraft, rings: &[Ring], errors: &mut Errors) -> Option<Service> {
    let name = draft.name.as_ref().map_or("default", |said| said.value.as_str()).to_owned();
    miss_parts(&draft, &name, errors);
    let (limits, rules) = (limits(&draft), rules::rules(&draft, rings, errors));
    let hiding = hiding::rules(&draft, errors);
    let v2_role = draft.v2_role.as_ref().map_or(Role::default(), |said| said.value);
    let share = share(&draft, v2_role, errors);
    let mut thresholds = thresholds(draft.thresholds.unwrap_or_default(), errors);
    let slo = draft.slo.complete(&mut thresholds, errors);
    let ramp = draft.ramp.complete(errors);
    let probes = probes::complete(&draft.probes, errors);
    let judge = draft.judge.complete();
    if let (Some(at), true) = (&draft.ramp.at, judge.again != Again::V1) {
        errors.add(at, "no step would ever end: it takes a PASS, and without second_answers: {from: v1} latency is not judged");
    }
    let fence = draft.fence.and_then(|fence| fence.complete(v2_role, errors));
    Some(Service {
        name,
        v1: value(draft.v1)?,
        v2: value(draft.v2)?,
        share: share?,
        rules,
        request_share: value(draft.request_share).unwrap_or(Share::FULL),
        methods: draft.methods.map_or_else(|| DEFAULT_METHODS.map(str::to_owned).to_vec(), distinct),
        paths: distinct(draft.paths.unwrap_or_default()),
        ignored_headers: distinct(draft.ignored_headers.unwrap_or_default()),
        ignored_paths: distinct(draft.ignored_paths.unwrap_or_default()),
        hiding,
        keys: distinct(draft.keys.unwrap_or_default()),
        routes: distinct(draft.routes.unwrap_or_default()),
        redact: Redact::default(),
        limits,
        caps: Caps {
            packets_per_second: value(draft.cap_packets),
            bytes_per_second: value(draft.cap_bytes),
            connections_per_second: value(draft.cap_connections),
            connections: value(draft.cap_open),
            burst: value(draft.cap_burst).unwrap_or(Caps::BURST),
        },
        thresholds,
        judge,
        v2_role,
        split: value(draft.split),
        slo,
        guards: draft.guards.complete(!ramp.is_empty()),
        ramp,
        fence,
        probes,
    })
}

fn miss_parts(draft: &ServiceDraft, name: &str, errors: &mut Errors) {
    let is_refused = |key| draft.refused.contains(&key);
    let typed = draft.at == Place::CommandLine;
    if !typed && draft.name.is_none() && !is_refused("name") {
        errors.add(&draft.at, "a service needs a name");
    }
    let parts = [
        (draft.v1.is_none(), "v1", "--v1", "say which ADDR:PORT serves users now"),
        (draft.v2.is_none(), "v2", "--v2", "say which ADDR:PORT gets the copy"),
        (
            draft.share.is_none() && !is_observed(draft) && draft.ramp.at.is_none(),
            "share",
            "--share",
            SHARE_MISSING,
        ),
    ];
    for (_, key, flag, why) in parts.into_iter().filter(|&(missing, key, ..)| missing && !is_refused(key)) {
        if typed {
            errors.add(&Place::Flag(flag), format!("missing: {why}"));
        } else {
            errors.add(&draft.at, format!("service {name} has no {key}: {why}"));
        }
    }
    if draft.methods.as_ref().is_some_and(Vec::is_empty) && !is_refused("methods") {
        errors.add(&draft.at, format!("service {name} replays no method: a share of 0% says that better"));
    }
}

fn is_observed(draft: &ServiceDraft) -> bool {
    draft.v2_role.as_ref().is_some_and(|said| said.value == Role::Observed)
}

/// What is mirrored: nothing to a v2 that carries users' traffic.
fn share(draft: &ServiceDraft, v2_role: Role, errors: &mut Errors) -> Option<Share> {
    if let (Some(at), Role::Observed) = (&draft.ramp.at, v2_role) {
        errors.add(
            at,
            "nothing is mirrored to a v2 that carries users' traffic (v2_role: observed): leave the ramp out",
        );
    }
    if let (Some(_), Some(said)) = (&draft.ramp.at, &draft.share) {
        errors.add_to(&said.at, "share", "the ramp says how much is mirrored: leave the share out");
    }
    match (v2_role, &draft.share, &draft.split) {
        (Role::Observed, Some(said), _) if said.value != Share::ZERO => {
            let what = "v2 carries users' traffic (v2_role: observed): nothing is mirrored to it, leave the share out";
            errors.add_to(&said.at, "share", what);
        }
        (Role::Shadow, _, Some(said)) => {
            errors.add_to(&said.at, "split", "only a v2 with v2_role: observed gets a part of the traffic");
        }
        _ => {}
    }
    match v2_role {
        Role::Observed => Some(Share::ZERO),
        Role::Shadow if draft.ramp.at.is_some() => Some(Share::ZERO), // until its first step
        Role::Shadow => draft.share.as_ref().map(|said| said.value),
    }
}

const SHARE_MISSING: &str = "say how much to mirror, for example 5%; it has no default, and 0% is fine";

fn limits(draft: &ServiceDraft) -> Limits {
    let default = Limits::DEFAULT;
    Limits {
        rps: draft.rps.as_ref().map_or(default.rps, |said| said.value),
        in_flight: draft.in_flight.as_ref().map_or(default.in_flight, |said| said.value),
        connections: draft.connections.as_ref().map_or(default.connections, |said| said.value),
        bytes_per_second: draft.bytes_per_second.as_ref().map(|said| said.value).or(default.bytes_per_second),
        timeout: draft.timeout.as_ref().map_or(default.timeout, |said| said.value),
    }
}

fn thresholds(said: Vec<Said<Duration>>, errors: &mut Errors) -> Vec<Duration> {
    if let Some(one_too_many) = said.get(THRESHOLDS) {
        let what =
            format!("more than {THRESHOLDS} thresholds, which is all the kernel side holds for a service");
        errors.add(&one_too_many.at, what);
    }
    for pair in said.windows(2) {
        if let [before, after] = pair
            && before.value >= after.value
        {
            let what = format!(
                "{:?} comes after {:?}: write thresholds from the shortest to the longest",
                after.value, before.value
            );
            errors.add_to(&after.at, "thresholds", &what);
        }
    }
    said.into_iter().map(|said| said.value).collect()
}

fn value<T>(said: Option<Said<T>>) -> Option<T> {
    said.map(|said| said.value)
}

/// The values in their order, each once.
fn distinct(said: Vec<Said<String>>) -> Vec<String> {
    let mut values: Vec<String> = Vec::with_capacity(said.len());
    for said in said {
        if !values.contains(&said.value) {
            values.push(said.value);
        }
    }
    values
}
