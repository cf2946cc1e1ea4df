//! A JSON text as a tree that is bounded, canonical, and quick to compare.
//!
//! serde_json's own `Value` would do but for three things: it has no cap on values (a 1 MiB body can become 100 MiB),
//! it forgets repeated names, and it cannot tell whether two trees differ only in what the rules hide.

use std::borrow::Cow;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::path::Step;
use super::rules::Scope;

/// The most values in one JSON text. A text with more is not taken apart.
pub const MAX_NODES: usize = 1 << 18;

/// A JSON value with the weights that tell at a glance whether another is the same.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) value: Value<'a>,
    /// Hash of all of it: equal values have equal weights, and unequal ones do but for one pair in 2^64.
    pub(super) full: u64,
    /// Hash of it without what the rules hide.
    pub(super) kept: u64,
    /// A rule hides this very value.
    pub(super) ignored: bool,
}

#[derive(Debug)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(Cow<'a, str>),
    Array(Vec<Node<'a>>),
    /// Sorted by name, each name once.
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

/// A number, by value: whole numbers of 64 bits are exact, all others are doubles (RFC 8259, section 6, promises no
/// more).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Number {
    Unsigned(u64),
    Negative(i64),
    /// The bits of a double that is no whole number of 64 bits.
    Double(u64),
}

/// The tree of a JSON text; `None` when it is malformed, nested deeper than serde_json's 128, larger than
/// [`MAX_NODES`], or has a name twice in one object (which of the two counts is anyone's guess: RFC 8259, section 4).
pub(super) fn parse<'a>(text: &'a [u8], scope: &Scope<'_>) -> Option<Node<'a>> {
    let mut room = MAX_NODES;
    let mut source = serde_json::Deserializer::from_slice(text);
    let mut root = NodeSeed { room: &mut room }.deserialize(&mut source).ok()?;
    source.end().ok()?;
    weigh(&mut root, scope);
    Some(root)
}

impl Node<'_> {
    /// Whether nothing is inside it.
    pub(super) fn is_scalar(&self) -> bool {
        !matches!(self.value, Value::Array(_) | Value::Object(_))
    }
}

impl Value<'_> {
    /// A value without others in it, as text: a string without quotes.
    pub(super) fn scalar(&self) -> Option<Cow<'_, str>> {
        match self {
            Value::Null => Some("null".into()),
            Value::Bool(value) => Some(if *value { "true" } else { "false" }.into()),
            Value::Number(value) => Some(value.to_string().into()),
            Value::String(text) => Some(text.as_ref().into()),
            Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl Number {
    /// The value, where it is whole.
    pub(super) fn whole(self) -> Option<i128> {
        match self {
            Number::Unsigned(value) => Some(value.into()),
            Number::Negative(value) => Some(value.into()),
            Number::Double(_) => None,
        }
    }

    pub(super) fn as_f64(self) -> f64 {
        match self {
            Number::Unsigned(value) => value as f64,
            Number::Negative(value) => value as f64,
            Number::Double(bits) => f64::from_bits(bits),
        }
    }

    fn from_f64(value: f64) -> Self {
        const TWO_63: f64 = (1_u64 << 63) as f64;
        if value.fract() != 0.0 || !(-TWO_63..2.0 * TWO_63).contains(&value) {
            Number::Double(value.to_bits())
        } else if value < 0.0 {
            Number::Negative(value as i64)
        } else {
            Number::Unsigned(value as u64)
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Unsigned(value) => value.fmt(out),
            Number::Negative(value) => value.fmt(out),
            // The debug form has an exponent where the plain one has 300 digits.
            Number::Double(bits) => fmt::Debug::fmt(&f64::from_bits(*bits), out),
        }
    }
}

/// Fills in the weights, from the leaves up.
fn weigh(node: &mut Node<'_>, scope: &Scope<'_>) {
    node.ignored = scope.hidden_by().is_some();
    let (mut full, mut kept) = (DefaultHasher::new(), DefaultHasher::new());
    std::mem::discriminant(&node.value).hash(&mut full);
    match &mut node.value {
        Value::Null => {}
        Value::Bool(value) => value.hash(&mut full),
        Value::Number(value) => value.hash(&mut full),
        Value::String(value) => value.hash(&mut full),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                weigh(item, &scope.step(Step::Index(index)));
                add(item, &(), &mut full, &mut kept);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                weigh(member, &scope.step(Step::Key(name)));
                add(member, name, &mut full, &mut kept);
            }
        }
    }
    node.full = full.finish();
    node.kept = match node.value {
        Value::Array(_) | Value::Object(_) => {
            std::mem::discriminant(&node.value).hash(&mut kept);
            kept.finish()
        }
        _ => scope.rest(&node.value).map_or(node.full, |rest| {
            (std::mem::discriminant(&node.value), rest).hash(&mut kept);
            kept.finish()
        }),
    };
}

fn add(child: &Node<'_>, name: &impl Hash, full: &mut DefaultHasher, kept: &mut DefaultHasher) {
    (name, child.full).hash(full);
    if !child.ignored {
        (name, child.kept).hash(kept);
    }
}

/// Reads one value; every value takes one of the room that is left.
struct NodeSeed<'r> {
    room: &'r mut usize,
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = Node<'de>;
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Node<'de>, D::Error> {
        *self.room = self.room.checked_sub(1).ok_or_else(|| D::Error::custom("too many values"))?;
        let value = source.deserialize_any(self)?;
        Ok(Node { value, full: 0, kept: 0, ignored: false })
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = Value<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(Number::Unsigned(value)))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(u64::try_from(value).map_or(Number::Negative(value), Number::Unsigned)))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value<'de>, E> {
        Ok(Value::Number(Number::from_f64(value)))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Owned(value.to_owned())))
    }
    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Borrowed(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Value<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = source.next_element_seed(NodeSeed { room: self.room })? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Value<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = source.next_key_seed(NameSeed)? {
            members.push((name, source.next_value_seed(NodeSeed { room: self.room })?));
        }
        members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let twice = members.iter().zip(members.iter().skip(1)).any(|((a, _), (b, _))| a == b);
        if twice { Err(A::Error::custom("a name twice")) } else { Ok(Value::Object(members)) }
    }
}

/// Reads a member's name, borrowed where it has no escapes.
struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Cow<'de, str>, D::Error> {
        source.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed {
    type Value = Cow<'de, str>;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name")
    }
    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }
}
