//! YAML as a tree that remembers where each node stood.
//!
//! A tree and not a typed value, because typed reading ends at the first error and the operator is owed them all.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

/// The configuration is five deep. The reader calls itself for each level; 64 overflow the 2 MiB stack of a thread.
const DEPTH_MAX: usize = 8;

/// A node and where it stood.
pub type Node = Spanned<Value>;

/// What a node is.
#[derive(Debug, PartialEq)]
pub enum Value {
    /// `null`, `~`, or nothing at all.
    Nothing,
    /// Text, quoted or not.
    Text(String),
    /// A plain number or truth value: its text is in the source, at the node's place.
    Plain,
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<(Spanned<String>, Node)>),
}

/// Reads a file's text.
///
/// # Errors
/// The first breach of YAML's grammar (or a key that stands twice) and, where known, its place.
pub fn parse(text: &str) -> Result<Node, (Option<Location>, String)> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: DEPTH_MAX },
        strict_booleans: true,
        with_snippet: false,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::AsString,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = error.render_with_formatter(&serde_saphyr::UserMessageFormatter);
        (error.location(), one_line(&message, error.location()))
    })
}

/// The message without the place that its reader gets before it, and without line breaks.
fn one_line(message: &str, location: Option<Location>) -> String {
    let place =
        location.map(|at| format!(" at line {}, column {}", at.line(), at.column())).unwrap_or_default();
    message.strip_suffix(&place).unwrap_or(message).split_whitespace().collect::<Vec<_>>().join(" ")
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML node")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Plain)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Plain)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Plain)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Value, E> {
        Ok(Value::Plain)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Value, E> {
        Ok(Value::Plain)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Plain)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Value::Map(entries))
    }
}
