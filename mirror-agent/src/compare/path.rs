//! Where something is in an answer: how the place is written, and patterns that match it.

use std::fmt;

use super::redact::Redactor;
use super::show::cut_to;

/// The most bytes of a path in a difference; a longer one is cut.
pub const MAX_PATH: usize = 256;

/// The most bytes of one name in a path.
const MAX_NAME: usize = 64;

/// One step from a place to a place inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// A path in which `*` stands for any one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Glob>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Glob {
    Key(String),
    Index(usize),
    Any,
}

/// A pattern that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPath {
    /// The pattern.
    pub text: String,
    /// The byte at which it went wrong.
    pub at: usize,
}

impl fmt::Display for BadPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BadPath { text, at } = self;
        write!(
            out,
            "bad path `{text}` at byte {at}: expected status, header.NAME or body, then .NAME, [N], [*] or [\"NAME\"]"
        )
    }
}

impl std::error::Error for BadPath {}

impl Pattern {
    /// Reads `body.items[*].id`, `body["a.b"]`, `header.*`, `status`.
    pub(super) fn parse(text: &str) -> Result<Self, BadPath> {
        let bad = |rest: &str| BadPath { text: text.to_owned(), at: text.len() - rest.len() };
        let (root, mut rest) = split_name(text);
        if !matches!(root, "status" | "header" | "body") {
            return Err(bad(text));
        }
        let mut globs = vec![Glob::Key(root.to_owned())];
        while !rest.is_empty() {
            let (glob, tail) = next_glob(rest).ok_or_else(|| bad(rest))?;
            globs.push(if root == "header" { glob.lower() } else { glob });
            rest = tail;
        }
        Ok(Pattern(globs))
    }

    /// Whether it ends in `[*].NAME`.
    pub(super) fn ends_in_member(&self) -> bool {
        matches!(self.0.as_slice(), [.., Glob::Any, Glob::Key(_)])
    }

    pub(super) fn globs(&self) -> Tail<'_> {
        Tail(&self.0)
    }
}

/// What of a pattern is still to match.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail<'a>(&'a [Glob]);

impl<'a> Tail<'a> {
    /// What is left behind `step`; `None` when the pattern goes elsewhere.
    pub(super) fn after(self, step: Step<'_>) -> Option<Tail<'a>> {
        let (first, rest) = self.0.split_first()?;
        let fits = match (first, step) {
            (Glob::Any, _) => true,
            (Glob::Key(want), Step::Key(key)) => want == key,
            (Glob::Index(want), Step::Index(index)) => *want == index,
            _ => false,
        };
        fits.then_some(Tail(rest))
    }

    /// The name of the member, where a member of any element or member is all that is left.
    pub(super) fn member(self) -> Option<&'a str> {
        match self.0 {
            [Glob::Any, Glob::Key(name)] => Some(name),
            _ => None,
        }
    }

    /// Whether the pattern ends here: this place and all inside it match.
    pub(super) fn is_end(self) -> bool {
        self.0.is_empty()
    }
}

impl Glob {
    fn lower(self) -> Glob {
        match self {
            Glob::Key(key) => Glob::Key(key.to_ascii_lowercase()),
            other => other,
        }
    }
}

