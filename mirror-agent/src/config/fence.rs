//! The fence of a service: which cgroup is kept in, and where its calls may go.

mod draft;
mod whole;

use std::path::PathBuf;

pub use draft::{DestinationDraft, FenceDraft};

use super::draft::ServiceDraft;
use super::errors::Errors;
use super::prefix::{Ports, Prefix};

/// Where v2 may call, and what is done about other calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The cgroup of v2: absolute, or relative to where cgroup v2 is mounted.
    pub cgroup: PathBuf,
    /// What is done about calls that the list does not cover.
    pub mode: FenceMode,
    /// The cgroup of v1, whose calls are counted by the same list, and never denied.
    pub v1_cgroup: Option<PathBuf>,
    /// Where v2 may call, with distinct names, at most 64. Of several that cover a call, the first counts it.
    pub allow: Vec<Destination>,
}

/// What a fence does about calls that its list does not cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FenceMode {
    /// They fail with `EPERM`.
    #[default]
    Deny,
    /// They pass, and are counted as those that would have been denied.
    Report,
}

/// A place that v2 may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// 1 to 32 of `a-z0-9_-`; a metric label. Never `other`.
    pub name: String,
    /// Its addresses. At least one prefix.
    pub to: Vec<Prefix>,
    /// Its ports: rising ranges that do not touch. Never empty.
    pub ports: Vec<Ports>,
}

impl FenceMode {
    /// Its name in the config.
    pub fn as_str(self) -> &'static str {
        match self {
            FenceMode::Deny => "deny",
            FenceMode::Report => "report",
        }
    }
}

/// Names every cgroup that is fenced twice, or that is v1's somewhere and fenced elsewhere: v1 is never denied anything.
pub fn check(services: &[ServiceDraft], errors: &mut Errors) {
    let fences = || services.iter().filter_map(|service| service.fence.as_ref());
    let fenced: Vec<_> = fences().filter_map(|fence| fence.cgroup.as_ref()).collect();
    for (index, said) in fenced.iter().enumerate() {
        if let Some(first) = fenced.iter().take(index).find(|other| other.value == said.value) {
            let what = format!("{} is fenced already, at {}", said.value.display(), first.at);
            errors.add_to(&said.at, "cgroup", &what);
        }
    }
    for v1 in fences().filter_map(|fence| fence.v1_cgroup.as_ref()) {
        if let Some(first) = fenced.iter().find(|fenced| v1.value.starts_with(&fenced.value)) {
            let what =
                format!("{} is fenced, at {}: v1's calls must never be denied", v1.value.display(), first.at);
            errors.add_to(&v1.at, "v1_cgroup", &what);
        }
    }
}

#[cfg(test)]
mod tests;
