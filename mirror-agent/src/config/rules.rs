//! Rings and rules: drafts become what the kernel can hold, and what could never match is named.

use std::collections::BTreeSet;

use mirror_common::limits::{PREFIXES, RINGS, RULES};

use super::draft::{Draft, RingDraft, RuleDraft, Said, ServiceDraft};
use super::errors::{Errors, Place};
use super::prefix::{Ports, Prefix};
use super::share::Share;

/// A named set of clients, of all services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// 1 to 32 of `a-z0-9_-`, a letter first; a metric label.
    pub name: String,
    /// Who is in it. At least one prefix.
    pub clients: Vec<Prefix>,
    /// The share of rules that name the ring and say none.
    pub share: Option<Share>,
}

/// Which share holds for some clients of a service. Of several that match, the first holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The ring whose clients it names; `None`: its own prefixes.
    pub ring: Option<String>,
    /// The clients. Never empty: [`Prefix::ALL`] where none are named.
    pub clients: Vec<Prefix>,
    /// The ports on the client's side: rising ranges that do not touch. Never empty.
    pub ports: Vec<Ports>,
    /// The share of their connections.
    pub share: Share,
}

/// Prefixes of all services together; the kernel's table has room for as many again, to be filled before a change.
const PREFIXES_MAX: usize = PREFIXES as usize / 2;
/// Slots of a service, the rest apart.
const SLOTS_MAX: usize = RULES - 1;

impl Rule {
    /// Whether it names this client.
    pub fn has_client(&self, client: std::net::IpAddr) -> bool {
        self.clients.iter().any(|prefix| prefix.contains(client))
    }

    /// Whether it names this port of a client.
    pub fn has_port(&self, port: u16) -> bool {
        self.ports.iter().any(|ports| ports.contains(port))
    }
}

impl super::Service {
    /// What the rule at this place of the list is called in metrics and answers: its ring, its number from 1, or `rest`.
    pub fn rule_name(&self, index: Option<usize>) -> String {
        match index.map(|index| (index, self.rules.get(index).and_then(|rule| rule.ring.as_ref()))) {
            Some((_, Some(ring))) => ring.clone(),
            Some((index, None)) => (index + 1).to_string(),
            None => "rest".to_owned(),
        }
    }
}

/// Completes the rings, and names what is wrong with them.
pub fn rings(drafts: &[RingDraft], errors: &mut Errors) -> Vec<Ring> {
    if let Some(one_too_many) = drafts.get(RINGS) {
        errors.add(
            &one_too_many.name.at,
            format!("more than {RINGS} rings, which is all the kernel side holds"),
        );
    }
    drafts.iter().map(|draft| ring(draft, errors)).collect()
}

fn ring(draft: &RingDraft, errors: &mut Errors) -> Ring {
    let name = &draft.name.value;
    if draft.clients.as_ref().is_none_or(Vec::is_empty) && !draft.refused.contains(&"clients") {
        errors.add(
            &draft.name.at,
            format!("ring {name} has no clients: give it prefixes, for example [10.1.0.0/16]"),
        );
    }
    Ring {
        name: name.clone(),
        clients: distinct(draft.clients.as_deref().unwrap_or_default()),
        share: draft.share.as_ref().map(|said| said.value),
    }
}

/// Completes the rules of one service, in their order, and names what is wrong with them.
pub fn rules(draft: &ServiceDraft, rings: &[Ring], errors: &mut Errors) -> Vec<Rule> {
    let drafts = draft.rules.as_deref().unwrap_or_default();
    let rules: Vec<_> =
        drafts.iter().filter_map(|draft| Some((&draft.at, rule(draft, rings, errors)?))).collect();
    unreachable(&rules, errors);
    let mut slots = 0;
    for (at, rule) in &rules {
        let before = slots;
        slots += rule.ports.len();
        if before <= SLOTS_MAX && slots > SLOTS_MAX {
            let what = format!(
                "more than {SLOTS_MAX} rules (each range of ports counts), which is all the kernel side holds for a service"
            );
            errors.add(at, what);
        }
    }
    rules.into_iter().map(|(_, rule)| rule).collect()
}

