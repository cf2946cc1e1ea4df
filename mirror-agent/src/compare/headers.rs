//! Are the headers the same? By lower-case name, as multisets of values.

use std::collections::{BTreeMap, BTreeSet};

use super::field::Trail;
use super::findings::{Findings, Kind, Part};
use super::merge;
use super::path::Step;
use super::show::{MAX_VALUE, cut_both};
use crate::http::Headers;

/// The values of one name, in the order in which they came.
type Values<'a> = Vec<&'a [u8]>;

pub(super) fn compare(v1: &Headers, v2: &Headers, findings: &mut Findings<'_>) {
    let rules = findings.rules();
    let hops: BTreeSet<String> = hop_names(v1).chain(hop_names(v2)).collect();
    for (name, one, two) in merge::by_key(&by_name(v1), &by_name(v2)) {
        if same(one, two) {
            continue;
        }
        let trail = Trail::of(&[Step::Key("header"), Step::Key(name)]);
        let scope = findings.scope(&trail);
        let hop = || hops.contains(name).then_some(rules.well_known_name());
        let hidden = scope.hidden_by().or_else(|| rules.well_known(name)).or_else(hop);
        let hidden =
            hidden.or_else(|| one.zip(two).and_then(|(v1, v2)| scope.hides_texts(&text(v1), &text(v2))));
        if let Some(rule) = hidden {
            findings.ignore(rule);
            continue;
        }
        let what = match (one, two) {
            (Some(_), None) => (Part::Missing, Kind::Missing),
            (None, Some(_)) => (Part::Missing, Kind::Extra),
            _ => (Part::Header, Kind::Value),
        };
        findings.add(&trail, what, true, || {
            let show = |values: &Values<'_>| rules.redactor().named(name, &text(values));
            cut_both(one.map(show), two.map(show), MAX_VALUE)
        });
    }
}

/// Names that an answer declares to be hop by hop (RFC 9110, section 7.6.1).
fn hop_names(headers: &Headers) -> impl Iterator<Item = String> {
    headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"connection"))
        .flat_map(|(_, value)| value.split(|&byte| byte == b','))
        .map(|name| lower(name.trim_ascii()))
}

fn by_name(headers: &Headers) -> Vec<(String, Values<'_>)> {
    let mut map: BTreeMap<String, Values<'_>> = BTreeMap::new();
    for (name, value) in headers.iter() {
        map.entry(lower(name)).or_default().push(value.trim_ascii());
    }
    map.into_iter().collect()
}

/// Repeated fields mean the same as one field with a list (RFC 9110, section 5.3). Order is given up: proxies and
/// servers add fields wherever they like.
fn same(v1: Option<&Values<'_>>, v2: Option<&Values<'_>>) -> bool {
    let (Some(v1), Some(v2)) = (v1, v2) else { return false };
    v1 == v2 || sorted(v1) == sorted(v2) || v1.join(&b", "[..]) == v2.join(&b", "[..])
}

fn sorted<'a>(values: &Values<'a>) -> Values<'a> {
    let mut sorted = values.clone();
    sorted.sort_unstable();
    sorted
}

fn text(values: &Values<'_>) -> String {
    String::from_utf8_lossy(&values.join(&b", "[..])).into_owned()
}

fn lower(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_ascii_lowercase()
}
