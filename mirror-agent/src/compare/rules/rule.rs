//! One rule: where it holds, what it hides there, and what it is called when it does.

use std::fmt;
use std::sync::Arc;

use regex::Regex;

use crate::compare::json::Number;
use crate::compare::path::{BadPath, Pattern, Tail};
use crate::route;

/// Bytes of a compiled expression: far more than one that a person writes needs.
const REGEX_MAX: usize = 1 << 20;

/// A rule as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What it is called where it is counted.
    pub name: String,
    /// The place, and all inside it: `body.items[*].id`, `header.x-build`, `status`.
    pub path: String,
    /// The requests, by their path: `/users/{id}/orders`, `/admin/*`; `None`: all.
    pub route: Option<String>,
    /// What it hides.
    pub act: Act,
}

/// What a rule hides at its place.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Everything.
    Ignore,
    /// Two texts (strings, headers, lines, or single values as written) that both match the expression, and are the
    /// same without what matches.
    Matches(String),
    /// Two numbers that are close.
    Within(Tolerance),
}

/// How far two numbers may be apart. Never negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// In the unit of the numbers.
    Absolute(f64),
    /// As a part of the larger of the two, without its sign.
    Relative(f64),
}

impl Eq for Rule {}
impl Eq for Act {}
impl Eq for Tolerance {}

/// A rule that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadRule {
    /// Its path.
    Path(BadPath),
    /// Its route.
    Route(String),
    /// Its expression, and why.
    Expression(String),
}

#[derive(Clone, Debug)]
pub(in crate::compare) struct Compiled {
    pub(in crate::compare) name: Arc<str>,
    pattern: Pattern,
    route: Option<route::Pattern>,
    pub(in crate::compare) hides: Hides,
}

#[derive(Clone, Debug)]
pub(in crate::compare) enum Hides {
    All,
    Matches(Regex),
    Within(Tolerance),
}

impl Compiled {
    pub(super) fn new(rule: &Rule) -> Result<Compiled, BadRule> {
        let hides = match &rule.act {
            Act::Ignore => Hides::All,
            Act::Matches(expression) => Hides::Matches(compile(expression).map_err(BadRule::Expression)?),
            Act::Within(tolerance) => Hides::Within(*tolerance),
        };
        let route = rule.route.as_deref().map(route::Pattern::parse).transpose().map_err(BadRule::Route)?;
        let pattern = Pattern::parse(&rule.path).map_err(BadRule::Path)?;
        Ok(Compiled { name: rule.name.as_str().into(), pattern, route, hides })
    }

    pub(super) fn ignoring(path: &str) -> Result<Compiled, BadPath> {
        let pattern = Pattern::parse(path)?;
        Ok(Compiled { name: path.into(), pattern, route: None, hides: Hides::All })
    }

    pub(super) fn holds_for(&self, path: &str) -> bool {
        self.route.as_ref().is_none_or(|route| route.matches(path.as_bytes()))
    }

    pub(super) fn tail(&self) -> Tail<'_> {
        self.pattern.globs()
    }
}

/// An expression, linear in the text that it is matched with, whatever it is.
///
/// # Errors
///
/// On one line, why it is none.
pub fn compile(expression: &str) -> Result<Regex, String> {
    regex::RegexBuilder::new(expression).size_limit(REGEX_MAX).build().map_err(|error| {
        let text = error.to_string();
        let why = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
        format!("{expression:?} is not a regular expression: {why}")
    })
}

impl Tolerance {
    pub(in crate::compare) fn covers(self, a: Number, b: Number) -> bool {
        let apart = match (a.whole(), b.whole()) {
            (Some(a), Some(b)) => a.abs_diff(b) as f64, // doubles would lose the difference of large numbers
            _ => (a.as_f64() - b.as_f64()).abs(),
        };
        match self {
            Tolerance::Absolute(most) => apart <= most,
            Tolerance::Relative(part) => apart <= part * a.as_f64().abs().max(b.as_f64().abs()),
        }
    }
}

impl fmt::Display for BadRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadRule::Path(bad) => bad.fmt(out),
            BadRule::Route(why) | BadRule::Expression(why) => out.write_str(why),
        }
    }
}

impl std::error::Error for BadRule {}
