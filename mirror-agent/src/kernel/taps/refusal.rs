//! Why an interface is not tapped.

use std::fmt;
use std::time::{Duration, Instant};

use super::TAPPED_MAX;
use super::changes::Changes;
use crate::kernel::claim::Owner;
use crate::kernel::links::Framing;

/// An interface that was refused for a reason that may pass is tried again after this.
const AGAIN: Duration = Duration::from_secs(5);

/// Why an interface is not tapped.
#[derive(Debug)]
pub enum Refusal {
    /// Its packets cannot be read.
    Framing(Framing),
    /// Another agent has it.
    Taken(Owner),
    /// [`TAPPED_MAX`] interfaces are tapped already.
    Full,
    /// The kernel refused.
    Failed(anyhow::Error),
}

/// When a refused interface is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// What it is does not change.
    Never,
    /// From then on.
    At(Instant),
    /// When fewer are tapped.
    WithRoom,
}

impl Refusal {
    /// When to try again.
    pub fn again(&self) -> Again {
        match self {
            Refusal::Framing(_) => Again::Never,
            Refusal::Full => Again::WithRoom,
            Refusal::Taken(_) | Refusal::Failed(_) => Again::At(Instant::now() + AGAIN),
        }
    }

    /// Counts it.
    pub fn count(&self, changes: &mut Changes) {
        match self {
            Refusal::Framing(_) => changes.not_ethernet += 1,
            Refusal::Taken(_) => changes.taken += 1,
            Refusal::Full => changes.full += 1,
            Refusal::Failed(_) => changes.failed += 1,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Framing(framing) => write!(f, "its packets are {framing}, which the taps cannot read"),
            Refusal::Taken(owner) => write!(f, "it is tapped already by {owner}"),
            Refusal::Full => write!(f, "{TAPPED_MAX} interfaces are tapped, and that is the most"),
            Refusal::Failed(error) => write!(f, "{error:#}"),
        }
    }
}
