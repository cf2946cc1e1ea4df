//! Did v2 answer as v1 did? Two answers in, a bounded list of redacted differences out.
//!
//! ```text
//! status ─┐                      ┌─ json: by path ──┐
//! headers ┼─► body: which form? ─┼─ text: by line ──┼─► findings: ignored? redacted, cut, counted
//! body ───┘   (content: decoded) └─ digest ─────────┘
//! ```

mod align;
mod body;
mod content;
mod field;
mod findings;
mod headers;
mod html;
mod json;
mod merge;
mod path;
mod redact;
mod rules;
mod show;
mod walk;

#[cfg(test)]
mod tests;

use serde::Serialize;

pub use field::{Field, MAX_FIELDS};
pub use findings::{Comparison, Difference, Kind, NOISE, Part, Undecodable};
pub use json::MAX_NODES;
pub use path::{BadPath, MAX_PATH};
pub use redact::Redactor;
pub use rules::{
    Act, BadRule, Rule, Rules, Tolerance, VOLATILE_HTML, WELL_KNOWN, check_expression, check_path, compile,
};
pub use show::MAX_VALUE;

use crate::http::{Headers, Response};
use field::Trail;
use findings::Findings;
use path::Step;

/// What one version answered.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Status code.
    pub status: u16,
    /// Header fields in the order in which they came, without surrounding white space.
    pub headers: &'a Headers,
    /// Content without its transfer coding, as far as it was kept.
    pub body: &'a [u8],
    /// Bytes of the whole content.
    pub len: u64,
    /// SHA-256 of the whole content, needed only where `body` is not that.
    pub digest: Option<[u8; 32]>,
    /// Whether `body` is the whole content.
    pub whole: bool,
}

impl Answer<'_> {
    /// What a response says.
    pub fn of(response: &Response) -> Answer<'_> {
        Answer {
            status: response.status,
            headers: &response.headers,
            body: &response.body.kept,
            len: response.body.len,
            digest: response.body.digest,
            whole: response.body.whole,
        }
    }
}

/// Compares two answers to the same request, to `path`, which is as it was sent and without a query. Its time grows with their decoded size (with its logarithm for sorting),
/// and the result is bounded by `rules`.
pub fn compare(v1: &Answer<'_>, v2: &Answer<'_>, path: &str, rules: &Rules) -> Comparison {
    let mut findings = Findings::new(path, rules);
    status(v1.status, v2.status, &mut findings);
    headers::compare(v1.headers, v2.headers, &mut findings);
    body::compare(v1, v2, &mut findings);
    findings.finish()
}

fn status(v1: u16, v2: u16, findings: &mut Findings<'_>) {
    if v1 == v2 {
        return;
    }
    let trail = Trail::of(&[Step::Key("status")]);
    let scope = findings.scope(&trail);
    let hidden = scope.hidden_by().or_else(|| scope.hides_texts(&v1.to_string(), &v2.to_string()));
    if let Some(rule) = hidden {
        return findings.ignore(rule);
    }
    findings.add(&trail, (Part::Status, Kind::Value), true, || (Some(v1.to_string()), Some(v2.to_string())));
}
