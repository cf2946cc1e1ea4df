//! What is different from some moment on.

use std::time::Duration;

use mirror_agent::config::values;
use mirror_agent::judge::Outcome;
use serde::{Deserialize, Deserializer};

use super::weather::{Harm, Weather};
use crate::simulation::scenario::{Change, Share, Span};

/// What is different from the phase before; what is left out stays.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Phase {
    r#for: Span,
    /// Requests per second.
    rate: Option<f64>,
    v1: Option<Change>,
    v2: Option<Change>,
    mirror_harm: Option<HarmLine>,
    /// Clones.
    lost: Option<Share>,
    agent: Option<AgentLine>,
    /// Whether somebody asks for the metrics.
    scraped: Option<bool>,
    /// What the judge says of v2.
    verdict: Option<Outcome>,
    /// The agent begins again, with what it has kept.
    #[serde(default)]
    restart: bool,
    /// Somebody says `resume`.
    #[serde(default)]
    resume: bool,
    /// Somebody says `resume --spend-budget` with this reason.
    grant: Option<String>,
}

/// What the mirror does to v1 while it is on; what is left out is none.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HarmLine {
    errors: Option<Share>,
    slower: Option<Share>,
}

/// What the agent takes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentLine {
    cpu: Option<Share>,
    #[serde(default, deserialize_with = "bytes")]
    memory: Option<u64>,
}

/// What somebody does at the beginning of a phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// The agent begins again, with what it has kept.
    Restart,
    /// `resume`, with why more of the budget may be spent.
    Resume(Option<String>),
}

fn bytes<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    values::bytes(&String::deserialize(from)?).map(Some).map_err(serde::de::Error::custom)
}

impl Phase {
    pub(super) fn time(&self) -> Duration {
        self.r#for.0
    }

    /// What is done before anything else.
    pub(super) fn deeds(&self) -> impl Iterator<Item = Deed> {
        let restart = self.restart.then_some(Deed::Restart);
        let resume = (self.resume || self.grant.is_some()).then(|| Deed::Resume(self.grant.clone()));
        restart.into_iter().chain(resume)
    }

    pub(super) fn change(&self, weather: &mut Weather) {
        let set = |share: Option<Share>, part: &mut f64| *part = share.map_or(*part, |share| share.0);
        weather.rate = self.rate.unwrap_or(weather.rate);
        self.v1.iter().for_each(|change| change.apply(&mut weather.v1));
        self.v2.iter().for_each(|change| change.apply(&mut weather.v2));
        set(self.lost, &mut weather.lost);
        if let Some(agent) = self.agent {
            set(agent.cpu, &mut weather.cpu);
            weather.memory = agent.memory.unwrap_or(weather.memory);
        }
        weather.harm = self.mirror_harm.map_or(weather.harm, HarmLine::harm);
        weather.is_scraped = self.scraped.unwrap_or(weather.is_scraped);
        weather.verdict = self.verdict.unwrap_or(weather.verdict);
    }
}

impl HarmLine {
    fn harm(self) -> Harm {
        let share = |share: Option<Share>| share.map_or(0.0, |share| share.0);
        Harm { errors: share(self.errors), slower: share(self.slower) }
    }
}
