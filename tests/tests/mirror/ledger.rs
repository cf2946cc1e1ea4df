//! Does every ledger balance? Computed here from the buckets, and compared with what the agent says of itself.

use std::time::Duration;

use mirror_tests::agent::Agent;
use mirror_tests::wait::until;
use serde_json::Value;

/// How long what was cloned may take to be read and replayed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Panics unless every ledger of a final status balances and nothing is in progress.
pub fn assert_balanced(status: &Value) {
    let intake = &status["agent"]["intake"];
    assert_eq!(sum(intake) - number(&intake["cloned"]), number(&intake["cloned"]), "{intake}");
    let services = status["services"].as_array().unwrap();
    assert!(!services.is_empty());
    for service in services {
        assert_eq!(service["state"], "stopped");
        for ledger in ["kernel", "intake", "requests"] {
            assert_eq!(service["ledger_imbalance"][ledger], 0, "{ledger}: {status:#}");
        }
        let (requests, packets) = (&service["requests"], &service["packets"]);
        assert_eq!(number(&requests["in_progress"]), 0, "{requests:#}");
        assert_eq!(sum(requests), 2 * number(&requests["seen"]), "{requests:#}");
        assert_eq!(sum(packets), 2 * number(&packets["matched"]), "{packets:#}");
        for turns in service["turns"].as_object().unwrap().values() {
            assert!(
                number(&turns["started"]) >= number(&turns["recorded"]) + sum(&turns["ambiguous"]),
                "{turns}"
            );
        }
    }
}

/// Panics unless each of `seen` requests of the first service was compared, and none ended in another way.
pub fn assert_all_compared(status: &Value, seen: usize) {
    let requests = &status["services"][0]["requests"];
    assert_eq!(number(&requests["seen"]), seen as u64, "{status:#}");
    assert_eq!(number(&requests["compared"]), seen as u64, "{status:#}");
}

/// The count at `pointer` of the first service; the sum, if there are several counts.
pub fn count(status: &Value, pointer: &str) -> u64 {
    sum(status["services"][0].pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {status:#}")))
}

/// Frames that were cloned and could not be read.
pub fn lost(status: &Value) -> u64 {
    let intake = &status["agent"]["intake"];
    number(&intake["link_dropped"]) + number(&intake["ring_dropped"])
}

/// Waits until `seen` requests of the first service were seen and nothing is in progress.
pub fn settle(agent: &Agent, seen: usize) -> Value {
    let look = || {
        let status = agent.status()?;
        let done =
            count(&status, "/requests/seen") >= seen as u64 && count(&status, "/requests/in_progress") == 0;
        Ok(done.then_some(status))
    };
    until(&format!("{seen} requests to be dealt with"), PATIENCE, look)
        .unwrap_or_else(|error| panic!("{error}: {:#}", agent.status().unwrap()))
}

/// All counts below a value.
fn sum(value: &Value) -> u64 {
    match value {
        Value::Object(counts) => counts.values().map(sum).sum(),
        _ => number(value),
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("not a count: {value}"))
}