/// A place as a difference shows it. Names can be secrets or very long, as in `{"a@example.com": 1}`.
pub(super) fn render(trail: &[Step<'_>], redactor: &Redactor) -> String {
    let mut path = String::new();
    for step in trail {
        match step {
            Step::Index(index) => path.push_str(&format!("[{index}]")),
            Step::Key(key) => push_name(&mut path, &cut_to(&redactor.text(key), MAX_NAME)),
        }
        if path.len() > MAX_PATH {
            return cut_to(&path, MAX_PATH);
        }
    }
    path
}

pub(super) fn push_name(path: &mut String, name: &str) {
    if !is_plain(name) {
        path.push('[');
        path.push_str(&quoted(name));
        path.push(']');
        return;
    }
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

/// The name as a JSON string. Strings always have a JSON form, so the fallback is never seen.
pub(super) fn quoted(name: &str) -> String {
    serde_json::to_string(name).unwrap_or_default()
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_control() || c.is_whitespace() || ".[]\"*".contains(c))
}

/// A name up to the next `.` or `[`.
fn split_name(text: &str) -> (&str, &str) {
    text.split_at(text.find(['.', '[']).unwrap_or(text.len()))
}

fn next_glob(rest: &str) -> Option<(Glob, &str)> {
    if let Some(tail) = rest.strip_prefix("[*]") {
        return Some((Glob::Any, tail));
    }
    if let Some(tail) = rest.strip_prefix('[') {
        return if tail.starts_with('"') { quoted_glob(tail) } else { index_glob(tail) };
    }
    let (name, tail) = split_name(rest.strip_prefix('.')?);
    match name {
        "*" => Some((Glob::Any, tail)),
        name => is_plain(name).then(|| (Glob::Key(name.to_owned()), tail)),
    }
}

fn index_glob(rest: &str) -> Option<(Glob, &str)> {
    let (index, tail) = rest.split_once(']')?;
    Some((Glob::Index(index.parse().ok()?), tail))
}

fn quoted_glob(rest: &str) -> Option<(Glob, &str)> {
    let mut names = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    let name = names.next()?.ok()?;
    let tail = rest.get(names.byte_offset()..)?.strip_prefix(']')?;
    Some((Glob::Key(name), tail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, trail: &[Step<'_>]) -> bool {
        let pattern = Pattern::parse(pattern).unwrap();
        trail.iter().try_fold(pattern.globs(), |tail, step| tail.after(*step)).is_some_and(Tail::is_end)
    }

    #[test]
    fn patterns_match_one_step_each() {
        use Step::{Index, Key};
        let id = [Key("body"), Key("items"), Index(3), Key("id")];
        for (pattern, fits) in [
            ("body.items[*].id", true),
            ("body.items[3].id", true),
            ("body.items.*.id", true),
            ("body.*[*].*", true),
            ("body[\"items\"][3][\"id\"]", true),
            ("body.items[2].id", false),
            ("body.items[*]", false),
            ("body.items[*].id.x", false),
            ("body.items.3.id", false),
            ("body.items[\"3\"].id", false),
            ("body.Items[*].id", false),
            ("body", false),
        ] {
            assert_eq!(matches(pattern, &id), fits, "{pattern}");
        }
        assert!(matches("header.X-Build", &[Key("header"), Key("x-build")]));
        assert!(matches(r#"body["a.\"b]"]"#, &[Key("body"), Key("a.\"b]")]));
    }

    #[test]
    fn bad_patterns_say_where() {
        for (text, at) in [
            ("", 0),
            ("items", 0),
            ("Body", 0),
            ("*", 0),
            ("body.", 4),
            ("body..a", 4),
            ("body.a*", 4),
            ("body.a[", 6),
            ("body.a[x]", 6),
            ("body.a[-1]", 6),
            ("body.a[99999999999999999999]", 6),
            ("body[\"a]", 4),
            ("body[\"a\"", 4),
            ("body[0]x", 7),
        ] {
            assert_eq!(Pattern::parse(text), Err(BadPath { text: text.to_owned(), at }), "{text}");
        }
    }

    #[test]
    fn paths_are_redacted_and_bounded() {
        let redactor = Redactor::default();
        let mail = render(&[Step::Key("body"), Step::Key("ann@example.com")], &redactor);
        assert!(mail.starts_with("body[\"<redacted 15 bytes #") && !mail.contains("ann"), "{mail}");
        let name = "é".repeat(500);
        let long = render(&[Step::Key(&name); 128], &redactor);
        assert!(long.len() <= MAX_PATH && long.ends_with('…'), "{long}");
    }

    proptest! {
        /// What is shown can be pasted into the rules, and then matches that place.
        #[test]
        fn a_rendered_path_is_its_own_pattern(
            steps in prop::collection::vec((any::<bool>(), 0_usize..99, r#"[a-zA-Z.\[\]"\\* é-]{0,8}"#), 0..5),
        ) {
            let mut trail = vec![Step::Key("body")];
            trail.extend(steps.iter().map(|(key, i, name)| if *key { Step::Key(name) } else { Step::Index(*i) }));
            let path = render(&trail, &Redactor::default());
            prop_assert!(matches(&path, &trail), "{}", path);
        }

        #[test]
        fn no_pattern_panics(text in r#"(body)?[a.\[\]"*0-9\\é]{0,12}"#) {
            let _ = Pattern::parse(&text);
        }
    }
}
