//! What a canary config says of one metric: `analysisConfigurations.canary`.

use serde_json::{Map, Value};

use super::request::MetricConfig;
use super::votes::{Bound, Side};
use crate::contracts::shown;

/// How far the experiment may be from the control where nothing is said: the `d` of our own verdict.
const MARGIN: f64 = 0.05;
/// The most groups of a metric, and the longest name of one, in bytes: every result repeats them.
const GROUPS_MAX: usize = 64;
const GROUP_LEN_MAX: usize = 256;

/// How to judge a metric.
#[derive(Debug)]
pub struct Metric {
    pub groups: Vec<String>,
    /// Which sides are harm, one or both.
    pub sides: Vec<Allowed>,
    /// A missing number is 0 if the other series has one.
    pub replace_missing: bool,
    pub critical: bool,
    pub must_have_data: bool,
    pub muted: bool,
}

/// What is allowed on one side.
#[derive(Debug)]
pub struct Allowed {
    /// Beyond this it is harm.
    pub bound: Bound,
    /// Beyond this as well it is critical, if the metric is.
    pub critical: Bound,
}

impl Metric {
    /// As Kayenta does, it takes an unknown word for the default.
    ///
    /// # Errors
    ///
    /// A number or truth value that is none, or more groups than are kept.
    pub fn read(config: &MetricConfig) -> Result<Metric, String> {
        if config.groups.len() > GROUPS_MAX || config.groups.iter().any(|name| name.len() > GROUP_LEN_MAX) {
            let name = shown(&config.name);
            return Err(format!(
                "{name}: over {GROUPS_MAX} groups, or one with a name over {GROUP_LEN_MAX} bytes"
            ));
        }
        let nothing = Map::new();
        let canary = Section::of(&config.name, config.analysis_configurations.get("canary"), &nothing)?;
        let effect = Section::of(&config.name, canary.map.get("effectSize"), &nothing)?;
        let sides: &[Side] = match canary.word("direction") {
            Some("increase") => &[Side::High],
            Some("decrease") => &[Side::Low],
            _ => &[Side::High, Side::Low],
        };
        Ok(Metric {
            groups: config.groups.clone(),
            sides: sides.iter().map(|side| Allowed::read(*side, &effect)).collect::<Result<_, _>>()?,
            replace_missing: canary.word("nanStrategy") == Some("replace"),
            critical: canary.flag("critical")?,
            must_have_data: canary.flag("mustHaveData")?,
            muted: canary.flag("muted")?,
        })
    }

    /// How many times it can be called harmful.
    pub fn claims(&self) -> u64 {
        self.sides.len() as u64
    }
}

impl Allowed {
    fn read(side: Side, effect: &Section<'_>) -> Result<Allowed, String> {
        let (allowed, critical) = match side {
            Side::High => (effect.number("allowedIncrease")?, effect.number("criticalIncrease")?),
            Side::Low => (effect.number("allowedDecrease")?, effect.number("criticalDecrease")?),
        };
        if effect.word("measure") == Some("cles") {
            // A share of pairs and not a ratio of values: it is asked for on top of the margin.
            let share = |value: Option<f64>| side.share(value.unwrap_or(0.5));
            let bound = Bound { side, ratio: side.ratio(MARGIN), share: share(allowed) };
            return Ok(Allowed { bound, critical: Bound { share: share(critical), ..bound } });
        }
        let bound =
            Bound { side, ratio: allowed.map_or(side.ratio(MARGIN), |it| side.clamp(it)), share: 0.0 };
        let ratio = critical.map_or(bound.ratio, |it| side.clamp(it));
        Ok(Allowed { bound, critical: Bound { ratio, ..bound } })
    }
}

/// An object of the config, for errors under the metric's name.
struct Section<'a> {
    metric: &'a str,
    map: &'a Map<String, Value>,
}

impl<'a> Section<'a> {
    fn of(
        metric: &'a str,
        value: Option<&'a Value>,
        nothing: &'a Map<String, Value>,
    ) -> Result<Self, String> {
        match value {
            None | Some(Value::Null) => Ok(Section { metric, map: nothing }),
            Some(Value::Object(map)) => Ok(Section { metric, map }),
            Some(_) => Err(format!("{}: canary and effectSize must be objects", shown(metric))),
        }
    }

    fn word(&self, key: &str) -> Option<&str> {
        self.map.get(key).and_then(Value::as_str)
    }

    fn flag(&self, key: &str) -> Result<bool, String> {
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(format!("{}: {key} is neither true nor false", shown(self.metric))),
        }
    }

    fn number(&self, key: &str) -> Result<Option<f64>, String> {
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_f64().filter(|number| *number >= 0.0) {
                None => Err(format!("{}: {key} is no number from 0 on", shown(self.metric))),
                number => Ok(number),
            },
        }
    }
}
