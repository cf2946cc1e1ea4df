//! What secrets look like in the middle of a text.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{Redactor, mask};

/// A name and what stands between it and its value: `token=`, `"password": "`, `\"token\":\"`, `<secret>`.
static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
    constant(r#"(?<name>[A-Za-z0-9_.-]+)(?:\\?["'])?[\ \t]*(?<sign>[:=>])[\ \t]*(?<quote>\\?["'])?"#)
});

/// The shapes of secrets; only the named group is one. Each is a search of its own: as alternatives of one pattern, a
/// long run that might yet become an address would be read again behind every token in it.
static SHAPES: LazyLock<[Shape; 4]> = LazyLock::new(|| {
    let name = r#"[^\x00-\x20@<>"'(),:;=&\[\]\\/?#{}|%"#; // no closing bracket: more can be left out
    let mail = format!(r"(?<secret>{name}]+(?:@|%40)(?:{name}.]+\.)+[A-Za-z\x{{80}}-\x{{10ffff}}]{name}.]*)");
    [
        (r"(?i-u:\b(?:bearer|basic)) +(?<secret>[A-Za-z0-9._~+/=-]{8,})", looks_random as fn(&str) -> bool),
        (r"(?<secret>eyJ[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){1,4})", |_| true),
        (&mail, |_| true),
        (r"(?<secret>[0-9](?:[ -]?[0-9]){12,})", holds_card),
    ]
    .map(|(pattern, is_secret)| Shape { pattern: constant(pattern), is_secret })
});

struct Shape {
    pattern: Regex,
    is_secret: fn(&str) -> bool,
}

/// Digits in a card number (ISO/IEC 7812-1 allows up to 19).
const CARD_DIGITS: Range<usize> = 13..20;

#[expect(clippy::expect_used, reason = "the pattern is a constant, and every test compiles it")]
fn constant(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern")
}

/// Hides every value that a sensitive name is written before.
pub(super) fn hide_assigned(text: &str, redactor: &Redactor) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    while let Some(found) = ASSIGNED.captures_at(text, done) {
        let value = found.get_match().end();
        push(&mut out, text, done..value);
        done = value;
        if redactor.is_sensitive(found.name("name").map_or("", |name| name.as_str())) {
            let rest = text.get(value..).unwrap_or_default();
            let secret = rest.get(..secret_len(rest, &found)).unwrap_or(rest);
            if !secret.is_empty() {
                out.push_str(&mask(secret));
                done = value + secret.len();
            }
        }
    }
    push(&mut out, text, done..text.len());
    out
}

/// Hides whatever has the shape of a secret. What stands for one has the shape of none.
pub(super) fn hide_shapes(text: &str) -> String {
    SHAPES.iter().fold(text.to_owned(), |text, shape| hide_shape(&text, shape))
}

/// Hides what matches, or the group `secret` of it.
pub(super) fn hide_matches(text: &str, pattern: &Regex) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for found in pattern.captures_iter(text) {
        let secret = found.name("secret").unwrap_or(found.get_match());
        if !secret.is_empty() {
            push(&mut out, text, done..secret.start());
            out.push_str(&mask(secret.as_str()));
            done = secret.end();
        }
    }
    push(&mut out, text, done..text.len());
    out
}

fn hide_shape(text: &str, shape: &Shape) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    let secrets = shape.pattern.captures_iter(text).filter_map(|found| found.name("secret"));
    for secret in secrets.filter(|secret| (shape.is_secret)(secret.as_str())) {
        push(&mut out, text, done..secret.start());
        out.push_str(&mask(secret.as_str()));
        done = secret.end();
    }
    push(&mut out, text, done..text.len());
    out
}

fn push(out: &mut String, text: &str, range: Range<usize>) {
    out.push_str(text.get(range).unwrap_or_default());
}

/// How far a value goes. When in doubt, further: too much hidden is seen as hidden, too little is a leak.
fn secret_len(rest: &str, found: &Captures<'_>) -> usize {
    let sign = found.name("sign").map_or("", |sign| sign.as_str());
    let end = match (found.name("quote").map(|quote| quote.as_str()), sign) {
        (Some(quote), _) if quote.len() > 1 => rest.find(quote),
        (Some(quote), _) => closing_quote(rest, quote),
        (None, "=") if !begins_with_scheme(rest) => {
            rest.find(|c: char| c.is_whitespace() || "&;\"'<>".contains(c))
        }
        (None, ">") => rest.find('<'),
        _ => rest.find(['\r', '\n']),
    };
    end.unwrap_or(rest.len())
}

/// The quote that is not escaped.
fn closing_quote(rest: &str, quote: &str) -> Option<usize> {
    let mut escaped = false;
    rest.char_indices().find_map(|(at, c)| {
        let closes = !escaped && quote.starts_with(c);
        escaped = !escaped && c == '\\';
        closes.then_some(at)
    })
}

fn begins_with_scheme(rest: &str) -> bool {
    let begins =
        |scheme: &&str| rest.get(..scheme.len()).is_some_and(|word| word.eq_ignore_ascii_case(scheme));
    ["bearer ", "basic ", "digest ", "negotiate "].iter().any(begins)
}

/// Tells `Basic dXNlcjpw` from "Basic functions".
fn looks_random(credential: &str) -> bool {
    credential.bytes().skip(1).any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase() || byte == b'=')
}

/// Whether some groups of digits in a row are a card number: a known first digit, a known length, a right check digit.
/// If so, all the digits go, since nobody can say where the card begins.
fn holds_card(run: &str) -> bool {
    let mut digits: Vec<u8> = Vec::with_capacity(run.len());
    let mut edges = vec![0]; // counts of digits before which a group begins or behind which it ends
    for byte in run.bytes() {
        match byte {
            b'0'..=b'9' => digits.push(byte - b'0'),
            _ => edges.push(digits.len()),
        }
    }
    edges.push(digits.len());
    edges.iter().enumerate().any(|(nth, &start)| {
        let ends = edges.iter().skip(nth + 1).take_while(|&&end| end - start < CARD_DIGITS.end);
        ends.filter_map(|&end| digits.get(start..end)).any(is_card)
    })
}

fn is_card(digits: &[u8]) -> bool {
    let known = matches!(digits.first(), Some(2..=6)) && CARD_DIGITS.contains(&digits.len());
    known && luhn_sum(digits).is_multiple_of(10)
}

/// Every second digit from the right but one counts twice, with its own digits added (ISO/IEC 7812-1, annex B).
fn luhn_sum(digits: &[u8]) -> u32 {
    let weighted = digits.iter().rev().enumerate().map(|(place, &digit)| match (place % 2, digit) {
        (0, _) => digit,
        (_, 0..=4) => 2 * digit,
        _ => 2 * digit - 9,
    });
    weighted.map(u32::from).sum()
}
