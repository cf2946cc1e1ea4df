//! HTML as text: a line for each tag and each line of text, without what is made up for each answer.
//!
//! ```text
//! comments, white space, case and order of attributes      no part of it
//! nonce, integrity                                         left out
//! value and content where the tag's name is a secret's     left out: <input name=csrf_token>, <meta name=csrf-token>
//! attributes with the name of a secret                     left out: data-csrf-token
//! id, for, aria-labelledby and their like                  left out where they are identifiers: id="3f2a9c1b77"
//! src and href of script, link and img                     without query and without hashes: app.3f2a9c1b.js
//! ```

use std::borrow::Cow;

use html5gum::{DefaultEmitter, Token, Tokenizer};

use super::Answer;
use super::redact::Redactor;
use crate::route::is_identifier;

/// Attributes that name another element, or this one.
const REFERENCES: [&[u8]; 6] =
    [b"id", b"for", b"aria-labelledby", b"aria-describedby", b"aria-controls", b"aria-owns"];

/// One line, without what is volatile, and with it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) kept: String,
    pub(super) full: String,
}

/// The lines of a text, one at a time.
pub(super) struct Lines<'a> {
    tokens: Tokenizer<html5gum::StringReader<'a>>,
    redactor: &'a Redactor,
    text: String,
    /// Bytes of the text that were read.
    done: usize,
    /// The tag behind the text.
    next: Option<Line>,
}

/// `text/html` and `application/xhtml+xml`.
pub(super) fn is_html(answer: &Answer<'_>) -> bool {
    answer.headers.get_all("content-type").any(|value| {
        let media = value.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
        media.eq_ignore_ascii_case(b"text/html") || media.eq_ignore_ascii_case(b"application/xhtml+xml")
    })
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str, redactor: &'a Redactor) -> Self {
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true); // what is in a script is no tag
        let tokens = Tokenizer::new_with_emitter(text, emitter);
        Lines { tokens, redactor, text: String::new(), done: 0, next: None }
    }

    /// The next line of the text that has anything in it.
    fn text_line(&mut self) -> Option<Line> {
        while let Some(rest) = self.text.get(self.done..).filter(|rest| !rest.is_empty()) {
            let line = rest.split_inclusive('\n').next().unwrap_or_default();
            self.done += line.len();
            let kept = line.split_whitespace().collect::<Vec<_>>().join(" ");
            if !kept.is_empty() {
                return Some(Line { full: kept.clone(), kept });
            }
        }
        self.text.clear();
        self.done = 0;
        None
    }

    /// Reads up to and with the next tag.
    fn read(&mut self) -> bool {
        for token in self.tokens.by_ref() {
            let Ok(token) = token;
            self.next = match token {
                Token::String(text) => {
                    self.text.push_str(&String::from_utf8_lossy(&text));
                    continue;
                }
                Token::StartTag(tag) => {
                    let attributes: Vec<_> = tag
                        .attributes
                        .iter()
                        .map(|(name, value)| (name.as_slice(), value.as_slice()))
                        .collect();
                    Some(start(&tag.name, &attributes, self.redactor))
                }
                Token::EndTag(tag) => Some(same(format!("</{}>", String::from_utf8_lossy(&tag.name)))),
                Token::Doctype(doctype) => {
                    Some(same(format!("<!doctype {}>", String::from_utf8_lossy(&doctype.name))))
                }
                Token::Comment(_) | Token::Error(_) => continue,
            };
            return true;
        }
        !self.text.is_empty()
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        loop {
            if let Some(line) = self.text_line().or_else(|| self.next.take()) {
                return Some(line);
            }
            if !self.read() {
                return None;
            }
        }
    }
}

fn same(text: String) -> Line {
    Line { kept: text.clone(), full: text }
}

