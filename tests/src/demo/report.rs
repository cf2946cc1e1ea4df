//! What a run gave, and its JSON.

use serde_json::{Value, json};

use super::blocks::Blocks;
use super::differences::Differences;
use crate::load::Slice;

/// Everything that the summary tells.
pub(super) struct Report {
    /// The agent's final status.
    pub(super) status: Value,
    /// Which differences it found where.
    pub(super) differences: Differences,
    /// What v1's users saw.
    pub(super) slices: Vec<Slice>,
    /// When the mirror was on and off.
    pub(super) blocks: Blocks,
}

impl Report {
    /// The object for `--json`.
    pub(super) fn json(&self) -> Value {
        json!({
            "status": self.status,
            "v1_p99_mirror_off_s": self.blocks.p99_s(&self.slices, false),
            "v1_p99_mirror_on_s": self.blocks.p99_s(&self.slices, true),
        })
    }

    /// A part of the one service's status.
    pub(super) fn at(&self, pointer: &str) -> &Value {
        self.status.pointer(&format!("/services/0{pointer}")).unwrap_or(&Value::Null)
    }
}

/// A counter, or the sum of an object of counters.
pub(super) fn count(value: &Value) -> u64 {
    match value {
        Value::Object(parts) => parts.values().map(count).sum(),
        other => other.as_u64().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_summed() {
        assert_eq!(count(&json!(3)), 3);
        assert_eq!(count(&json!({ "a": 1, "b": { "c": 2 } })), 3);
        assert_eq!(count(&Value::Null), 0);
    }
}
