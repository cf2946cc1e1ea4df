//! Reading a mapping key by key: what is asked for is checked, what is left over is unknown.

use std::cell::RefCell;
use std::sync::Arc;

use serde_saphyr::{Location, Spanned};

use super::draft::Said;
use super::errors::{Errors, Place};
use super::yaml::{Node, Value};

/// The file that is being read, and what was found wrong with it so far.
pub struct Source<'a> {
    /// Its path, for the places.
    pub name: Arc<str>,
    /// Its text: plain numbers are read from here, as they were typed.
    pub text: &'a str,
    /// Shared by all sections of the file.
    pub errors: RefCell<Errors>,
}

/// One mapping of the file.
pub struct Section<'a> {
    /// Where it begins.
    pub at: Place,
    /// Keys whose value was refused: they are wrong, but not missing.
    pub refused: Vec<&'static str>,
    source: &'a Source<'a>,
    entries: &'a [(Spanned<String>, Node)],
    asked: Vec<&'static str>,
}

impl<'a> Source<'a> {
    /// The place of a node.
    pub fn place(&self, location: Location) -> Place {
        let (line, column) = (location.line(), location.column());
        Place::Line { file: self.name.clone(), line, column }
    }

    /// `node` as a mapping. Nothing at all is an empty one.
    pub fn section(&'a self, node: &'a Node, what: &str) -> Option<Section<'a>> {
        let at = self.place(node.defined);
        let entries = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Nothing => &[],
            _ => {
                self.add(&at, format!("{what} must be a mapping, `key: value`"));
                return None;
            }
        };
        Some(Section { at, refused: Vec::new(), source: self, entries, asked: Vec::new() })
    }

    fn add(&self, at: &Place, what: String) {
        self.errors.borrow_mut().add(at, what);
    }

    /// The text of a single value, as it was typed.
    fn scalar(&self, node: &'a Node) -> Option<&'a str> {
        match &node.value {
            Value::Text(text) => Some(text),
            Value::Plain => {
                let span = node.defined.span();
                let from = usize::try_from(span.byte_offset()?).ok()?;
                let to = from.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
                self.text.get(from..to).map(str::trim)
            }
            _ => None,
        }
    }

    fn value<T>(&self, node: &'a Node, key: &str, parse: Parse<T>) -> Option<Said<T>> {
        let at = self.place(node.defined);
        let read = match self.scalar(node) {
            Some(text) => parse(text),
            None if node.value == Value::Nothing => Err("has no value".to_owned()),
            None => Err("must be a single value".to_owned()),
        };
        match read {
            Ok(value) => Some(Said { value, at }),
            Err(why) => {
                self.add(&at, format!("{key}: {why}"));
                None
            }
        }
    }
}

/// How one value is read; the error says why not.
pub type Parse<T> = fn(&str) -> Result<T, String>;

impl<'a> Section<'a> {
    /// The value of `key`, if it is there and right.
    pub fn value<T>(&mut self, key: &'static str, parse: Parse<T>) -> Option<Said<T>> {
        let node = self.ask(key)?;
        let value = self.source.value(node, key, parse);
        if value.is_none() {
            self.refused.push(key);
        }
        value
    }

    /// The list at `key`, without the items that were refused.
    pub fn list<T>(&mut self, key: &'static str, parse: Parse<T>) -> Option<Vec<Said<T>>> {
        let items = self.nodes(key)?;
        let values: Vec<_> = items.iter().filter_map(|item| self.source.value(item, key, parse)).collect();
        if values.len() < items.len() {
            self.refused.push(key);
        }
        Some(values)
    }

    /// The mapping at `key`.
    pub fn section(&mut self, key: &'static str) -> Option<Section<'a>> {
        let node = self.ask(key)?;
        self.source.section(node, key)
    }

    /// The list of mappings at `key`.
    pub fn sections(&mut self, key: &'static str) -> Vec<Section<'a>> {
        let items = self.nodes(key).unwrap_or_default();
        let read = |item| self.source.section(item, &format!("{key}: each item"));
        let sections: Vec<_> = items.iter().filter_map(read).collect();
        if sections.len() < items.len() {
            self.refused.push(key);
        }
        sections
    }

    /// The mapping at `key`, each of whose keys is a name of the operator's choice.
    pub fn named(&mut self, key: &'static str, parse: Parse<String>) -> Vec<(Said<String>, Section<'a>)> {
        let Some(all) = self.section(key) else { return Vec::new() };
        let mut named = Vec::new();
        for (name, node) in all.entries {
            let at = self.source.place(name.defined);
            match parse(&name.value) {
                Ok(value) => {
                    let section = self.source.section(node, &name.value);
                    named.extend(section.map(|section| (Said { value, at }, section)));
                }
                Err(why) => self.source.add(&at, format!("{key}: {why}")),
            }
        }
        if named.len() < all.entries.len() {
            self.refused.push(key);
        }
        named
    }

    /// The mapping at `key` of names to single values, in its order, without the pairs that were refused.
    pub fn pairs<K, T>(
        &mut self,
        key: &'static str,
        name: Parse<K>,
        value: Parse<T>,
    ) -> Vec<(Said<K>, Said<T>)> {
        let Some(all) = self.section(key) else { return Vec::new() };
        let mut pairs = Vec::new();
        for (given, node) in all.entries {
            let at = self.source.place(given.defined);
            let read = name(&given.value).map_err(|why| self.source.add(&at, format!("{key}: {why}")));
            let value = self.source.value(node, &given.value, value);
            if let (Ok(name), Some(value)) = (read, value) {
                pairs.push((Said { value: name, at }, value));
            }
        }
        pairs
    }

    /// Names every key that nobody asked for.
    pub fn finish(&self) {
        for (key, _) in self.entries.iter().filter(|(key, _)| !self.asked.contains(&key.value.as_str())) {
            let close = self.asked.iter().map(|known| (strsim::jaro_winkler(known, &key.value), known));
            let what = match close.max_by(|a, b| a.0.total_cmp(&b.0)) {
                Some((score, known)) if score > 0.8 => {
                    format!("unknown key {:?}: is {known} meant?", key.value)
                }
                _ => format!("unknown key {:?}: known here are {}", key.value, self.asked.join(", ")),
            };
            self.source.add(&self.source.place(key.defined), what);
        }
    }

    fn ask(&mut self, key: &'static str) -> Option<&'a Node> {
        self.asked.push(key);
        self.entries.iter().find(|(name, _)| name.value == key).map(|(_, node)| node)
    }

    fn nodes(&mut self, key: &'static str) -> Option<&'a [Node]> {
        let node = self.ask(key)?;
        match &node.value {
            Value::List(items) => Some(items),
            _ => {
                self.source.add(&self.source.place(node.defined), format!("{key}: must be a list, `[a, b]`"));
                self.refused.push(key);
                None
            }
        }
    }
}