fn start(tag: &[u8], attributes: &[(&[u8], &[u8])], redactor: &Redactor) -> Line {
    let mut line = same(format!("<{}", String::from_utf8_lossy(tag)));
    let of =
        |name: &[u8]| attributes.iter().find(|(one, _)| *one == name).map_or(&b""[..], |(_, value)| value);
    let is_secret = |name: &[u8]| redactor.is_sensitive(&String::from_utf8_lossy(name));
    let holds_secret = [b"name".as_slice(), b"id", b"property"].into_iter().any(|name| is_secret(of(name)));
    for (name, value) in attributes {
        let kept = match *name {
            b"nonce" | b"integrity" => None,
            b"value" | b"content" if holds_secret => None,
            name if is_secret(name) => None,
            name if REFERENCES.contains(&name) && is_identifier(value) => None,
            b"src" | b"href" if matches!(tag, b"script" | b"link" | b"img") => Some(unhashed(value)),
            _ => Some(Cow::Borrowed(*value)),
        };
        let push = |text: &mut String, value: &[u8]| {
            text.push_str(&format!(
                " {}=\"{}\"",
                String::from_utf8_lossy(name),
                String::from_utf8_lossy(value)
            ));
        };
        push(&mut line.full, value);
        kept.iter().for_each(|value| push(&mut line.kept, value));
    }
    line.kept.push('>');
    line.full.push('>');
    line
}

/// A reference to a file without its query, and without the parts of its name that are hashes.
fn unhashed(target: &[u8]) -> Cow<'_, [u8]> {
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let name = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let (folder, file) = path.split_at_checked(name).unwrap_or((path, b""));
    let parts = file.split_inclusive(|byte| b".-_".contains(byte));
    let is_hash = |part: &&[u8]| {
        let part =
            part.strip_suffix(b".").or(part.strip_suffix(b"-")).or(part.strip_suffix(b"_")).unwrap_or(part);
        part.len() >= 8 && is_identifier(part)
    };
    let kept: Vec<u8> = parts.filter(|part| !is_hash(part)).flatten().copied().collect();
    Cow::Owned([folder, &kept].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kept(text: &str) -> Vec<String> {
        Lines::new(text, &Redactor::default()).map(|line| line.kept).collect()
    }

    #[test]
    fn a_line_for_each_tag_and_text() {
        let page = "<!DOCTYPE html>\n<P  Class=a ID='main'>one <b>two</b>\n\n  three<!-- 4 --></p><script>if (a<b) {\n x() }</script>";
        let want = [
            "<!doctype html>",
            "<p class=\"a\" id=\"main\">",
            "one",
            "<b>",
            "two",
            "</b>",
            "three",
            "</p>",
            "<script>",
            "if (a<b) {",
            "x() }",
            "</script>",
        ];
        assert_eq!(kept(page), want);
        assert_eq!(kept(""), Vec::<String>::new());
        assert_eq!(kept("a &amp; b"), ["a & b"]);
    }

    #[test]
    fn what_is_made_up_for_each_answer_is_left_out() {
        for (tag, want) in [
            ("<script nonce=r4nd0m src=/app.3f2a9c1b.js?v=17>", "<script src=\"/app.js\">"),
            ("<script src=/3f2a9c1b77/app.js integrity=sha256-x>", "<script src=\"/3f2a9c1b77/app.js\">"),
            ("<input type=hidden name=csrf_token value=abc>", "<input name=\"csrf_token\" type=\"hidden\">"),
            ("<input name=colour value=red>", "<input name=\"colour\" value=\"red\">"),
            ("<meta name=csrf-token content=abc>", "<meta name=\"csrf-token\">"),
            ("<meta name=author content=ann>", "<meta content=\"ann\" name=\"author\">"),
            ("<div data-csrf-token=abc class=x>", "<div class=\"x\">"),
            ("<label for=3f2a9c1b77>", "<label>"),
            ("<label for=colour>", "<label for=\"colour\">"),
            ("<a href=/orders?page=2>", "<a href=\"/orders?page=2\">"),
        ] {
            assert_eq!(kept(tag), [want], "{tag}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_lines(text in r#"(<|>|/|!--|-->|"|'|=|a|script|&|;|\n| |é|\x00){0,60}"#) {
            prop_assert!(kept(&text).len() <= text.len());
        }
    }
}
