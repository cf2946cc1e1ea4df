//! What is breached, and by how much.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The guards. Each is a reason of its own to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// v1 spends its error budget too fast.
    V1Burn,
    /// v1 does worse while it is mirrored than in the pauses between.
    V1Harm,
    /// The experiment has spent its part of v1's error budget.
    BudgetSpent,
    /// Too many clones are lost on their way.
    Losses,
    /// v2 fails where v1 does not.
    V2Errors,
    /// v2 accepts no connection.
    V2Unreachable,
    /// v2 was found to be worse, and a ramp is told to fall.
    V2Failed,
    /// v2 is not fenced in any more.
    FenceLost,
    /// The agent takes too much of the processors.
    Cpu,
    /// The agent takes too much memory.
    Memory,
    /// Somebody has put the kill file there.
    KillFile,
    /// Nobody has looked at the metrics for too long.
    Unscraped,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 12] = [
        Reason::V1Burn,
        Reason::V1Harm,
        Reason::BudgetSpent,
        Reason::Losses,
        Reason::V2Errors,
        Reason::V2Unreachable,
        Reason::V2Failed,
        Reason::FenceLost,
        Reason::Cpu,
        Reason::Memory,
        Reason::KillFile,
        Reason::Unscraped,
    ];

    /// As JSON, metrics and hooks spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::V1Burn => "v1_burn",
            Reason::V1Harm => "v1_harm",
            Reason::BudgetSpent => "budget_spent",
            Reason::Losses => "losses",
            Reason::V2Errors => "v2_errors",
            Reason::V2Unreachable => "v2_unreachable",
            Reason::V2Failed => "v2_failed",
            Reason::FenceLost => "fence_lost",
            Reason::Cpu => "cpu",
            Reason::Memory => "memory",
            Reason::KillFile => "kill_file",
            Reason::Unscraped => "unscraped",
        }
    }

    /// Whether it says that v2 is bad, and not only that the mirror had better stop.
    pub fn blames_v2(self) -> bool {
        matches!(self, Reason::V2Errors | Reason::V2Unreachable | Reason::V2Failed)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A guard that was breached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// Which.
    pub reason: Reason,
    /// In one line, with the figures.
    pub why: String,
}

impl Breach {
    /// A breach of `reason`, in words.
    pub fn new(reason: Reason, why: impl Into<String>) -> Breach {
        Breach { reason, why: why.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_spells_a_reason_as_everything_else_does() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }
}
