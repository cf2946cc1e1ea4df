//! Shares and spans of time, as the config spells them.

use std::time::Duration;

use serde::Deserialize;

/// A part of a whole, written as a percentage: 0.1 for `10%`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Share(pub(crate) f64);

/// A length of time: `90s`, `250ms`, `2m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Span(pub(crate) Duration);

impl TryFrom<String> for Share {
    type Error = String;

    fn try_from(text: String) -> Result<Share, String> {
        let number = text.strip_suffix('%').and_then(|percent| percent.trim().parse::<f64>().ok());
        let share = number.filter(|percent| percent.is_finite() && *percent >= 0.0);
        share
            .map(|percent| Share(percent / 100.0))
            .ok_or(format!("{text:?} is not a share: write 5% or 0.5%"))
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Span, String> {
        humantime::parse_duration(&text).map(Span).map_err(|error| format!("{text:?} is no time: {error}"))
    }
}