/// `None` only after naming what is wrong, here or where it was refused.
fn rule(draft: &RuleDraft, rings: &[Ring], errors: &mut Errors) -> Option<Rule> {
    let is_refused = |key| draft.refused.contains(&key);
    let ring = draft.ring.as_ref().map(|said| (said, rings.iter().find(|ring| ring.name == said.value)));
    if let Some((said, None)) = ring {
        let known: Vec<_> = rings.iter().map(|ring| ring.name.as_str()).collect();
        let known = if known.is_empty() {
            "none are defined".into()
        } else {
            format!("there is {}", known.join(", "))
        };
        errors.add_to(&said.at, "ring", &format!("{} is not defined under rings: {known}", said.value));
    }
    if let (Some(_), Some(_)) = (&draft.ring, &draft.clients) {
        errors.add(&draft.at, "a rule names a ring or clients, not both: make it two rules");
    }
    for (key, is_empty) in [
        ("clients", draft.clients.as_ref().is_some_and(Vec::is_empty)),
        ("ports", draft.ports.as_ref().is_some_and(Vec::is_empty)),
    ] {
        if is_empty && !is_refused(key) {
            errors.add(
                &draft.at,
                format!("a rule whose {key} are none names nobody: leave {key} out to name all"),
            );
        }
    }
    if draft.ring.is_none() && draft.clients.is_none() && draft.ports.is_none() && draft.refused.is_empty() {
        errors.add(
            &draft.at,
            "a rule that names neither ring, clients nor ports is what the service's own share is for",
        );
    }
    let ring = ring.and_then(|(_, ring)| ring);
    let share = draft.share.as_ref().map(|said| said.value).or(ring.and_then(|ring| ring.share));
    if share.is_none() && !is_refused("share") {
        errors.add(&draft.at, "a rule has no share: say how much to mirror, for example 5%; 0% is fine");
    }
    let clients = match (&draft.clients, ring) {
        (Some(clients), _) => distinct(clients),
        (None, Some(ring)) => ring.clients.clone(),
        (None, None) if draft.ring.is_none() && !is_refused("ring") => Prefix::ALL.to_vec(),
        (None, None) => return None,
    };
    let ports = draft.ports.as_ref().map_or_else(|| vec![Ports::ALL], |said| Ports::merge(distinct(said)));
    let complete = draft.refused.is_empty() && !clients.is_empty() && !ports.is_empty();
    complete.then_some(Rule {
        ring: draft.ring.as_ref().map(|said| said.value.clone()),
        clients,
        ports,
        share: share?,
    })
}

/// Names each rule that earlier ones leave nothing to.
fn unreachable(rules: &[(&Place, Rule)], errors: &mut Errors) {
    for (index, (at, rule)) in rules.iter().enumerate() {
        let earlier = rules.get(..index).unwrap_or_default();
        let covers = |prefix: Prefix, ports: Ports| {
            earlier.iter().find(|(_, other)| {
                other.clients.iter().any(|one| one.covers(prefix))
                    && other.ports.iter().any(|one| one.covers(ports))
            })
        };
        let pairs =
            rule.clients.iter().flat_map(|prefix| rule.ports.iter().map(move |ports| (*prefix, *ports)));
        let covered: Option<Vec<_>> = pairs.map(|(prefix, ports)| covers(prefix, ports)).collect();
        if let Some((first, _)) = covered.and_then(|by| by.first().copied()) {
            errors.add(at, format!("a rule that never matches: all it names is named before, at {first}"));
        }
    }
}

/// Names the service whose prefixes are the ones too many.
pub fn check_prefixes(draft: &Draft, services: &[super::Service], errors: &mut Errors) {
    let mut sum = 0;
    for (draft, service) in draft.services.iter().zip(services) {
        let distinct: BTreeSet<_> = service.rules.iter().flat_map(|rule| &rule.clients).collect();
        let before = sum;
        sum += if distinct.is_empty() { 0 } else { distinct.len() + 1 }; // one where the families part
        if before <= PREFIXES_MAX && sum > PREFIXES_MAX {
            let what = format!(
                "more than {PREFIXES_MAX} prefixes in the rules of all services, which is all the kernel side holds"
            );
            errors.add(&draft.at, what);
        }
    }
}

/// The values in their order, each once.
fn distinct<T: Copy + PartialEq>(said: &[Said<T>]) -> Vec<T> {
    let mut values = Vec::with_capacity(said.len());
    for Said { value, .. } in said {
        if !values.contains(value) {
            values.push(*value);
        }
    }
    values
}
