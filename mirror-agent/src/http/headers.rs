//! Field lines, in order, as places in the one copy of their head.

use std::fmt;

use bytes::Bytes;

use super::message::trim;

/// Field lines in the order in which they were sent; a name may come more than once.
#[derive(Clone, Default)]
pub struct Headers {
    text: Bytes,
    lines: Vec<Line>,
}

/// Where the name and the value of a field line stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub name: Span,
    pub value: Span,
}

/// A part of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub start: u32,
    pub len: u32,
}

/// Field lines that are looked at where they are.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    text: &'a [u8],
    lines: &'a [Line],
}

impl Headers {
    /// The lines of a head, which `lines` were found in.
    pub(super) fn new(text: Bytes, lines: Vec<Line>) -> Headers {
        Headers { text, lines }
    }

    /// The value of the first field line of this name, whatever its case.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.fields().get(name)
    }

    /// The values of all field lines of this name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.fields().get_all(name)
    }

    /// All field lines, in order, names in the sender's case.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields().iter()
    }

    /// How many field lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn fields(&self) -> Fields<'_> {
        Fields { text: &self.text, lines: &self.lines }
    }

    /// Bytes of memory that the places of the lines take.
    pub(super) fn allocated(&self) -> usize {
        self.lines.capacity() * size_of::<Line>()
    }

    /// Bytes of the head that is kept alive, which the message may share.
    pub(super) fn text_len(&self) -> usize {
        self.text.len()
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Headers) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Headers {}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, value): (&[u8], &[u8])| {
            (name.escape_ascii().to_string(), value.escape_ascii().to_string())
        };
        f.debug_map().entries(self.iter().map(shown)).finish()
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(lines: T) -> Headers {
        let (mut text, mut places) = (Vec::new(), Vec::new());
        for (name, value) in lines {
            let name = Span::append(&mut text, name.as_ref());
            places.push(Line { name, value: Span::append(&mut text, value.as_ref()) });
        }
        Headers::new(text.into(), places)
    }
}

impl<'a> Fields<'a> {
    pub(super) fn new(text: &'a [u8], lines: &'a [Line]) -> Fields<'a> {
        Fields { text, lines }
    }

    pub(super) fn get(self, name: &str) -> Option<&'a [u8]> {
        self.get_all(name).next()
    }

    pub(super) fn get_all<'n>(self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let is_it = move |line: &&Line| {
            line.name.len as usize == name.len()
                && line.name.of(self.text).eq_ignore_ascii_case(name.as_bytes())
        };
        self.lines.iter().filter(is_it).map(move |line| line.value.of(self.text))
    }

    pub(super) fn iter(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.lines.iter().map(move |line| (line.name.of(self.text), line.value.of(self.text)))
    }

    /// The members of a comma-separated list that may be spread over field lines (RFC 9110, section 5.6.1).
    pub(super) fn list<'n>(self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let members = self.get_all(name).flat_map(|value| value.split(|b| *b == b','));
        members.map(trim).filter(|member| !member.is_empty())
    }
}

impl Span {
    /// The place of `part` in `whole`, of which it is a part.
    pub(super) fn within(whole: &[u8], part: &[u8]) -> Span {
        let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
        Span::new(start, part.len())
    }

    fn append(text: &mut Vec<u8>, part: &[u8]) -> Span {
        text.extend_from_slice(part);
        Span::new(text.len() - part.len(), part.len())
    }

    /// Heads are far below 4 GiB; one that were not would have no fields.
    fn new(start: usize, len: usize) -> Span {
        match (u32::try_from(start), u32::try_from(len)) {
            (Ok(start), Ok(len)) => Span { start, len },
            _ => Span { start: 0, len: 0 },
        }
    }

    /// The part of `text` that stands here.
    pub(super) fn of(self, text: &[u8]) -> &[u8] {
        let start = self.start as usize;
        text.get(start..start + self.len as usize).unwrap_or_default()
    }
}
