//! Where do two JSON values differ? Objects by name, arrays by index.

use super::field::Trail;
use super::findings::{Findings, Kind, Part};
use super::json::{Node, Value};
use super::merge;
use super::path::{Step, quoted};
use super::redact::Redactor;
use super::show::{MAX_VALUE, cut_both};

/// The most bytes of an array or object that are written before it is cut, give or take one of its leaves. More than
/// is shown, so that a difference further on can be.
const MAX_WRITTEN: usize = 4096;

/// Adds every difference between two trees that were weighed by the same rules.
pub(super) fn compare(v1: &Node<'_>, v2: &Node<'_>, findings: &mut Findings<'_>) {
    let redactor = findings.rules().redactor();
    let mut walk = Walk { trail: Trail::of(&[Step::Key("body")]), redactor, findings };
    walk.node(v1, v2, false);
}

/// Nested no deeper than the parser lets a text be.
struct Walk<'a, 'f, 'r> {
    trail: Trail<'a>,
    redactor: &'r Redactor,
    findings: &'f mut Findings<'r>,
}

impl<'a> Walk<'a, '_, '_> {
    /// `secret` says that the value is at a sensitive name, or inside one.
    fn node(&mut self, v1: &'a Node<'a>, v2: &'a Node<'a>, secret: bool) {
        if v1.full == v2.full {
            return;
        }
        if v1.ignored {
            self.findings.ignore();
            return;
        }
        match (&v1.value, &v2.value) {
            (Value::Object(a), Value::Object(b)) => {
                for (name, one, two) in merge::by_key(a, b) {
                    self.child(Step::Key(name), one, two, secret || self.redactor.is_sensitive(name));
                }
            }
            (Value::Array(a), Value::Array(b)) if !same_but_for_order(v1, a, v2, b) => {
                for index in 0..a.len().max(b.len()) {
                    self.child(Step::Index(index), a.get(index), b.get(index), secret);
                }
            }
            (Value::Array(_), Value::Array(_)) => {
                self.add(Part::Body, Kind::Order, Some(v1), Some(v2), secret)
            }
            (a, b) if std::mem::discriminant(a) == std::mem::discriminant(b) => {
                self.add(Part::Body, Kind::Value, Some(v1), Some(v2), secret);
            }
            _ => self.add(Part::Body, Kind::Type, Some(v1), Some(v2), secret),
        }
    }

    fn child(&mut self, step: Step<'a>, v1: Option<&'a Node<'a>>, v2: Option<&'a Node<'a>>, secret: bool) {
        if v1.zip(v2).is_some_and(|(v1, v2)| v1.full == v2.full) {
            return;
        }
        self.trail.push(step);
        match (v1, v2) {
            (Some(v1), Some(v2)) => self.node(v1, v2, secret),
            (Some(only), None) | (None, Some(only)) if only.ignored => self.findings.ignore(),
            (v1, None) => self.add(Part::Missing, Kind::Missing, v1, None, secret),
            (None, v2) => self.add(Part::Missing, Kind::Extra, None, v2, secret),
        }
        self.trail.pop();
    }

    fn add(&mut self, part: Part, kind: Kind, v1: Option<&Node<'_>>, v2: Option<&Node<'_>>, secret: bool) {
        let Walk { trail, redactor, findings } = self;
        let leaf = trail.steps().len() > 1 && [v1, v2].into_iter().flatten().all(Node::is_scalar);
        findings.add(trail, (part, kind), leaf, || {
            let text = |node| text_of(node, secret, redactor);
            cut_both(v1.map(text), v2.map(text), MAX_VALUE)
        });
    }
}

/// Whether two arrays hold the same elements, each as often, and not in the same order. What the rules hide is not
/// looked at, so that `items[*].id` may be ignored in items that come in any order.
fn same_but_for_order(v1: &Node<'_>, a: &[Node<'_>], v2: &Node<'_>, b: &[Node<'_>]) -> bool {
    let sorted = |items: &[Node<'_>]| {
        let mut weights: Vec<u64> = items.iter().map(|item| item.kept).collect();
        weights.sort_unstable();
        weights
    };
    a.len() == b.len() && v1.kept != v2.kept && sorted(a) == sorted(b)
}

/// The JSON text of a value, redacted. Strings keep their quotes, so that "1" and 1 look different.
fn text_of(node: &Node<'_>, secret: bool, redactor: &Redactor) -> String {
    let mut out = String::new();
    if secret {
        mask(node, redactor, &mut out)
    } else {
        write(node, Some(redactor), &mut out)
    }
    out
}

/// Nothing is told of a value at a sensitive name, except that it is null.
fn mask(node: &Node<'_>, redactor: &Redactor, out: &mut String) {
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::String(text) => out.push_str(&redactor.mask(text)),
        _ => {
            let mut text = String::new();
            write(node, None, &mut text);
            out.push_str(&redactor.mask(&text));
        }
    }
}

/// Writes a value: redacted up to [`MAX_WRITTEN`] bytes, or, to be hashed, as it is and whole.
fn write(node: &Node<'_>, redactor: Option<&Redactor>, out: &mut String) {
    let shown = |text: &str| redactor.map_or_else(|| text.to_owned(), |redactor| redactor.text(text));
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(value) => out.push_str(&shown(&value.to_string())),
        Value::String(text) => out.push_str(&quoted(&shown(text))),
        Value::Array(items) => write_list(items, ['[', ']'], redactor, out, |item, out| {
            write(item, redactor, out);
        }),
        Value::Object(members) => write_list(members, ['{', '}'], redactor, out, |(name, member), out| {
            out.push_str(&quoted(&shown(name)));
            out.push(':');
            match redactor.filter(|redactor| redactor.is_sensitive(name)) {
                Some(redactor) => mask(member, redactor, out),
                None => write(member, redactor, out),
            }
        }),
    }
}

fn write_list<T>(
    list: &[T],
    [open, close]: [char; 2],
    redactor: Option<&Redactor>,
    out: &mut String,
    mut write_one: impl FnMut(&T, &mut String),
) {
    out.push(open);
    for (index, one) in list.iter().enumerate() {
        if redactor.is_some() && out.len() > MAX_WRITTEN {
            break;
        }
        if index > 0 {
            out.push(',');
        }
        write_one(one, out);
    }
    out.push(close);
}
