//! What both versions are asked on a schedule: what the config says of it, and what cannot be a probe.

use std::time::Duration;

use super::draft::Said;
use super::errors::{Errors, Place};
use super::section::Section;
use super::values;
use crate::probe::{EVERY, Expect, PROBES_MAX, Spec, TAG, TIMEOUT, TIMEOUT_MAX};
use crate::rewrite::MARKER;

/// A [`Spec`] in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeDraft {
    at: Place,
    name: Option<Said<String>>,
    method: Option<Said<String>>,
    path: Option<Said<String>>,
    headers: Vec<(Said<String>, Said<String>)>,
    every: Option<Said<Duration>>,
    timeout: Option<Said<Duration>>,
    status: Vec<Said<u16>>,
    body: Option<Said<String>>,
    refused: Vec<&'static str>,
}

/// Reads one item of `probes`.
pub fn draft(mut keys: Section<'_>) -> ProbeDraft {
    let mut draft = ProbeDraft {
        at: keys.at.clone(),
        name: keys.value("name", values::service_name),
        method: keys.value("method", method),
        path: keys.value("path", path),
        headers: keys.pairs("headers", header, field),
        every: keys.value("every", every),
        timeout: keys.value("timeout", timeout),
        status: Vec::new(),
        body: None,
        refused: Vec::new(),
    };
    if let Some(mut expect) = keys.section("expect") {
        draft.status = expect.list("status", status).unwrap_or_default();
        draft.body = expect.value("body", values::expression);
        expect.finish();
    }
    keys.finish();
    draft.refused = keys.refused;
    draft
}

/// The probes of one service. Everything that is wrong with them is named.
pub fn complete(drafts: &[ProbeDraft], errors: &mut Errors) -> Vec<Spec> {
    if let Some(one_too_many) = drafts.get(PROBES_MAX) {
        errors.add(&one_too_many.at, format!("more than {PROBES_MAX} probes of one service"));
    }
    for (index, draft) in drafts.iter().enumerate() {
        let earlier = drafts.get(..index).unwrap_or_default();
        let Some(name) = &draft.name else { continue };
        if let Some(other) =
            earlier.iter().filter_map(|one| one.name.as_ref()).find(|one| one.value == name.value)
        {
            errors.add_to(&name.at, "name", &format!("{} is taken already, at {}", name.value, other.at));
        }
    }
    drafts.iter().filter_map(|draft| draft.complete(errors)).collect()
}

impl ProbeDraft {
    /// `None` only after naming something that is missing.
    fn complete(&self, errors: &mut Errors) -> Option<Spec> {
        let missing = [
            (self.name.is_none(), "name", "it is a label in the metrics"),
            (self.path.is_none(), "path", "say what is asked, for example /healthz"),
        ];
        for (_, key, why) in missing.iter().filter(|(is, key, _)| *is && !self.refused.contains(key)) {
            errors.add(&self.at, format!("a probe has no {key}: {why}"));
        }
        let every = self.every.as_ref().map_or(EVERY, |said| said.value);
        let timeout = self.timeout.as_ref().map_or(TIMEOUT.min(every / 2), |said| said.value);
        if let Some(said) = self.timeout.as_ref().filter(|said| said.value >= every) {
            let what = format!(
                "{timeout:?} is not less than {every:?}, which is how often it is sent: probes would overlap"
            );
            errors.add_to(&said.at, "timeout", &what);
        }
        let mut status: Vec<_> = self.status.iter().map(|said| said.value).collect();
        status.sort_unstable();
        status.dedup();
        Some(Spec {
            name: self.name.as_ref()?.value.clone(),
            method: self.method.as_ref().map_or("GET", |said| &said.value).to_owned(),
            path: self.path.as_ref()?.value.clone(),
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (name.value.clone(), value.value.clone()))
                .collect(),
            every,
            timeout,
            expect: Expect { status, body: self.body.as_ref().map(|said| said.value.clone()) },
        })
    }
}

fn method(text: &str) -> Result<String, String> {
    match values::method(text)?.as_str() {
        safe @ ("GET" | "HEAD" | "OPTIONS") => Ok(safe.to_owned()),
        other => Err(format!("{other} may change something: a probe is GET, HEAD or OPTIONS")),
    }
}

/// Path and query; a fragment is for browsers, and is never sent.
fn path(text: &str) -> Result<String, String> {
    if text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is not what can be asked for: it starts with / and has neither space nor #"))
}

/// More often, and it is no probe but a load.
fn every(text: &str) -> Result<Duration, String> {
    match values::duration(text)? {
        time if time < Duration::from_secs(1) => {
            Err(format!("{text} is shorter than 1s, the shortest interval of a probe"))
        }
        time => Ok(time),
    }
}

fn timeout(text: &str) -> Result<Duration, String> {
    match values::duration(text)? {
        time if time > TIMEOUT_MAX => {
            Err(format!("{text} is longer than a minute, the longest timeout of a probe"))
        }
        time => Ok(time),
    }
}

fn header(text: &str) -> Result<String, String> {
    const OURS: [&str; 8] =
        [MARKER.0, TAG, "connection", "content-length", "transfer-encoding", "te", "upgrade", "expect"];
    match values::header(text)? {
        name if OURS.contains(&name.as_str()) => {
            Err(format!("{name} is what the probe itself sets, or cannot have"))
        }
        name => Ok(name),
    }
}

/// The value of a field (RFC 9110, section 5.5), without what could end its line.
fn field(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err(format!("{text:?} has a character that no field may have"));
    }
    Ok(text.trim().to_owned())
}

/// A final status: an interim one is no answer.
fn status(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(status @ 200..=599) => Ok(status),
        _ => Err(format!("{text:?} is not the status of an answer: 200 to 599")),
    }
}
