//! What a judge is told beforehand.

use std::time::Duration;

/// How one service is judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How often a v2 that is no worse may be failed, whatever is looked at and however often.
    pub alpha: f64,
    /// The part by which v2 may be slower than v1.
    pub slower: f64,
    /// What it may be slower on top of that, at least; calibration may raise it.
    pub slower_by: Duration,
    /// The bound that few requests should exceed; `None`: twice what v1's p99 is at first.
    pub tail: Option<Duration>,
    /// The share of requests by which v2 may be worse and still pass.
    pub margin: f64,
    /// Seconds with requests that a pass needs, whatever the evidence.
    pub min_blocks: u64,
    /// Lost requests, as a share of those that should have been compared, over which nothing passes.
    pub max_lost: f64,
    /// Whose second answers there are.
    pub again: Again,
}

/// Which version is asked a second time, so that what differs by itself is told from what v2 changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Again {
    /// None: nothing that differs can be shown to be v2's fault.
    Off,
    /// v1. It shows v2's own noise as v2's fault, and the bias of our own way, but is more work for what serves the users.
    V1,
    /// v2. What v2 alone makes up anew for each answer is taken for noise.
    #[default]
    V2,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            alpha: 0.01,
            slower: 0.05,
            slower_by: Duration::from_micros(200),
            tail: None,
            margin: 0.01,
            min_blocks: 30,
            max_lost: 0.1,
            again: Again::default(),
        }
    }
}

impl Again {
    /// As the config and the metrics spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Again::Off => "off",
            Again::V1 => "v1",
            Again::V2 => "v2",
        }
    }
}
