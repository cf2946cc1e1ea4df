//! A version that turns bad.

use anyhow::Result;

use super::exercise::Outcome;
use super::stage::Stage;

/// From the first bad answer to the abort.
pub(super) fn v1_burns() -> Result<Outcome> {
    let stage = Stage::new("share: 100%\nslo: {objective: 99.9%}", (100.0, 8))?;
    stage.compared(200)?;
    stage.v1.set_sick(true)?;
    let measured = stage.aborted("v1_burn")?;
    let latency = stage.abort_latency()? * 1e3;
    Ok(Outcome { measured, seen: format!("{latency:.1} ms from evidence to last clone") })
}

/// The same, of v2.
pub(super) fn v2_turns_bad() -> Result<Outcome> {
    let stage = Stage::new("share: 100%", (100.0, 8))?;
    stage.compared(200)?;
    stage.v2.set_sick(true)?;
    let measured = stage.aborted("v2_errors")?;
    let verdict = stage.service()?["verdict"]["verdict"].as_str().unwrap_or_default().to_uppercase();
    Ok(Outcome { measured, seen: format!("verdict {verdict}") })
}
