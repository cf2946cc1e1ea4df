//! Faults on the way to v2, and v1 beside.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::exercise::Outcome;
use super::stage::Stage;

/// Bounds beyond which a busy machine by itself would end the experiment; what is judged is the ratio that it measured.
const EXPERIMENT: &str = "\
title: v2 is slow
hypothesis:
  v1_p99: {grows_at_most: 50%}
method:
- {fault: delay, latency: 100ms, jitter: 20ms, share: 50%, duration: 15s}
blast_radius: {share: 50%, max_active: 48}
abort_conditions: [{v1_errors: {above: 5%}}]
rollback: {wait: 15s}
baseline: 10s
";

/// v1's p99 during a delay of 100 ms for half of what v2 gets, as a ratio of what it was before.
pub(super) fn v1_stays_flat() -> Result<Outcome> {
    let stage = Stage::new("share: 100%", (150.0, 16))?;
    stage.compared(100)?;
    let file = stage.world.directory().join("experiment.yaml");
    std::fs::write(&file, EXPERIMENT)?;
    let text = stage.agent.command(&["chaos", "run", &file.to_string_lossy(), "--json"])?;
    let journal: Value = serde_json::from_str(&text).context("the journal")?;
    ensure!(journal["ending"] == "completed", "the experiment did not complete: {}", journal["why"]);
    let p99 = |phase: &str| {
        journal["steady"][phase]["v1"]["p99_s"].as_f64().with_context(|| format!("no p99 {phase}"))
    };
    // What this machine does by itself differs from one ten seconds to the next: the worse of them is what v1 is like.
    let (before, during, after) = (p99("before")?, p99("during")?, p99("after")?);
    let v2 = journal["steady"]["during"]["v2"]["p50_s"].as_f64().unwrap_or(0.0);
    let seen = format!(
        "v1's p99 {:.2} ms before, {:.2} during, {:.2} after; v2's median {:.0} ms during",
        before * 1e3,
        during * 1e3,
        after * 1e3,
        v2 * 1e3
    );
    Ok(Outcome { measured: during / before.max(after), seen })
}
