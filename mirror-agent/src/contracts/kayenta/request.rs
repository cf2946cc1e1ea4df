//! What Kayenta sends, and how much of it is read.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::config::Metric;
use super::point::Point;
use crate::contracts::{INCONCLUSIVE, WhenInconclusive, misread, shown};

/// The longest request, in bytes.
pub const BODY_MAX: usize = 8 << 20;
/// The most metrics in a request.
pub const PAIRS_MAX: usize = 256;
/// The most points in a series: a week of minutes.
pub const POINTS_MAX: usize = 7 * 24 * 60;
/// The most points in a request.
pub const POINTS_ALL_MAX: usize = 1 << 18;

/// A request. Kayenta leaves out what is null, so what can be missing is read as empty.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    pub canary_config: CanaryConfig,
    pub score_thresholds: Thresholds,
    pub metric_set_pair_list: Vec<Pair>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CanaryConfig {
    #[serde(default, deserialize_with = "or_default")]
    judge: JudgeConfig,
    #[serde(default, deserialize_with = "or_default")]
    metrics: Vec<MetricConfig>,
    #[serde(default, deserialize_with = "or_default")]
    classifier: Classifier,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JudgeConfig {
    #[serde(default, deserialize_with = "or_default")]
    judge_configurations: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricConfig {
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub groups: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub analysis_configurations: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Classifier {
    #[serde(default, deserialize_with = "or_default")]
    group_weights: BTreeMap<String, f64>,
}

/// From where on a score is a `Pass`, and from where on `Marginal`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Thresholds {
    pub pass: f64,
    pub marginal: f64,
}

/// The two series of a metric.
#[derive(Debug, Deserialize)]
pub struct Pair {
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub tags: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "or_default")]
    pub values: Values,
    #[serde(default, deserialize_with = "or_default")]
    scopes: Scopes,
}

#[derive(Debug, Default, Deserialize)]
pub struct Values {
    #[serde(default, deserialize_with = "or_default")]
    pub control: Vec<Point>,
    #[serde(default, deserialize_with = "or_default")]
    pub experiment: Vec<Point>,
}

#[derive(Debug, Default, Deserialize)]
struct Scopes {
    control: Option<Scope>,
    experiment: Option<Scope>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scope {
    #[serde(default)]
    step_millis: u64,
}

impl Request {
    /// # Errors
    ///
    /// What does not fit the shape or the caps.
    pub fn read(body: &[u8]) -> Result<Request, String> {
        if body.len() > BODY_MAX {
            return Err(format!("the request has {} bytes, over {BODY_MAX}", body.len()));
        }
        let request: Request =
            serde_json::from_slice(body).map_err(|error| misread("Kayenta's request", &error))?;
        let pairs = &request.metric_set_pair_list;
        if pairs.len() > PAIRS_MAX || request.canary_config.metrics.len() > PAIRS_MAX {
            return Err(format!("there are more than {PAIRS_MAX} metrics"));
        }
        let points = pairs.iter().map(|pair| pair.values.control.len() + pair.values.experiment.len());
        if points.sum::<usize>() > POINTS_ALL_MAX {
            return Err(format!("there are more than {POINTS_ALL_MAX} points"));
        }
        pairs.iter().try_for_each(Pair::check)?;
        Ok(request)
    }

    /// Each pair with what the config says of it; as to Kayenta, the first of a name holds.
    ///
    /// # Errors
    ///
    /// A pair that the config does not know, or an unknown value in what it says.
    pub fn configured(&self) -> Result<Vec<(&Pair, Metric)>, String> {
        let configured = |pair: &'_ Pair| {
            let mut known = self.canary_config.metrics.iter();
            let config = known.find(|config| config.name == pair.name);
            config.ok_or_else(|| format!("the config has no metric {}", shown(&pair.name)))
        };
        self.metric_set_pair_list.iter().map(|pair| Ok((pair, Metric::read(configured(pair)?)?))).collect()
    }
}

impl CanaryConfig {
    /// # Errors
    ///
    /// A value that is neither of the two.
    pub fn when_inconclusive(&self) -> Result<WhenInconclusive, String> {
        match self.judge.judge_configurations.get(INCONCLUSIVE) {
            None | Some(Value::Null) => Ok(WhenInconclusive::Halt),
            Some(Value::String(text)) => WhenInconclusive::parse(text),
            Some(other) => WhenInconclusive::parse(&other.to_string()),
        }
    }

    /// Weights of groups, in per cent.
    ///
    /// # Errors
    ///
    /// Weights that are no shares of 100: with them a bad group could raise the score.
    pub fn weights(&self) -> Result<BTreeMap<String, f64>, String> {
        let weights = &self.classifier.group_weights;
        let sum: f64 = weights.values().sum();
        if weights.values().any(|weight| *weight < 0.0) || sum > 100.01 {
            return Err(format!("the weights of the groups must be shares of 100, and add up to {sum}"));
        }
        Ok(weights.clone())
    }
}

impl Pair {
    fn check(&self) -> Result<(), String> {
        if self.values.control.len().max(self.values.experiment.len()) > POINTS_MAX {
            return Err(format!("{}: a series has more than {POINTS_MAX} points", shown(&self.name)));
        }
        let step =
            |scope: &Option<Scope>| scope.as_ref().map(|scope| scope.step_millis).filter(|step| *step > 0);
        match (step(&self.scopes.control), step(&self.scopes.experiment)) {
            (Some(control), Some(experiment)) if control != experiment => Err(format!(
                "{}: a point of the control is {control} ms and one of the experiment {experiment} ms",
                shown(&self.name)
            )),
            _ => Ok(()),
        }
    }
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}
