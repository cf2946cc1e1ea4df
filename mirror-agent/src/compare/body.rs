//! Is the content the same? As JSON where both say so, else as text, else by length and digest.

use super::Answer;
use super::findings::{Findings, Kind, Part};
use super::path::{self, Step};
use super::rules::Rules;
use super::show::{MAX_VALUE, cut_both};
use super::{json, walk};

/// Bytes of a SHA-256 that a difference shows.
const DIGEST_SHOWN: usize = 8;

const TRAIL: [Step<'static>; 1] = [Step::Key("body")];

pub(super) fn compare(v1: &Answer<'_>, v2: &Answer<'_>, rules: &Rules, findings: &mut Findings) {
    if same(v1, v2) {
        return;
    }
    if rules.ignores(&TRAIL) {
        findings.ignore();
        return;
    }
    if !is_readable(v1) || !is_readable(v2) {
        return digests(v1, v2, rules, findings);
    }
    if is_json(v1) && is_json(v2) {
        let tails = rules.tails();
        if let (Some(v1), Some(v2)) = (json::parse(v1.body, &tails), json::parse(v2.body, &tails)) {
            return walk::compare(&v1, &v2, rules.redactor(), findings);
        }
        findings.coarse();
    }
    match (text(v1), text(v2)) {
        (Some(one), Some(two)) => lines(one, two, rules, findings),
        _ => digests(v1, v2, rules, findings),
    }
}

fn same(v1: &Answer<'_>, v2: &Answer<'_>) -> bool {
    if v1.whole && v2.whole { v1.body == v2.body } else { v1.len == v2.len && v1.sha256 == v2.sha256 }
}

/// Whether there is something to read: all of it, not compressed, and not nothing.
fn is_readable(answer: &Answer<'_>) -> bool {
    answer.whole && !answer.body.is_empty() && !is_encoded(answer)
}

fn is_encoded(answer: &Answer<'_>) -> bool {
    header(answer, b"content-encoding")
        .any(|value| !value.is_empty() && !value.eq_ignore_ascii_case(b"identity"))
}

/// `application/json`, `text/json` and whatever ends in `+json` (RFC 6839, section 3.1).
fn is_json(answer: &Answer<'_>) -> bool {
    header(answer, b"content-type").any(|value| {
        let media = value.split(|&byte| byte == b';').next().unwrap_or_default();
        let media = media.trim_ascii().to_ascii_lowercase();
        media == b"application/json" || media == b"text/json" || media.ends_with(b"+json")
    })
}

fn header<'a>(answer: &Answer<'a>, name: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    let named = answer.headers.iter().filter(move |(found, _)| found.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.trim_ascii())
}

fn text<'a>(answer: &Answer<'a>) -> Option<&'a str> {
    std::str::from_utf8(answer.body).ok().filter(|text| !text.contains('\0'))
}

/// One difference: the first line that differs, or that only one side has.
fn lines(v1: &str, v2: &str, rules: &Rules, findings: &mut Findings) {
    let (mut ones, mut twos) = (v1.split('\n'), v2.split('\n'));
    for number in 1_u64.. {
        let (one, two) = (ones.next(), twos.next());
        if one == two && one.is_some() {
            continue;
        }
        return findings.add(Part::Body, Kind::Value, || {
            let place = format!("line {number}: ");
            let show = |line| rules.redactor().text(line);
            let (one, two) = cut_both(one.map(show), two.map(show), MAX_VALUE - place.len());
            let placed = |line| format!("{place}{line}");
            (path::render(&TRAIL, rules.redactor()), one.map(placed), two.map(placed))
        });
    }
}

fn digests(v1: &Answer<'_>, v2: &Answer<'_>, rules: &Rules, findings: &mut Findings) {
    let (kind, shown) = if v1.len != v2.len {
        (Kind::Length, [v1, v2].map(|answer| format!("{} bytes", answer.len)))
    } else {
        (Kind::Digest, [v1, v2].map(|answer| format!("sha256 {}", hex(&answer.sha256))))
    };
    findings.add(Part::Body, kind, || {
        let [one, two] = shown;
        (path::render(&TRAIL, rules.redactor()), Some(one), Some(two))
    });
}

fn hex(digest: &[u8]) -> String {
    digest.iter().take(DIGEST_SHOWN).map(|byte| format!("{byte:02x}")).collect()
}
