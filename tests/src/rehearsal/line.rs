//! An expectation as it stands in the file.

use std::time::Duration;

use mirror_agent::guard::Reason;
use serde::Deserialize;

use super::expect::{By, Claim, Expect, When};
use crate::simulation::scenario::{Share, Span};

/// Every key that an expectation may have; which of them go together is decided after.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    at: Option<Span>,
    not_before: Option<Span>,
    by: Option<Span>,
    until: Option<Span>,
    never: Option<By>,
    guard: Option<By>,
    share: Option<Share>,
    remaining: Option<Parts>,
    spent: Option<Number>,
    waits: Option<String>,
}

const FORMS: &str = "write one of {at, or by, or not_before, or not_before and by; and one of guard, share, remaining, \
                     spent, waits}, {never, until if you like}";

/// `75%±2%`: a share, give or take.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Parts(f64, f64);

/// `500±20`: a number, give or take.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Number(f64, f64);

impl TryFrom<String> for Parts {
    type Error = String;

    fn try_from(text: String) -> Result<Parts, String> {
        let (about, by) = text.split_once('±').unwrap_or((&text, "0%"));
        let part = |text: &str| Share::try_from(text.trim().to_owned()).map(|share| share.0);
        Ok(Parts(part(about)?, part(by)?))
    }
}

impl TryFrom<String> for Number {
    type Error = String;

    fn try_from(text: String) -> Result<Number, String> {
        let (about, by) = text.split_once('±').unwrap_or((&text, "0"));
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| format!("{text:?} is no number"));
        Ok(Number(number(about)?, number(by)?))
    }
}

impl<'de> Deserialize<'de> for By {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<By, D::Error> {
        let text = String::deserialize(from)?;
        let this = || Reason::ALL.into_iter().find(|reason| reason.as_str() == text).map(By::This);
        match text.as_str() {
            "none" => Ok(By::None),
            "any" => Ok(By::Any),
            _ => this().ok_or_else(|| {
                serde::de::Error::custom(format!("{text:?} is no guard: write v1_burn, any or none"))
            }),
        }
    }
}

impl Line {
    /// When it is to be, if the keys go together.
    fn when(&self) -> Option<When> {
        let [at, first, last, until] =
            [self.at, self.not_before, self.by, self.until].map(|span| span.map(|span| span.0));
        match (at, first, last, self.never) {
            (None, None, None, Some(_)) => Some(When::Never { until }),
            _ if until.is_some() => None,
            (Some(at), None, None, None) => Some(When::At(at)),
            (None, Some(first), last, None) => Some(When::Within { first, last }),
            (None, None, Some(last), None) => Some(When::Within { first: Duration::ZERO, last: Some(last) }),
            _ => None,
        }
    }

    /// What is to be, if it is one thing.
    fn claim(self) -> Option<Claim> {
        let claims = [
            self.never.or(self.guard).map(Claim::Stopped),
            self.never.and(self.guard).map(Claim::Stopped), // both are one too many
            self.share.map(|share| Claim::Share(share.0)),
            self.remaining.map(|parts| Claim::Remaining(parts.0, parts.1)),
            self.spent.map(|number| Claim::Spent(number.0, number.1)),
            self.waits.map(Claim::Waits),
        ];
        let mut claims = claims.into_iter().flatten();
        claims.next().filter(|_| claims.next().is_none())
    }
}

impl TryFrom<Line> for Expect {
    type Error = &'static str;

    fn try_from(line: Line) -> Result<Expect, &'static str> {
        let when = line.when().ok_or(FORMS)?;
        let claim = line.claim().ok_or(FORMS)?;
        Ok(Expect { claim, when })
    }
}
