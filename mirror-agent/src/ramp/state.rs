//! Where a ramp is, as it is kept over a restart.

use serde::{Deserialize, Serialize};

/// Where a ramp is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Before its first step: nothing is mirrored.
    Waiting,
    /// At this step, counted from 0.
    Step(usize),
    /// v2 was found worse: nothing is mirrored until somebody says so.
    Fallen,
}
