//! When the mirror is to be stopped, in the words of the agent's config and with its defaults.

use std::path::Path;
use std::time::Duration;

use mirror_agent::config::{AgentGuardsDraft, Guards, GuardsDraft, Share, Slo, values};
use mirror_agent::guard::process;
use mirror_agent::ramp::Step;
use serde::{Deserialize, Deserializer};

/// Over which time an objective is kept if nobody says otherwise, as in the config.
const PERIOD: Duration = Duration::from_secs(30 * 24 * 3600);
/// The part of the error budget that the mirror may spend if nobody says otherwise, in parts per million.
const SPEND_PPM: u32 = 10_000;

/// What the config would say; what is left out is as by default there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    #[serde(deserialize_with = "objective")]
    objective: Option<Share>,
    /// v1's answers are good within this.
    #[serde(deserialize_with = "duration")]
    latency: Option<Duration>,
    #[serde(deserialize_with = "period")]
    period: Option<Duration>,
    #[serde(deserialize_with = "part")]
    spend: Option<Share>,
    #[serde(deserialize_with = "part_or_off")]
    losses: Option<Option<Share>>,
    #[serde(deserialize_with = "part_or_off")]
    v2_errors: Option<Option<Share>>,
    #[serde(deserialize_with = "duration_or_off")]
    v2_unreachable: Option<Option<Duration>>,
    #[serde(deserialize_with = "duration_or_off")]
    switchback: Option<Option<Duration>>,
    #[serde(deserialize_with = "processors_or_off")]
    cpu: Option<Option<u64>>,
    #[serde(deserialize_with = "bytes_or_off")]
    memory: Option<Option<u64>>,
    #[serde(deserialize_with = "duration_or_off")]
    unscraped: Option<Option<Duration>>,
    ramp: Vec<StepLine>,
}

/// One step of a ramp.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepLine {
    #[serde(deserialize_with = "must_be_part")]
    share: Share,
    #[serde(deserialize_with = "must_be_duration")]
    r#for: Duration,
    #[serde(default = "half_a_minute")]
    blocks: u64,
}

/// As in the config.
fn half_a_minute() -> u64 {
    30
}

impl Limits {
    /// What v1 promises.
    pub(super) fn slo(&self) -> Option<Slo> {
        Some(Slo {
            objective: self.objective?,
            latency: self.latency,
            period: self.period.unwrap_or(PERIOD),
            spend: self.spend.or(Share::from_ppm(SPEND_PPM))?,
        })
    }

    /// The guards of the service.
    pub(super) fn guards(&self) -> Guards {
        let default = GuardsDraft::default().complete(!self.ramp.is_empty());
        Guards {
            losses: self.losses.unwrap_or(default.losses),
            v2_errors: self.v2_errors.unwrap_or(default.v2_errors),
            v2_unreachable: self.v2_unreachable.unwrap_or(default.v2_unreachable),
            switchback: self.switchback.unwrap_or(default.switchback),
        }
    }

    /// The guards of the agent.
    pub(super) fn process(&self) -> process::Limits {
        let default = AgentGuardsDraft::default().complete(Path::new("/")).limits;
        process::Limits {
            cpu_ppm: self.cpu.unwrap_or(default.cpu_ppm),
            memory: self.memory.unwrap_or(default.memory),
            unscraped: self.unscraped.unwrap_or(default.unscraped),
        }
    }

    /// The steps of the ramp; none without one.
    pub(super) fn steps(&self) -> Vec<Step> {
        let step =
            |line: &StepLine| Step { share_ppm: line.share.ppm(), lasts: line.r#for, blocks: line.blocks };
        self.ramp.iter().map(step).collect()
    }
}

/// A value as the config reads it.
fn said<'de, T, D: Deserializer<'de>>(from: D, read: fn(&str) -> Result<T, String>) -> Result<T, D::Error> {
    read(&String::deserialize(from)?).map_err(serde::de::Error::custom)
}

fn objective<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Share>, D::Error> {
    said(from, values::objective).map(Some)
}

fn part<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Share>, D::Error> {
    said(from, values::part).map(Some)
}

fn must_be_part<'de, D: Deserializer<'de>>(from: D) -> Result<Share, D::Error> {
    said(from, values::part)
}

fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    said(from, values::duration).map(Some)
}

fn must_be_duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    said(from, values::duration)
}

fn period<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    said(from, values::period).map(Some)
}

fn part_or_off<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Share>>, D::Error> {
    said(from, values::part_or_off).map(Some)
}

fn duration_or_off<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Duration>>, D::Error> {
    said(from, values::duration_or_off).map(Some)
}

fn processors_or_off<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<u64>>, D::Error> {
    said(from, values::processors_or_off).map(Some)
}

fn bytes_or_off<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<u64>>, D::Error> {
    said(from, values::bytes_or_off).map(Some)
}
