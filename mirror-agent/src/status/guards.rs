//! What the status says of the brakes.

use serde::{Deserialize, Serialize};

use crate::budget::Standing;
use crate::guard::Breach;
use crate::guard::switchback::Finding;
use crate::ramp::State;

/// The brakes of the agent as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentGuards {
    /// What stopped everything, until `resume`.
    pub aborted: Option<Breach>,
    /// How often a guard has stopped something, by reason.
    pub aborts: std::collections::BTreeMap<String, u64>,
    /// From the evidence of the last abort to the last clone, in seconds; absent before the first.
    pub abort_latency_s: Option<f64>,
}

/// The brakes of one service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Guards {
    /// What stopped it, until `resume`.
    pub aborted: Option<Breach>,
    /// What must be known before the first clone, each with whether it is; empty if nothing must.
    pub preflight: Vec<Item>,
    /// How fast v1 spends its error budget; empty without an objective.
    pub burns: Vec<Burn>,
    /// v1's error budget; absent without an objective.
    pub budget: Option<Standing>,
    /// What the mirror does to v1; absent if that is not looked at.
    pub switchback: Option<Finding>,
    /// How the share rises; absent if it does not.
    pub ramp: Option<Ramp>,
}

/// One thing that must be known before the first clone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What: `baseline`, `v2`, `metrics`, `fence`, `budget`.
    pub name: String,
    /// Whether it is known, and well.
    pub is_met: bool,
    /// In one line.
    pub why: String,
}

/// What two windows say of v1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Burn {
    /// The long window: `60s`, `300s`, `1h`.
    pub window: String,
    /// How many times faster than the budget allows it is spent in that window.
    pub long: f64,
    /// The same in the short one.
    pub short: f64,
    /// From where on it is too fast.
    pub factor: f64,
}

/// Where a ramp is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ramp {
    /// `waiting`, a step counted from 0, or `fallen`.
    pub state: State,
    /// How many steps there are.
    pub steps: usize,
    /// What it does or waits for.
    pub why: String,
}

impl From<&crate::guard::burn::Burn> for Burn {
    fn from(burn: &crate::guard::burn::Burn) -> Burn {
        Burn { window: burn.windows.name.into(), long: burn.long, short: burn.short, factor: burn.factor }
    }
}
