//! What a comparison found: a bounded list, and counts of what is not in it.

use super::Serialize;
use super::field::{Field, Fields, Trail};
use super::path;
use super::rules::{Rules, Scope};
use crate::coding::Problem;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The rule under which differences are counted that noise has hidden.
pub const NOISE: &str = "noise";

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The first differences, in the order status, headers by name, body.
    pub differences: Vec<Difference>,
    /// Differences beyond the most that are kept.
    pub dropped: u32,
    /// Differences that a rule hid. A hidden subtree counts once.
    pub ignored: u32,
    /// Both sides claimed JSON, and at least one could not be taken apart: malformed, nested too deep, too many
    /// values, or a name twice in one object. The bodies were compared as text or by digest instead.
    pub coarse: bool,
    /// Bodies that differ as sent and could not be decoded. Both were compared as they were sent.
    pub undecodable: Undecodable,
    /// Of the differences that a rule hid, how many each hid, by its name.
    #[serde(skip)]
    pub hidden: BTreeMap<Arc<str>, u32>,
    /// Every field that differs, each once for each kind, in the order of their names, at most [`MAX_FIELDS`]: those of
    /// the dropped differences too, so that what is counted by field does not depend on what there is room to show.
    ///
    /// [`MAX_FIELDS`]: super::MAX_FIELDS
    #[serde(skip)]
    pub fields: Vec<Field>,
    /// Differences whose field is not in `fields`, for want of room.
    #[serde(skip)]
    pub fields_dropped: u32,
}

/// Why a body could not be decoded; `None` where it could, or did not have to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Undecodable {
    /// v1's.
    pub v1: Option<Problem>,
    /// v2's.
    pub v2: Option<Problem>,
}

/// One place in which two answers differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which part of the answer.
    pub part: Part,
    /// Where: `status`, `header.content-type`, `body.user.name`, `body[2]`, `body["odd.name"]`, or `body`.
    pub path: String,
    /// In what way.
    pub kind: Kind,
    /// What v1 has there, redacted and cut; `None` when it has nothing.
    pub v1: Option<String>,
    /// What v2 has there, redacted and cut; `None` when it has nothing.
    pub v2: Option<String>,
    /// The field that this is a place of, as statistics count it.
    #[serde(skip)]
    pub field: Field,
}

/// The part of an answer that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The status code.
    Status,
    /// A header that both have.
    Header,
    /// The content.
    Body,
    /// A header or a JSON path that only one side has.
    Missing,
}

/// In what way two answers differ in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Another value.
    Value,
    /// Another JSON type.
    Type,
    /// Only v1 has it.
    Missing,
    /// Only v2 has it.
    Extra,
    /// The same JSON array elements in another order.
    Order,
    /// Another length of the content, in bytes; what is in it was not looked at.
    Length,
    /// The same length and another SHA-256.
    Digest,
}

/// Both values of a finding, redacted and cut; made only when there is room for them.
pub(super) type Shown = (Option<String>, Option<String>);

/// Collects findings up to a cap.
pub(super) struct Findings<'r> {
    found: Comparison,
    fields: Fields,
    rules: &'r Rules,
    scope: Scope<'r>,
}

impl Comparison {
    /// Whether nothing differs but what the rules hide.
    pub fn is_same(&self) -> bool {
        self.differences.is_empty() && self.dropped == 0
    }

    /// Leaves out what is noise, and counts it as hidden by the rule [`NOISE`]. `fields` stays: noise is watched on.
    pub fn without_noise(mut self, is_noise: impl Fn(&Field) -> bool) -> Comparison {
        let before = self.differences.len();
        self.differences.retain(|difference| !is_noise(&difference.field));
        let mut silent = u32::try_from(before - self.differences.len()).unwrap_or(u32::MAX);
        // Nobody looked at those that had no room, but if every field that differs is noise, so are they.
        if self.fields_dropped == 0 && self.fields.iter().all(is_noise) {
            silent = silent.saturating_add(std::mem::take(&mut self.dropped));
        }
        if silent > 0 {
            self.ignored = self.ignored.saturating_add(silent);
            let count = self.hidden.entry(NOISE.into()).or_default();
            *count = count.saturating_add(silent);
        }
        self
    }
}

impl Part {
    /// Every part.
    pub const ALL: [Part; 4] = [Part::Status, Part::Header, Part::Body, Part::Missing];

    /// The part as metrics and JSON spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Status => "status",
            Part::Header => "header",
            Part::Body => "body",
            Part::Missing => "missing",
        }
    }
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 7] =
        [Kind::Value, Kind::Type, Kind::Missing, Kind::Extra, Kind::Order, Kind::Length, Kind::Digest];

    /// The kind as metrics and JSON spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Value => "value",
            Kind::Type => "type",
            Kind::Missing => "missing",
            Kind::Extra => "extra",
            Kind::Order => "order",
            Kind::Length => "length",
            Kind::Digest => "digest",
        }
    }
}

impl<'r> Findings<'r> {
    /// For an answer to a request to `path`.
    pub(super) fn new(path: &str, rules: &'r Rules) -> Self {
        Findings { found: Comparison::default(), fields: Fields::default(), rules, scope: rules.scope(path) }
    }

    pub(super) fn rules(&self) -> &'r Rules {
        self.rules
    }

    /// The rules that hold at `trail`.
    pub(super) fn scope(&self, trail: &Trail<'_>) -> Scope<'r> {
        self.scope.at(trail.steps())
    }

    /// Adds a difference at `trail`; `leaf` says whether it is a single value.
    pub(super) fn add(
        &mut self,
        trail: &Trail<'_>,
        (part, kind): (Part, Kind),
        leaf: bool,
        show: impl FnOnce() -> Shown,
    ) {
        self.fields.add(trail, part, kind, leaf, self.rules.redactor());
        if self.found.differences.len() >= self.rules.max_differences {
            self.found.dropped = self.found.dropped.saturating_add(1);
            return;
        }
        let redactor = self.rules.redactor();
        let (path, field) = (path::render(trail.steps(), redactor), trail.field(part, kind, leaf, redactor));
        let (v1, v2) = show();
        self.found.differences.push(Difference { part, path, kind, v1, v2, field });
    }

    /// Counts a difference that the rule of this name hides.
    pub(super) fn ignore(&mut self, rule: &Arc<str>) {
        self.found.ignored = self.found.ignored.saturating_add(1);
        let count = self.found.hidden.entry(rule.clone()).or_default();
        *count = count.saturating_add(1);
    }

    pub(super) fn coarse(&mut self) {
        self.found.coarse = true;
    }

    pub(super) fn undecodable(&mut self, v1: Option<Problem>, v2: Option<Problem>) {
        self.found.undecodable = Undecodable { v1, v2 };
    }

    pub(super) fn finish(self) -> Comparison {
        let (fields, fields_dropped) = self.fields.finish();
        Comparison { fields, fields_dropped, ..self.found }
    }
}
