//! What a comparison leaves out, and what it must not show.

mod defaults;
mod rule;
mod scope;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use rule::{Act, BadRule, Rule, Tolerance, compile};
pub(super) use scope::Scope;

use super::path::{BadPath, Pattern};
use super::redact::Redactor;
use crate::coding::MAX_DECODED;
use rule::Compiled;

/// What hides the headers that are left out by default, where it is counted.
pub const WELL_KNOWN: &str = "well_known_headers";

/// What hides that two pages of HTML differ where every two do, where it is counted.
pub const VOLATILE_HTML: &str = "volatile_html";

/// The most differences that one comparison keeps, unless told otherwise.
const MAX_DIFFERENCES: usize = 32;

/// How to compare: what to leave out, what to redact, how much to keep.
#[derive(Clone, Debug)]
pub struct Rules {
    well_known: BTreeSet<String>,
    well_known_name: Arc<str>,
    volatile_html: Arc<str>,
    rules: Vec<Compiled>,
    keys: Vec<Pattern>,
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
            well_known: defaults::HEADERS.iter().map(|name| (*name).to_owned()).collect(),
            well_known_name: WELL_KNOWN.into(),
            volatile_html: VOLATILE_HTML.into(),
            rules: Vec::new(),
            keys: Vec::new(),
            redactor: Redactor::default(),
            max_differences: MAX_DIFFERENCES,
            max_decoded: MAX_DECODED,
        }
    }
}

/// Whether a text is the path of a place, for example `body.items[*].id`.
///
/// # Errors
///
/// Where it is not.
pub fn check_path(text: &str) -> Result<(), BadPath> {
    Pattern::parse(text).map(|_| ())
}

/// Whether a text is a regular expression.
///
/// # Errors
///
/// On one line, why not.
pub fn check_expression(text: &str) -> Result<(), String> {
    compile(text).map(|_| ())
}

impl Rules {
    /// Adds a rule. Of several that hide a difference, the first is counted.
    ///
    /// # Errors
    ///
    /// When its path, route or expression cannot be read.
    pub fn add(&mut self, rule: &Rule) -> Result<(), BadRule> {
        self.rules.push(Compiled::new(rule)?);
        Ok(())
    }

    /// Compares a header that is left out by default, by name in any case.
    pub fn compare_header(&mut self, name: &str) {
        self.well_known.remove(&name.to_ascii_lowercase());
    }

    /// Leaves out a place and all inside it: `body.items[*].id`, `body.user.*.seen`, `header.x-build`, `status`. The
    /// rule is called as the path.
    ///
    /// # Errors
    ///
    /// When the path cannot be read.
    pub fn ignore_path(&mut self, path: &str) -> Result<(), BadPath> {
        self.rules.push(Compiled::ignoring(path)?);
        Ok(())
    }

    /// Tells the elements of an array apart by one of their members: `body.items[*].sku`.
    ///
    /// # Errors
    ///
    /// When the path cannot be read, or does not end in `[*]` and a name.
    pub fn add_key(&mut self, path: &str) -> Result<(), BadPath> {
        let pattern = Pattern::parse(path)?;
        if !pattern.ends_in_member() {
            return Err(BadPath { text: path.to_owned(), at: path.len() });
        }
        self.keys.push(pattern);
        Ok(())
    }

    /// What must not be shown, to add to it.
    pub fn redactor_mut(&mut self) -> &mut Redactor {
        &mut self.redactor
    }

    /// What must not be shown.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The name to count a header under that is left out by default.
    pub(super) fn well_known(&self, header: &str) -> Option<&Arc<str>> {
        self.well_known.contains(header).then_some(&self.well_known_name)
    }

    /// The name to count a header under that an answer declares to be hop by hop.
    pub(super) fn well_known_name(&self) -> &Arc<str> {
        &self.well_known_name
    }

    /// The name to count under what differs in HTML from answer to answer.
    pub(super) fn volatile_html(&self) -> &Arc<str> {
        &self.volatile_html
    }

    /// What holds for a request to this path, before any step into its answer.
    pub(super) fn scope(&self, path: &str) -> Scope<'_> {
        Scope::new(self.rules.iter().filter(|rule| rule.holds_for(path)), &self.keys)
    }
}
