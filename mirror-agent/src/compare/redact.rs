//! What must not be shown, and what stands for it: `<redacted 12 bytes #ab12>`.
//!
//! Equal secrets have equal marks, so a difference in one stays visible. Four digits of a hash tell nobody the secret.

mod patterns;

use regex::Regex;
use sha2::{Digest, Sha256};

use super::rules::compile;

/// Names whose values are secrets, as [`plain`] writes them. They match anywhere in a name.
const SECRET_NAMES: &[&str] = &[
    "accesskey",
    "apikey",
    "authkey",
    "authorization",
    "cardnumber",
    "cookie",
    "credential",
    "csrf",
    "cvc",
    "cvv",
    "iban",
    "jwt",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "secret",
    "sessionid",
    "signature",
    "token",
    "xsrf",
];

/// Knows secrets by the names they stand at, and by how they look.
#[derive(Clone, Debug)]
pub struct Redactor {
    names: Vec<String>,
    patterns: Vec<Regex>,
}

impl Default for Redactor {
    fn default() -> Self {
        Redactor { names: SECRET_NAMES.iter().map(|name| (*name).to_owned()).collect(), patterns: Vec::new() }
    }
}

impl Redactor {
    /// Counts every name that contains `name` as sensitive, whatever its case and punctuation. A name without any
    /// letter or digit is in no other, and adds nothing.
    pub fn add_name(&mut self, name: &str) {
        let name = plain(name);
        if !name.is_empty() {
            self.names.push(name);
        }
    }

    /// Hides whatever matches `expression`, or its group `secret` if it has one.
    ///
    /// # Errors
    ///
    /// When it is not a regular expression, or matches an empty text.
    pub fn add_pattern(&mut self, expression: &str) -> Result<(), String> {
        let pattern = compile(expression)?;
        if pattern.is_match("") {
            return Err(format!("{expression:?} matches an empty text: it would hide nothing, everywhere"));
        }
        self.patterns.push(pattern);
        Ok(())
    }

    /// Whether a value at this name is a secret.
    pub fn is_sensitive(&self, name: &str) -> bool {
        let name = plain(name);
        self.names.iter().any(|secret| name.contains(secret.as_str()))
    }

    /// A value at a name: all of it hidden when the name is sensitive, else what looks like a secret.
    pub fn named(&self, name: &str, value: &str) -> String {
        if self.is_sensitive(name) { self.mask(value) } else { self.text(value) }
    }

    /// A text with whatever looks like a secret hidden: values that a sensitive name is written before
    /// (`?token=x`, `password: x`), credentials, JSON web tokens, e-mail addresses, card numbers, and what was added.
    pub fn text(&self, text: &str) -> String {
        // What the operator knows goes first: what stands for it is no part of another secret.
        let text = self.patterns.iter().fold(text.to_owned(), |text, one| patterns::hide_matches(&text, one));
        patterns::hide_shapes(&patterns::hide_assigned(&text, self))
    }

    /// What stands for a secret: its length in bytes and the first four hex digits of its SHA-256.
    pub fn mask(&self, secret: &str) -> String {
        mask(secret)
    }
}

fn mask(secret: &str) -> String {
    let digest = Sha256::digest(secret.as_bytes());
    let hex: String = digest.iter().take(2).map(|byte| format!("{byte:02x}")).collect();
    format!("<redacted {} bytes #{hex}>", secret.len())
}

/// `X-Api-Key`, `api_key` and `apiKey` are one name.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests;
