//! What a comparison leaves out, and what it must not show.

use std::collections::BTreeSet;

use super::path::{BadPath, Pattern, Step, Tail};
use super::redact::Redactor;
use crate::coding::MAX_DECODED;

/// Headers that say who answered, when and over which connection, and not what.
const IGNORED_HEADERS: &[&str] = &[
    // Hop by hop (RFC 9110, section 7.6.1); the names in `connection` are added per answer.
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    // Framing; the body is compared by itself.
    "content-length",
    // When, and who.
    "age",
    "alt-svc",
    "date",
    "etag",
    "expires",
    "last-modified",
    "server",
    "server-timing",
    "set-cookie",
    "via",
    "x-powered-by",
    "x-response-time",
    "x-runtime",
    "x-served-by",
    // Which request.
    "cf-ray",
    "request-id",
    "traceparent",
    "tracestate",
    "x-amz-request-id",
    "x-amzn-requestid",
    "x-amzn-trace-id",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-cloud-trace-context",
    "x-correlation-id",
    "x-envoy-upstream-service-time",
    "x-request-id",
    "x-trace-id",
];

/// The most differences that one comparison keeps, unless told otherwise.
const MAX_DIFFERENCES: usize = 32;

/// How to compare: what to leave out, what to redact, how much to keep.
#[derive(Clone, Debug)]
pub struct Rules {
    ignored_headers: BTreeSet<String>,
    ignored_paths: Vec<Pattern>,
    redactor: Redactor,
    /// The most differences to keep for one pair; the rest are counted.
    pub max_differences: usize,
    /// The most bytes that a body may decode to; one that has more is compared as it was sent.
    pub max_decoded: usize,
}

impl Default for Rules {
    /// Leaves out headers that differ between any two servers, and redacts the usual secrets.
    fn default() -> Self {
        Rules {
            ignored_headers: IGNORED_HEADERS.iter().map(|name| (*name).to_owned()).collect(),
            ignored_paths: Vec::new(),
            redactor: Redactor::default(),
            max_differences: MAX_DIFFERENCES,
            max_decoded: MAX_DECODED,
        }
    }
}

impl Rules {
    /// Leaves out a header, by name in any case.
    pub fn ignore_header(&mut self, name: &str) {
        self.ignored_headers.insert(name.to_ascii_lowercase());
    }

    /// Compares a header that is left out by default, by name in any case.
    pub fn compare_header(&mut self, name: &str) {
        self.ignored_headers.remove(&name.to_ascii_lowercase());
    }

    /// Leaves out a place and all inside it: `body.items[*].id`, `body.user.*.seen`, `header.x-build`, `status`.
    ///
    /// # Errors
    ///
    /// When the path cannot be read.
    pub fn ignore_path(&mut self, path: &str) -> Result<(), BadPath> {
        self.ignored_paths.push(Pattern::parse(path)?);
        Ok(())
    }

    /// Redacts values whose name contains `name`, whatever its case and punctuation.
    pub fn redact_name(&mut self, name: &str) {
        self.redactor.add_name(name);
    }

    /// What must not be shown.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    pub(super) fn ignores_header(&self, name: &str) -> bool {
        self.ignored_headers.contains(name)
    }

    /// Whether a pattern ends at `trail` or above it.
    pub(super) fn ignores(&self, trail: &[Step<'_>]) -> bool {
        let mut tails = self.tails();
        trail.iter().any(|step| {
            tails = step_into(&tails, *step);
            tails.iter().any(|tail| tail.is_end())
        })
    }

    /// Every pattern, none of it matched yet.
    pub(super) fn tails(&self) -> Vec<Tail<'_>> {
        self.ignored_paths.iter().map(Pattern::globs).collect()
    }
}

/// The patterns that still fit behind `step`.
pub(super) fn step_into<'a>(tails: &[Tail<'a>], step: Step<'_>) -> Vec<Tail<'a>> {
    tails.iter().filter_map(|tail| tail.after(step)).collect()
}
