//! An expectation as it stands in the file.

use mirror_agent::judge::{FieldFinding, Outcome};
use serde::Deserialize;

use super::expect::{Claim, Expect, When};
use super::units::Span;

/// Every key that an expectation may have; which of them go together is decided after.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    at: Option<Span>,
    by: Option<Span>,
    until: Option<Span>,
    verdict: Option<Outcome>,
    because: Option<String>,
    never: Option<Outcome>,
    field: Option<String>,
    is: Option<FieldFinding>,
    silent: Option<Vec<String>>,
    never_silent: Option<Vec<String>>,
}

const FORMS: &str = "write one of {at or by, verdict, because if you like}, {never, until if you like}, \
                     {at or by, field, is}, {by, silent}, {never_silent}";

impl Line {
    /// Those that are there, in the order above.
    fn keys(&self) -> Vec<&'static str> {
        let keys = [
            ("at", self.at.is_some()),
            ("by", self.by.is_some()),
            ("until", self.until.is_some()),
            ("verdict", self.verdict.is_some()),
            ("because", self.because.is_some()),
            ("never", self.never.is_some()),
            ("field", self.field.is_some()),
            ("is", self.is.is_some()),
            ("silent", self.silent.is_some()),
            ("never_silent", self.never_silent.is_some()),
        ];
        keys.into_iter().filter(|(_, is_there)| *is_there).map(|(key, _)| key).collect()
    }
}

impl TryFrom<Line> for Expect {
    type Error = String;

    fn try_from(line: Line) -> Result<Expect, String> {
        let seconds = |span: Option<Span>| span.map(|span| span.0.as_secs());
        let (at, by, until) = (seconds(line.at), seconds(line.by), seconds(line.until));
        let when = at.map(When::At).or(by.map(When::By));
        let keys = line.keys();
        let expected = match (keys.as_slice(), line) {
            (["at" | "by", "verdict", ..], Line { verdict: Some(word), because, .. })
                if keys.len() == 2 + usize::from(because.is_some()) =>
            {
                when.map(|when| (Claim::Says { word, because }, when))
            }
            (["never"] | ["until", "never"], Line { never: Some(word), .. }) => {
                Some((Claim::Says { word, because: None }, When::Never { until }))
            }
            (["at" | "by", "field", "is"], Line { field: Some(name), is: Some(finding), .. }) => {
                when.map(|when| (Claim::Field { name, finding }, when))
            }
            (["by", "silent"], Line { silent: Some(names), .. }) => {
                by.map(|by| (Claim::AllSilent(names), When::From(by)))
            }
            (["never_silent"], Line { never_silent: Some(names), .. }) => {
                Some((Claim::AnySilent(names), When::Never { until: None }))
            }
            _ => None,
        };
        let (claim, when) = expected.ok_or(FORMS)?;
        Ok(Expect { claim, when })
    }
}
