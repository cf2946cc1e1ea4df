//! Rules of compare: drafts become what compare takes, each with a name of its own.

use super::draft::{Said, ServiceDraft};
use super::errors::{Errors, Place};
use super::section::Section;
use super::values;
use crate::compare::{Act, Rule, Tolerance};

/// Rules of a service, those under `ignore` among them: each is a label in the metrics.
const MAX: usize = 256;

/// What must not be shown besides what never is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redact {
    /// Values at names that contain one of these are secrets, whatever its case and punctuation.
    pub names: Vec<String>,
    /// Whatever matches one of these regular expressions is a secret, or its group `secret`.
    pub patterns: Vec<String>,
}

/// A [`Rule`] in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HidingDraft {
    /// Where it stands.
    pub at: Place,
    /// What it is to be called.
    pub name: Option<Said<String>>,
    /// The header it is about.
    pub header: Option<Said<String>>,
    /// The place it is about.
    pub path: Option<Said<String>>,
    /// The requests it is about.
    pub route: Option<Said<String>>,
    /// What two values that are as good as the same both match.
    pub matches: Option<Said<String>>,
    /// How far two numbers may be apart.
    pub tolerance: Option<Said<Tolerance>>,
    /// Keys that were given a value that was refused.
    pub refused: Vec<&'static str>,
}

/// Reads one item of the list.
pub fn draft(mut keys: Section<'_>) -> HidingDraft {
    let draft = HidingDraft {
        at: keys.at.clone(),
        name: keys.value("name", values::hiding_name),
        header: keys.value("header", values::header),
        path: keys.value("path", values::field_path),
        route: keys.value("route", values::route),
        matches: keys.value("matches", values::expression),
        tolerance: keys.value("tolerance", values::tolerance),
        refused: Vec::new(),
    };
    keys.finish();
    HidingDraft { refused: keys.refused, ..draft }
}

/// Completes the rules of one service, those under `ignore` first, and names what is wrong with them.
pub fn rules(draft: &ServiceDraft, errors: &mut Errors) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    let ignored = |path: String| Rule { name: path.clone(), path, route: None, act: Act::Ignore };
    let headers = draft.ignored_headers.iter().flatten().map(|said| header_path(&said.value));
    let paths = draft.ignored_paths.iter().flatten().map(|said| said.value.clone());
    for path in headers.chain(paths) {
        if !rules.iter().any(|rule| rule.path == path) {
            rules.push(ignored(path));
        }
    }
    for draft in draft.hiding.iter().flatten() {
        rules.extend(complete(draft, &rules, errors));
    }
    if rules.len() > MAX {
        errors.add(
            &draft.at,
            format!("more than {MAX} rules of compare: one for a place above them is shorter"),
        );
    }
    rules
}

/// `None` only after naming what is wrong, here or where it was refused.
fn complete(draft: &HidingDraft, before: &[Rule], errors: &mut Errors) -> Option<Rule> {
    let said = [draft.header.is_some(), draft.path.is_some()];
    if said != [true, false] && said != [false, true] && draft.refused.is_empty() {
        errors.add(&draft.at, "a rule of compare has either a header or a path");
    }
    if let (Some(_), Some(_)) = (&draft.matches, &draft.tolerance) {
        errors.add(&draft.at, "a rule of compare has matches or a tolerance, not both: make it two rules");
    }
    let name = draft.name.as_ref();
    if let Some(name) = name.filter(|name| before.iter().any(|rule| rule.name == name.value)) {
        errors.add_to(&name.at, "name", &format!("{} is a rule of this service already", name.value));
    }
    if !draft.refused.is_empty() {
        return None;
    }
    let path = match (&draft.header, &draft.path) {
        (Some(header), _) => header_path(&header.value),
        (None, path) => path.as_ref()?.value.clone(),
    };
    let act = match (&draft.matches, &draft.tolerance) {
        (Some(expression), _) => Act::Matches(expression.value.clone()),
        (None, Some(tolerance)) => Act::Within(tolerance.value),
        (None, None) => Act::Ignore,
    };
    Some(Rule {
        name: name.map_or_else(|| free(&path, before), |said| said.value.clone()),
        path,
        route: draft.route.as_ref().map(|said| said.value.clone()),
        act,
    })
}

/// The path, with a number if a rule is called so already.
fn free(path: &str, before: &[Rule]) -> String {
    let taken = |name: &str| before.iter().any(|rule| rule.name == name);
    let numbered = (2..).map(|number| format!("{path} #{number}"));
    std::iter::once(path.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}

/// Names of headers may have dots in them.
fn header_path(name: &str) -> String {
    if name.contains(['.', '*']) { format!("header[\"{name}\"]") } else { format!("header.{name}") }
}
