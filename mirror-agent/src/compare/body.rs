//! Is the content the same? As JSON or HTML where both say so, else as text, else by length and digest.

use sha2::{Digest, Sha256};

use super::Answer;
use super::field::Trail;
use super::findings::{Findings, Kind, Part};
use super::html::{self, is_html};
use super::path::Step;
use super::rules::Scope;
use super::show::{MAX_VALUE, cut_both};
use super::{content, json, walk};

/// Bytes of a SHA-256 that a difference shows.
const DIGEST_SHOWN: usize = 8;

const TRAIL: [Step<'static>; 1] = [Step::Key("body")];

/// How a content is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Html,
    Text,
}

/// What is known of bytes that are not read.
struct Sum {
    len: u64,
    sha256: Option<[u8; 32]>,
}

impl Sum {
    fn sent(answer: &Answer<'_>) -> Sum {
        Sum { len: answer.len, sha256: content::sha256(answer) }
    }

    fn of(content: &[u8]) -> Sum {
        Sum { len: content.len() as u64, sha256: Some(Sha256::digest(content).into()) }
    }
}

pub(super) fn compare(v1: &Answer<'_>, v2: &Answer<'_>, findings: &mut Findings<'_>) {
    let rules = findings.rules();
    if content::same_as_sent(v1, v2) {
        return;
    }
    if let Some(rule) = findings.scope(&Trail::of(&TRAIL)).hidden_by() {
        return findings.ignore(rule);
    }
    let Some((one, two)) = content::contents(v1, v2, rules.max_decoded, findings) else {
        if !content::same_bytes(v1, v2) {
            sums(Sum::sent(v1), Sum::sent(v2), findings);
        }
        return;
    };
    if one != two {
        let form = if is_json(v1) && is_json(v2) {
            Form::Json
        } else if is_html(v1) && is_html(v2) {
            Form::Html
        } else {
            Form::Text
        };
        contents(&one, &two, form, findings);
    }
}

fn contents(v1: &[u8], v2: &[u8], form: Form, findings: &mut Findings<'_>) {
    if v1.is_empty() || v2.is_empty() {
        return sums(Sum::of(v1), Sum::of(v2), findings);
    }
    if form == Form::Json {
        let scope = findings.scope(&Trail::of(&TRAIL));
        if let (Some(one), Some(two)) = (json::parse(v1, &scope), json::parse(v2, &scope)) {
            return walk::compare(&one, &two, scope, findings);
        }
        findings.coarse();
    }
    match (text(v1), text(v2)) {
        (Some(one), Some(two)) if form == Form::Html => pages(one, two, findings),
        (Some(one), Some(two)) => lines(one, two, findings),
        _ => sums(Sum::of(v1), Sum::of(v2), findings),
    }
}

/// `application/json`, `text/json` and whatever ends in `+json` (RFC 6839, section 3.1).
fn is_json(answer: &Answer<'_>) -> bool {
    answer.headers.get_all("content-type").any(|value| {
        let media = value.split(|&byte| byte == b';').next().unwrap_or_default();
        let media = media.trim_ascii().to_ascii_lowercase();
        media == b"application/json" || media == b"text/json" || media.ends_with(b"+json")
    })
}

fn text(content: &[u8]) -> Option<&str> {
    str::from_utf8(content).ok().filter(|text| !text.contains('\0'))
}

/// One difference: the first line that differs, or that only one side has.
fn lines(v1: &str, v2: &str, findings: &mut Findings<'_>) {
    let (mut ones, mut twos) = (v1.split('\n'), v2.split('\n'));
    let scope = findings.scope(&Trail::of(&TRAIL));
    for number in 1_u64.. {
        let (one, two) = (ones.next(), twos.next());
        match (one, two) {
            (None, None) => return,
            _ if one == two => continue,
            _ => {}
        }
        if !is_hidden(&scope, one, two, findings) {
            return line(number, one, two, findings);
        }
    }
}

/// As [`lines`] does, of HTML.
fn pages(v1: &str, v2: &str, findings: &mut Findings<'_>) {
    let rules = findings.rules();
    let scope = findings.scope(&Trail::of(&TRAIL));
    let (mut ones, mut twos) =
        (html::Lines::new(v1, rules.redactor()), html::Lines::new(v2, rules.redactor()));
    let mut hidden = false;
    for number in 1_u64.. {
        let (one, two) = (ones.next(), twos.next());
        let (kept1, kept2) = (one.as_ref().map(|line| &*line.kept), two.as_ref().map(|line| &*line.kept));
        match (&one, &two) {
            (None, None) => break,
            _ if one == two => continue,
            _ if kept1 == kept2 => findings.ignore(rules.volatile_html()),
            _ if is_hidden(&scope, kept1, kept2, findings) => {}
            _ => return line(number, kept1, kept2, findings),
        }
        hidden = true;
    }
    if !hidden {
        findings.ignore(rules.volatile_html()); // comments, or white space
    }
}

fn is_hidden(scope: &Scope<'_>, v1: Option<&str>, v2: Option<&str>, findings: &mut Findings<'_>) -> bool {
    let rule = v1.zip(v2).and_then(|(v1, v2)| scope.hides_texts(v1, v2));
    rule.into_iter().for_each(|rule| findings.ignore(rule));
    rule.is_some()
}

fn line(number: u64, v1: Option<&str>, v2: Option<&str>, findings: &mut Findings<'_>) {
    let redactor = findings.rules().redactor();
    findings.add(&Trail::of(&TRAIL), (Part::Body, Kind::Value), false, || {
        let place = format!("line {number}: ");
        let show = |line| redactor.text(line);
        let (one, two) = cut_both(v1.map(show), v2.map(show), MAX_VALUE - place.len());
        let placed = |line| format!("{place}{line}");
        (one.map(placed), two.map(placed))
    });
}

fn sums(v1: Sum, v2: Sum, findings: &mut Findings<'_>) {
    let (kind, one, two) = if v1.len != v2.len {
        (Kind::Length, format!("{} bytes", v1.len), format!("{} bytes", v2.len))
    } else {
        (Kind::Digest, format!("sha256 {}", hex(v1.sha256)), format!("sha256 {}", hex(v2.sha256)))
    };
    findings.add(&Trail::of(&TRAIL), (Part::Body, kind), false, || (Some(one), Some(two)));
}

fn hex(digest: Option<[u8; 32]>) -> String {
    digest.iter().flatten().take(DIGEST_SHOWN).map(|byte| format!("{byte:02x}")).collect()
}
