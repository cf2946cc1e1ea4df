//! What is wrong with a configuration: all of it at once, each with its place.

use std::fmt;
use std::sync::Arc;

/// Where a value was said, so that an error can send its reader there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A flag, with its dashes.
    Flag(&'static str),
    /// The command line as a whole: where a service that is made of flags stands.
    CommandLine,
    /// A file as a whole.
    File(Arc<str>),
    /// A place in a file; line and column count from 1, the column in characters.
    Line {
        /// The path as it was given.
        file: Arc<str>,
        /// The line, from 1.
        line: u64,
        /// The character in the line, from 1.
        column: u64,
    },
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub at: Place,
    /// What, in words that also say how to put it right.
    pub what: String,
}

/// Everything that is wrong with a configuration, one line each. Never empty when returned as an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errors(Vec<Problem>);

impl Errors {
    /// Adds one problem.
    pub fn add(&mut self, at: &Place, what: impl Into<String>) {
        self.0.push(Problem { at: at.clone(), what: what.into() });
    }

    /// Adds one problem with the value of `key`: a flag names its key by itself, a place in a file does not.
    pub fn add_to(&mut self, at: &Place, key: &str, what: &str) {
        match at {
            Place::Flag(_) => self.add(at, what),
            _ => self.add(at, format!("{key}: {what}")),
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems: those of the command line first, then those of the file from its top.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }

    /// `value`, unless something is wrong. Sorted and without repetition, for the reader who works through them.
    pub(crate) fn or<T>(mut self, value: Option<T>) -> Result<T, Errors> {
        self.0.sort_by_key(|problem| problem.at.order());
        self.0.dedup();
        match value {
            Some(value) if self.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}

impl Place {
    fn order(&self) -> (u8, u64, u64) {
        match *self {
            Place::Flag(_) | Place::CommandLine => (0, 0, 0),
            Place::File(_) => (1, 0, 0),
            Place::Line { line, column, .. } => (1, line, column),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Flag(flag) => f.write_str(flag),
            Place::CommandLine => f.write_str("command line"),
            Place::File(file) => f.write_str(file),
            Place::Line { file, line, column } => write!(f, "{file}:{line}:{column}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.what)
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}
