//! An experiment as the operator writes it.

mod limits;
mod steps;

use std::time::Duration;

use mirror_common::share::murmur3_32;

use super::experiment::{Experiment, Limit, Metric, Radius};
use super::fault::Coin;
use crate::config::{Errors, Place, Said, Section, Share, document, values};
use limits::Words;

/// How long the steady state is looked at before, where nobody says.
const BASELINE: Duration = Duration::from_secs(10);
/// How long it may take to be back, where nobody says.
const WAIT: Duration = Duration::from_secs(10);
/// The longest of either.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// Requests that faults may hold at once, where nobody says: half of what may be in flight by default.
const MAX_ACTIVE: u32 = 32;

/// An experiment in the making.
struct Draft {
    title: Option<Said<String>>,
    service: Option<Said<String>>,
    hypothesis: Vec<Said<Limit>>,
    method: steps::Steps,
    radius_share: Option<Said<Share>>,
    max_active: Option<Said<u32>>,
    allowed: Option<Vec<Said<String>>>,
    abort: Vec<Said<Limit>>,
    /// How many abort conditions there are, right or wrong.
    conditions: usize,
    baseline: Option<Said<Duration>>,
    wait: Option<Said<Duration>>,
    seed: Option<Said<u32>>,
    refused: Vec<&'static str>,
}

/// See [`Experiment::parse`].
pub fn parse(name: &str, text: &str, services: &[&str]) -> Result<Experiment, Errors> {
    let file = Place::File(name.into());
    let mut more = Errors::default();
    let (draft, mut errors) = document(name, text, "an experiment", |root| read(root, &mut more));
    more.problems().iter().for_each(|problem| errors.add(&problem.at, problem.what.clone()));
    let experiment = draft.and_then(|draft| complete(draft, &file, services, &mut errors));
    errors.or(experiment)
}

fn read(mut root: Section<'_>, errors: &mut Errors) -> Draft {
    let mut draft = Draft {
        title: root.value("title", title),
        service: root.value("service", values::service_name),
        hypothesis: root
            .section("hypothesis")
            .map_or_else(Vec::new, |keys| limits::read(keys, Words::Hypothesis, errors)),
        method: steps::read(root.sections("method"), errors),
        radius_share: None,
        max_active: None,
        allowed: None,
        abort: Vec::new(),
        conditions: 0,
        baseline: root.value("baseline", wait),
        wait: None,
        seed: root.value("seed", seed),
        refused: Vec::new(),
    };
    let conditions = root.sections("abort_conditions");
    draft.conditions = conditions.len();
    draft.abort = conditions.into_iter().flat_map(|keys| limits::read(keys, Words::Abort, errors)).collect();
    if let Some(mut radius) = root.section("blast_radius") {
        draft.radius_share = radius.value("share", values::part);
        draft.max_active = radius.value("max_active", values::at_once);
        draft.allowed = radius.list("services", values::service_name);
        radius.finish();
        draft.refused.extend(radius.refused);
    }
    if let Some(mut rollback) = root.section("rollback") {
        draft.wait = rollback.value("wait", wait);
        rollback.finish();
    }
    root.finish();
    draft.refused.extend(root.refused);
    draft
}

fn complete(draft: Draft, file: &Place, services: &[&str], errors: &mut Errors) -> Option<Experiment> {
    let is_refused = |key| draft.refused.contains(&key);
    if draft.title.is_none() && !is_refused("title") {
        errors.add(file, "has no title: say in a few words what is tried");
    }
    let service = service(&draft, file, services, errors);
    if draft.method.is_empty() && !is_refused("method") {
        errors.add(file, "has no method: name at least one fault");
    }
    // An item that says nothing is no condition; one that was refused has been blamed for it.
    let has_none = draft.abort.is_empty() && (draft.conditions == 0 || errors.is_empty());
    if has_none && !is_refused("abort_conditions") {
        let what = "has no abort_conditions: name at least one, for example `- v1_errors: {above: 1%}`";
        errors.add(file, what);
    }
    if draft.radius_share.is_none() && !is_refused("share") {
        errors.add(file, "has no blast_radius: say its share, the most that any fault may have");
    }
    if let Some(radius) = &draft.radius_share {
        draft.method.check_share(radius.value, errors);
    }
    draft.method.check_length(errors);
    let title = draft.title?.value;
    let mut hypothesis: Vec<Limit> = draft.hypothesis.into_iter().map(|said| said.value).collect();
    if !hypothesis.iter().any(|limit| limit.metric == Metric::V1P99) {
        hypothesis.insert(0, Limit::V1_FLAT);
    }
    Some(Experiment {
        service: service?,
        hypothesis,
        method: draft.method.complete()?,
        radius: Radius {
            share: draft.radius_share?.value,
            max_active: draft.max_active.map_or(MAX_ACTIVE, |said| said.value),
        },
        abort: draft.abort.into_iter().map(|said| said.value).collect(),
        baseline: draft.baseline.map_or(BASELINE, |said| said.value),
        wait: draft.wait.map_or(WAIT, |said| said.value),
        coin: Coin::new(draft.seed.map_or_else(|| murmur3_32(title.as_bytes(), 0), |said| said.value)),
        title,
    })
}

/// The service that is named, or the only one. It must run, and the blast radius must allow it.
fn service(draft: &Draft, file: &Place, services: &[&str], errors: &mut Errors) -> Option<String> {
    let there = services.join(", ");
    for said in draft.service.iter().chain(draft.allowed.iter().flatten()) {
        if !services.contains(&said.value.as_str()) {
            errors.add(&said.at, format!("no such service: {}; there is: {there}", said.value));
        }
    }
    let (name, at) = match (&draft.service, services) {
        (Some(said), _) => (said.value.clone(), &said.at),
        (None, [only]) => ((*only).to_owned(), file),
        (None, _) if draft.refused.contains(&"service") => return None,
        (None, _) => {
            errors.add(file, format!("names no service, and several run: {there}"));
            return None;
        }
    };
    let is_allowed = |allowed: &Vec<Said<String>>| allowed.iter().any(|one| one.value == name);
    if draft.allowed.as_ref().is_some_and(|allowed| !is_allowed(allowed)) {
        errors.add(at, format!("service {name} is outside the blast radius: its services do not name it"));
    }
    Some(name)
}

fn title(text: &str) -> Result<String, String> {
    const LONGEST: usize = 200;
    match text.trim() {
        "" => Err("is empty".to_owned()),
        text if text.chars().count() > LONGEST => Err(format!("is longer than {LONGEST} letters")),
        text if text.chars().any(char::is_control) => Err("has letters that cannot be shown".to_owned()),
        text => Ok(text.to_owned()),
    }
}

fn wait(text: &str) -> Result<Duration, String> {
    match values::duration(text)? {
        time if time < Duration::from_secs(1) => Err(format!("{text} is shorter than a second")),
        time if time > LONGEST_WAIT => Err(format!("{text} is longer than ten minutes")),
        time => Ok(time),
    }
}

fn seed(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("{text:?} is not a whole number up to {}", u32::MAX))
}
