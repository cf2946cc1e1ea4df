//! What the status says of probes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::probe::{Answer, Ended, Spec, Tally};
use crate::service::{V1, V2, VERSIONS};

/// One probe of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// Its name.
    pub name: String,
    /// How often it is sent, in seconds.
    pub every_s: f64,
    /// What each version made of it: `v1`, `v2`.
    pub versions: BTreeMap<String, Version>,
}

/// What one version made of a probe.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// How often it ended how; what never happened is left out.
    pub results: BTreeMap<String, u64>,
    /// The last run, which is the same for both versions; absent before the first.
    pub last: Option<Last>,
}

/// How the last run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Last {
    /// How.
    pub result: Ended,
    /// The status; absent without a whole answer.
    pub status: Option<u16>,
    /// How long each phase took, in seconds: `connect`, `processing`, `transfer`. What was not reached is left out.
    pub duration_s: BTreeMap<String, f64>,
}

impl Probe {
    /// A probe and its runs.
    pub fn new(probe: &Spec, tally: &Tally) -> Probe {
        let version = |version: u8| Version {
            results: Ended::ALL
                .iter()
                .zip(tally.counts(version))
                .filter(|(_, count)| *count > 0)
                .map(|(ended, count)| (ended.as_str().into(), count))
                .collect(),
            last: tally.last(version).map(Last::from),
        };
        let versions = VERSIONS.into_iter().zip([V1, V2]);
        Probe {
            name: probe.name.clone(),
            every_s: probe.every.as_secs_f64(),
            versions: versions.map(|(name, index)| (name.into(), version(index))).collect(),
        }
    }

    /// Whether the last run was a success at a version; `None` before the first.
    pub fn is_good(&self, version: &str) -> Option<bool> {
        let last = self.versions.get(version)?.last.as_ref()?;
        Some(last.result == Ended::Success)
    }
}

impl From<Answer> for Last {
    fn from(answer: Answer) -> Last {
        let measured = answer.phases.by_name().into_iter();
        let measured = measured.filter_map(|(name, took)| Some((name.to_owned(), took?.as_secs_f64())));
        Last { result: answer.ended, status: answer.status, duration_s: measured.collect() }
    }
}
