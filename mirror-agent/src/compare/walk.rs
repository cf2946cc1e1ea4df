//! Where do two JSON values differ? Objects by name, arrays by what belongs together, and their order apart.

use super::align::align;
use super::field::Trail;
use super::findings::{Findings, Kind, Part};
use super::json::{Node, Value};
use super::merge;
use super::path::{Step, quoted};
use super::redact::Redactor;
use super::rules::Scope;
use super::show::{MAX_VALUE, cut_both};

/// The most bytes of an array or object that are written before it is cut, give or take one of its leaves. More than
/// is shown, so that a difference further on can be.
const MAX_WRITTEN: usize = 4096;

/// Adds every difference between two trees that were weighed by the same rules.
pub(super) fn compare(v1: &Node<'_>, v2: &Node<'_>, scope: Scope<'_>, findings: &mut Findings<'_>) {
    let redactor = findings.rules().redactor();
    let mut walk = Walk { trail: Trail::of(&[Step::Key("body")]), redactor, findings };
    walk.node(v1, v2, &scope, false);
}

/// Nested no deeper than the parser lets a text be.
struct Walk<'a, 'f, 'r> {
    trail: Trail<'a>,
    redactor: &'r Redactor,
    findings: &'f mut Findings<'r>,
}

impl<'a> Walk<'a, '_, '_> {
    /// `secret` says that the value is at a sensitive name, or inside one.
    fn node(&mut self, v1: &'a Node<'a>, v2: &'a Node<'a>, scope: &Scope<'_>, secret: bool) {
        if v1.full == v2.full {
            return;
        }
        let hidden = scope.hidden_by().or_else(|| scope.hides_values(&v1.value, &v2.value));
        if let Some(rule) = hidden {
            return self.findings.ignore(rule);
        }
        match (&v1.value, &v2.value) {
            (Value::Object(a), Value::Object(b)) => {
                for (name, one, two) in merge::by_key(a, b) {
                    let secret = secret || self.redactor.is_sensitive(name);
                    self.child([Step::Key(name); 2], one, two, scope, secret);
                }
            }
            (Value::Array(a), Value::Array(b)) => {
                let alignment = align(a, b, &scope.keys());
                if alignment.reordered {
                    self.add(Part::Body, Kind::Order, Some(v1), Some(v2), secret);
                }
                for (one, two) in alignment.pairs {
                    let steps = [one.or(two), two.or(one)].map(|at| Step::Index(at.unwrap_or_default()));
                    let get = |list: &'a [Node<'a>], at: Option<usize>| at.and_then(|at| list.get(at));
                    self.child(steps, get(a, one), get(b, two), scope, secret);
                }
            }
            (a, b) if std::mem::discriminant(a) == std::mem::discriminant(b) => {
                self.add(Part::Body, Kind::Value, Some(v1), Some(v2), secret);
            }
            _ => self.add(Part::Body, Kind::Type, Some(v1), Some(v2), secret),
        }
    }

    /// `steps` are v1's and v2's, which elements of arrays that belong together need not share. The first is shown.
    fn child(
        &mut self,
        steps: [Step<'a>; 2],
        v1: Option<&'a Node<'a>>,
        v2: Option<&'a Node<'a>>,
        scope: &Scope<'_>,
        secret: bool,
    ) {
        if v1.zip(v2).is_some_and(|(v1, v2)| v1.full == v2.full) {
            return;
        }
        let [step, other] = steps;
        let mut scope_in = scope.step(step);
        if v2.is_some_and(|v2| v2.ignored) && scope_in.hidden_by().is_none() {
            scope_in = scope.step(other);
        }
        self.trail.push(step);
        match (v1, v2, scope_in.hidden_by()) {
            (Some(v1), Some(v2), _) => self.node(v1, v2, &scope_in, secret),
            (_, _, Some(rule)) => self.findings.ignore(rule),
            (v1, None, _) => self.add(Part::Missing, Kind::Missing, v1, None, secret),
            (None, v2, _) => self.add(Part::Missing, Kind::Extra, None, v2, secret),
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
