//! Which rules hold at a place, as the walk goes from one place to the next.

use std::borrow::Cow;
use std::sync::Arc;

use super::rule::{Compiled, Hides};
use crate::compare::json::{Number, Value};
use crate::compare::path::{Pattern, Step, Tail};

/// The rules at one place.
#[derive(Clone, Debug, Default)]
pub(in crate::compare) struct Scope<'r> {
    /// Rules that hold further in, if the way leads there.
    ahead: Vec<(&'r Compiled, Tail<'r>)>,
    /// Rules that hold here, but hide not everything.
    here: Vec<&'r Compiled>,
    hidden_by: Option<&'r Compiled>,
    keys: Vec<Tail<'r>>,
}

impl<'r> Scope<'r> {
    pub(super) fn new(rules: impl Iterator<Item = &'r Compiled>, keys: &'r [Pattern]) -> Self {
        let keys = keys.iter().map(Pattern::globs).collect();
        Scope { ahead: rules.map(|rule| (rule, rule.tail())).collect(), keys, ..Scope::default() }
    }

    /// What holds at `trail`.
    pub(in crate::compare) fn at(&self, trail: &[Step<'_>]) -> Scope<'r> {
        trail.iter().fold(self.clone(), |scope, step| scope.step(*step))
    }

    /// What holds one step further in. What holds here holds there too.
    pub(in crate::compare) fn step(&self, step: Step<'_>) -> Scope<'r> {
        let mut scope = Scope { here: self.here.clone(), hidden_by: self.hidden_by, ..Scope::default() };
        for (rule, tail) in self.ahead.iter().filter_map(|(rule, tail)| Some((*rule, tail.after(step)?))) {
            match rule.hides {
                _ if !tail.is_end() => scope.ahead.push((rule, tail)),
                Hides::All => scope.hidden_by = scope.hidden_by.or(Some(rule)),
                _ => scope.here.push(rule),
            }
        }
        scope.keys.extend(self.keys.iter().filter_map(|tail| tail.after(step)));
        scope
    }

    /// The rule that hides this place, if one does.
    pub(in crate::compare) fn hidden_by(&self) -> Option<&'r Arc<str>> {
        self.hidden_by.map(|rule| &rule.name)
    }

    /// Members that tell the elements of an array at this place apart.
    pub(in crate::compare) fn keys(&self) -> Vec<&'r str> {
        self.keys.iter().filter_map(|tail| tail.member()).collect()
    }

    /// The rule that hides that two texts differ.
    pub(in crate::compare) fn hides_texts(&self, v1: &str, v2: &str) -> Option<&'r Arc<str>> {
        let (mut one, mut two) = (Cow::Borrowed(v1), Cow::Borrowed(v2));
        for rule in &self.here {
            let Hides::Matches(expression) = &rule.hides else { continue };
            if expression.is_match(&one) && expression.is_match(&two) {
                one = Cow::Owned(expression.replace_all(&one, "").into_owned());
                two = Cow::Owned(expression.replace_all(&two, "").into_owned());
                if one == two {
                    return Some(&rule.name);
                }
            }
        }
        None
    }

    /// The rule that hides that two values of one type differ.
    pub(in crate::compare) fn hides_values(&self, v1: &Value<'_>, v2: &Value<'_>) -> Option<&'r Arc<str>> {
        if self.here.is_empty() || std::mem::discriminant(v1) != std::mem::discriminant(v2) {
            return None;
        }
        if let (Value::Number(a), Value::Number(b)) = (v1, v2)
            && let Some(name) = self.hides_numbers(*a, *b)
        {
            return Some(name);
        }
        let (one, two) = v1.scalar().zip(v2.scalar())?;
        self.hides_texts(&one, &two)
    }

    fn hides_numbers(&self, a: Number, b: Number) -> Option<&'r Arc<str>> {
        let covers = |rule: &&&Compiled| matches!(rule.hides, Hides::Within(most) if most.covers(a, b));
        self.here.iter().find(covers).map(|rule| &rule.name)
    }

    /// What is left of a value when the rules here hide what they can: two of which the same is left may well be the
    /// same. `None` where nothing is hidden.
    pub(in crate::compare) fn rest(&self, value: &Value<'_>) -> Option<String> {
        let is_near = |rule: &&Compiled| matches!(rule.hides, Hides::Within(_));
        if matches!(value, Value::Number(_)) && self.here.iter().any(is_near) {
            return Some(String::new());
        }
        let mut rest = None;
        for rule in &self.here {
            let Hides::Matches(expression) = &rule.hides else { continue };
            let text = rest.clone().map_or_else(|| value.scalar(), |rest| Some(Cow::Owned(rest)))?;
            if expression.is_match(&text) {
                rest = Some(expression.replace_all(&text, "").into_owned());
            }
        }
        rest
    }
}
