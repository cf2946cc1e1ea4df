//! A share of the traffic: parts per million, written with its unit.
//! Integers only, so that every node reads the same text as the same share.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How much of the traffic, in parts per million: 0 (none) to 1,000,000 (all).
///
/// Written and read as text with its unit (`5%`, `0.0001%`, `50000ppm`), in JSON and YAML too. It has no default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u32);

/// Why a text is not a [`Share`]. Reads well after the name of the thing: `--share: ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareError {
    /// A number without a unit: 5 could be meant as 5 % or as the ratio 5.
    Ambiguous(String),
    /// Over 100 %.
    TooLarge(String),
    /// Something between two parts per million.
    TooFine(String),
    /// Not a share at all.
    Malformed(String),
}

impl Share {
    /// Nothing. Where the mirror stands until it is told otherwise.
    pub const ZERO: Share = Share(0);
    /// Everything.
    pub const FULL: Share = Share(1_000_000);

    /// The share of `ppm` parts per million, or `None` over 1,000,000.
    pub const fn from_ppm(ppm: u32) -> Option<Share> {
        if ppm <= Self::FULL.0 { Some(Share(ppm)) } else { None }
    }

    /// Parts per million, 0 to 1,000,000: what the kernel compares the flow hash with.
    pub const fn ppm(self) -> u32 {
        self.0
    }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Share, ShareError> {
        if let Some(percent) = text.strip_suffix('%') {
            return from_percent(percent, text);
        }
        match text.strip_suffix("ppm") {
            Some(parts) if is_digits(parts) => from_parts(parts, text),
            None if split_number(text).is_some() => Err(ShareError::Ambiguous(text.to_owned())),
            _ => Err(ShareError::Malformed(text.to_owned())),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000, self.0 % 10_000);
        match format!("{rest:04}").trim_end_matches('0') {
            "" => write!(f, "{whole}%"),
            decimals => write!(f, "{whole}.{decimals}%"),
        }
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Share, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShareError::Ambiguous(text) => write!(f, "{text} is ambiguous: write {text}%"),
            ShareError::TooLarge(text) => write!(f, "{text} is more than 100%"),
            ShareError::TooFine(text) => write!(f, "{text} is finer than 0.0001%, the smallest step"),
            ShareError::Malformed(text) => {
                write!(f, "{text:?} is not a share: write a percentage, for example 5% or 0.5%")
            }
        }
    }
}

impl std::error::Error for ShareError {}

fn from_percent(percent: &str, text: &str) -> Result<Share, ShareError> {
    let (whole, decimals) = split_number(percent).ok_or_else(|| ShareError::Malformed(text.to_owned()))?;
    if decimals.len() > 4 {
        return Err(ShareError::TooFine(text.to_owned()));
    }
    from_parts(&format!("{whole}{decimals:0<4}"), text)
}

/// `parts` is digits only, so the one way for it not to be a `u32` is to be too large.
fn from_parts(parts: &str, text: &str) -> Result<Share, ShareError> {
    let share = parts.parse().ok().and_then(Share::from_ppm);
    share.ok_or_else(|| ShareError::TooLarge(text.to_owned()))
}

/// `12.5` as (`12`, `5`) and `12` as (`12`, ``); no sign, no exponent, no bare point.
fn split_number(text: &str) -> Option<(&str, &str)> {
    match text.split_once('.') {
        Some((whole, decimals)) => (is_digits(whole) && is_digits(decimals)).then_some((whole, decimals)),
        None => is_digits(text).then_some((text, "")),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests;
