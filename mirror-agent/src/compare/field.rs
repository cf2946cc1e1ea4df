//! Which field differs: the name under which one place of many answers is counted.
//!
//! ```text
//! body.items[3].price            body.items[*].price      the elements of an array are one field
//! body.users.4711.name           body.users.*.name        and so are the members whose names are made up for each
//! ```

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::findings::{Kind, Part};
use super::path::{MAX_PATH, Step, push_name};
use super::redact::Redactor;
use super::show::cut_to;
use crate::route::is_identifier;

/// The most fields that one comparison names. More than differ for a reason, and few enough to count each.
pub const MAX_FIELDS: usize = 256;

/// Names that are made, at most, until those that turn out to be known already are no longer looked for.
const MAX_TRIES: usize = 4 * MAX_FIELDS;

/// A longer name of a member is made up, or somebody's text.
const MAX_NAME: usize = 64;

/// A field that differs, as statistics count it: the same for every answer with a difference there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Field {
    /// Which part of the answer.
    pub part: Part,
    /// The path, at most [`MAX_PATH`] bytes, with `[*]` for every element of an array, and `*` for a member whose name
    /// is a number, a date, an identifier, a secret, or over 64 bytes. It can be pasted into the rules.
    pub name: String,
    /// In what way it differs.
    pub kind: Kind,
    /// Whether it is a single value: a status, a header, a scalar inside a JSON body. If not, it is an array, an object,
    /// or a whole body.
    pub leaf: bool,
}

impl Field {
    /// Whether calling it noise would hide more than one value: a container, unless all that differs is its order.
    pub fn is_broad(&self) -> bool {
        !self.leaf && self.kind != Kind::Order
    }
}

/// A way into an answer, and what it is as a field.
#[derive(Debug, Default)]
pub(super) struct Trail<'a> {
    steps: Vec<Step<'a>>,
    /// Of the field's name up to each step, so that no finding costs its depth.
    hashes: Vec<u64>,
}

/// The fields of one comparison so far.
#[derive(Debug, Default)]
pub(super) struct Fields {
    named: BTreeSet<Field>,
    /// Of those that were looked at.
    seen: HashSet<u64>,
    dropped: u32,
}

