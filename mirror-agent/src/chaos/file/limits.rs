//! The hypothesis and the abort conditions: metrics, and how far they may go.

use std::time::Duration;

use crate::chaos::experiment::{Bound, Limit, Metric};
use crate::config::{Errors, Said, Section, Share, values};

/// Whose words: a hypothesis says what holds, an abort condition what must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// `at_most`, `grows_at_most`.
    Hypothesis,
    /// `above`, `grows_above`.
    Abort,
}

impl Words {
    fn bound(self) -> &'static str {
        if self == Words::Hypothesis { "at_most" } else { "above" }
    }

    fn growth(self) -> &'static str {
        if self == Words::Hypothesis { "grows_at_most" } else { "grows_above" }
    }
}

/// Every metric, by its key, and whether it is a time.
const METRICS: [(&str, Metric, bool); 4] = [
    ("v1_errors", Metric::V1Errors, false),
    ("v1_p99", Metric::V1P99, true),
    ("v2_errors", Metric::V2Errors, false),
    ("v2_p99", Metric::V2P99, true),
];

/// The limits in one mapping.
pub fn read(mut keys: Section<'_>, words: Words, errors: &mut Errors) -> Vec<Said<Limit>> {
    let mut limits = Vec::new();
    for (key, metric, is_time) in METRICS {
        let Some(section) = keys.section(key) else { continue };
        let bounds = bounds(section, words, is_time, errors);
        limits.extend(bounds.into_iter().map(|said| limit(metric, said)));
    }
    if words == Words::Hypothesis {
        let verdict = keys.value("verdict", not_fail);
        limits.extend(verdict.map(|said| limit(Metric::Verdict, said)));
    }
    keys.finish();
    limits
}

fn limit(metric: Metric, said: Said<Bound>) -> Said<Limit> {
    Said { value: Limit { metric, bound: said.value }, at: said.at }
}

fn bounds(mut section: Section<'_>, words: Words, is_time: bool, errors: &mut Errors) -> Vec<Said<Bound>> {
    let said = if is_time {
        [section.value(words.bound(), time), section.value(words.growth(), growth)]
    } else {
        [section.value(words.bound(), share), None]
    };
    section.finish();
    let example = if is_time { words.growth() } else { words.bound() };
    if said.iter().all(Option::is_none) && section.refused.is_empty() {
        errors.add(&section.at, format!("says no bound: write for example {{{example}: 10%}}"));
    }
    said.into_iter().flatten().collect()
}

fn share(text: &str) -> Result<Bound, String> {
    text.parse::<Share>().map(Bound::Share).map_err(|error| error.to_string())
}

fn time(text: &str) -> Result<Bound, String> {
    values::duration(text).map(|time: Duration| Bound::Time(time))
}

/// A part that may be more than the whole: `10%`, `250%`.
fn growth(text: &str) -> Result<Bound, String> {
    let number = text.strip_suffix('%').and_then(|number| number.trim_end().parse::<f64>().ok());
    match number {
        Some(number) if (0.0..=10_000.0).contains(&number) => Ok(Bound::Growth(number / 100.0)),
        _ => Err(format!("{text:?} is no growth: write for example 10%")),
    }
}

fn not_fail(text: &str) -> Result<Bound, String> {
    if text == "not_fail" { Ok(Bound::NotFail) } else { Err(format!("{text:?} is not not_fail")) }
}
