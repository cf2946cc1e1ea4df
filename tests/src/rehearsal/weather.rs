//! How everything is while nothing changes.

use std::time::Duration;

use mirror_agent::judge::Outcome;

use crate::simulation::Version;

/// What comes in, how the versions behave, and what the agent takes.
#[derive(Clone, Debug)]
pub(super) struct Weather {
    /// Requests per second, each independent of the others.
    pub rate: f64,
    pub v1: Version,
    pub v2: Version,
    /// What the mirror does to v1 while it is on.
    pub harm: Harm,
    /// The share of clones that are lost.
    pub lost: f64,
    /// Of one processor.
    pub cpu: f64,
    /// Bytes.
    pub memory: u64,
    /// Whether somebody asks for the metrics every few seconds.
    pub is_scraped: bool,
    /// What the judge says of a step that has begun.
    pub verdict: Outcome,
}

/// What the mirror does to v1 while it is on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Harm {
    /// The share of requests that fail besides those that fail anyway.
    pub errors: f64,
    /// By how much all answers take longer (0.1: 10 %).
    pub slower: f64,
}

/// How often the metrics are asked for: the default of most who scrape.
pub(super) const SCRAPE: Duration = Duration::from_secs(15);

impl Default for Weather {
    fn default() -> Weather {
        Weather {
            rate: 50.0,
            v1: Version::default(),
            v2: Version::default(),
            harm: Harm::default(),
            lost: 0.0,
            cpu: 0.1,
            memory: 64 << 20,
            is_scraped: true,
            verdict: Outcome::Inconclusive,
        }
    }
}