impl<'a> Trail<'a> {
    pub(super) fn of(steps: &[Step<'a>]) -> Self {
        let mut trail = Trail::default();
        steps.iter().for_each(|step| trail.push(*step));
        trail
    }

    pub(super) fn push(&mut self, step: Step<'a>) {
        let mut hash = DefaultHasher::new();
        self.hashes.last().hash(&mut hash);
        match step {
            Step::Index(_) => 0_u8.hash(&mut hash),
            Step::Key(key) if is_made_up(key) => 1_u8.hash(&mut hash),
            Step::Key(key) => key.hash(&mut hash),
        }
        self.steps.push(step);
        self.hashes.push(hash.finish());
    }

    pub(super) fn pop(&mut self) {
        self.steps.pop();
        self.hashes.pop();
    }

    pub(super) fn steps(&self) -> &[Step<'a>] {
        &self.steps
    }

    /// The field that this leads to.
    pub(super) fn field(&self, part: Part, kind: Kind, leaf: bool, redactor: &Redactor) -> Field {
        Field { part, name: name(&self.steps, redactor), kind, leaf }
    }
}

impl Fields {
    /// Names the field at `trail`. Where there is no more room, it is counted.
    pub(super) fn add(&mut self, trail: &Trail<'_>, part: Part, kind: Kind, leaf: bool, redactor: &Redactor) {
        let mut hash = DefaultHasher::new();
        (trail.hashes.last(), part, kind, leaf).hash(&mut hash);
        let hash = hash.finish();
        if self.seen.contains(&hash) {
            return;
        }
        if self.named.len() >= MAX_FIELDS || self.seen.len() >= MAX_TRIES {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        self.seen.insert(hash);
        self.named.insert(trail.field(part, kind, leaf, redactor));
    }

    /// In the order of their names, and findings whose field is not among them.
    pub(super) fn finish(self) -> (Vec<Field>, u32) {
        (self.named.into_iter().collect(), self.dropped)
    }
}

fn name(steps: &[Step<'_>], redactor: &Redactor) -> String {
    let mut name = String::new();
    for step in steps {
        match step {
            Step::Index(_) => name.push_str("[*]"),
            Step::Key(key) if is_made_up(key) || redactor.text(key) != *key => name.push_str(".*"),
            Step::Key(key) => push_name(&mut name, key),
        }
        if name.len() > MAX_PATH {
            return cut_to(&name, MAX_PATH);
        }
    }
    name
}

/// The name of one thing of many, as in `{"4711": {…}, "4712": {…}}`.
fn is_made_up(key: &str) -> bool {
    key.len() > MAX_NAME || is_identifier(key.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(steps: &[Step<'_>]) -> String {
        name(steps, &Redactor::default())
    }

    #[test]
    fn elements_and_made_up_names_are_one_field() {
        use Step::{Index, Key};
        let long = "x".repeat(65);
        for (steps, want) in [
            (&[Key("body")][..], "body"),
            (&[Key("body"), Key("items"), Index(3), Key("id")], "body.items[*].id"),
            (&[Key("body"), Index(0), Index(1)], "body[*][*]"),
            (&[Key("body"), Key("4711"), Key("name")], "body.*.name"),
            (&[Key("body"), Key("2026-03-01")], "body.*"),
            (&[Key("body"), Key("9f86d081884c7d659a2feaa0c55ad015")], "body.*"),
            (&[Key("body"), Key("ann@example.com")], "body.*"),
            (&[Key("body"), Key(&long)], "body.*"),
            (&[Key("body"), Key("a.b"), Key("oauth2")], r#"body["a.b"].oauth2"#),
            (&[Key("header"), Key("x-build")], "header.x-build"),
        ] {
            assert_eq!(of(steps), want);
        }
    }

    #[test]
    fn the_rest_is_counted() {
        let mut fields = Fields::default();
        let names: Vec<String> = (0..300).map(|n| "x".repeat(n % 20) + &"y".repeat(n / 20)).collect();
        for _ in 0..2 {
            for name in &names {
                let trail = Trail::of(&[Step::Key("body"), Step::Key(name)]);
                fields.add(&trail, Part::Body, Kind::Value, true, &Redactor::default());
            }
        }
        let (named, dropped) = fields.finish();
        assert_eq!((named.len(), dropped), (MAX_FIELDS, 2 * (300 - MAX_FIELDS as u32)));
    }

    #[test]
    fn names_that_turn_out_to_be_one_are_not_made_for_ever() {
        let mut fields = Fields::default();
        for n in 0..5000 {
            let mail = format!("{n}@example.com");
            let trail = Trail::of(&[Step::Key("body"), Step::Key(&mail)]);
            fields.add(&trail, Part::Missing, Kind::Extra, true, &Redactor::default());
        }
        let (named, dropped) = fields.finish();
        assert_eq!(named.len(), 1);
        assert_eq!(dropped as usize, 5000 - MAX_TRIES);
    }

    proptest! {
        #[test]
        fn bounded(keys in prop::collection::vec(".{0,80}", 0..140)) {
            let steps: Vec<_> = keys.iter().map(|key| Step::Key(key)).collect();
            prop_assert!(of(&steps).len() <= MAX_PATH);
        }

        /// Two trails have one hash where they have one name; the reverse holds but for secrets.
        #[test]
        fn the_hash_is_the_name(a in prop::collection::vec("[a-c]|[0-9]", 0..4), b in prop::collection::vec("[a-c]|[0-9]", 0..4)) {
            let (one, two): (Vec<_>, Vec<_>) =
                (a.iter().map(|key| Step::Key(key)).collect(), b.iter().map(|key| Step::Key(key)).collect());
            let (hash1, hash2) = (Trail::of(&one).hashes.last().copied(), Trail::of(&two).hashes.last().copied());
            prop_assert_eq!(of(&one) == of(&two), hash1 == hash2);
        }
    }
}
