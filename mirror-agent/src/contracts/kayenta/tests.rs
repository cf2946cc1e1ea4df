//! Requests in Kayenta's shape, of our own making, and tables of scores made by hand.

mod hostile;
mod score;
mod words;

use serde_json::{Value, json};

use super::*;

/// An oracle for the evidence at one half, by whole binomials:
/// `E = Σ C(n+1, i) for i ≤ a / ((n+1) C(n, a))`, with `n = a + b`.
pub fn log_evidence(a: u64, b: u64) -> f64 {
    let n = a + b;
    let ln_choose = |n: u64, k: u64| (0..k).map(|i| ((n - i) as f64 / (i + 1) as f64).ln()).sum::<f64>();
    // Term by term from the largest below, so that nothing overflows.
    let mut term = 1.0;
    let mut sum = 1.0;
    for i in (1..=a).rev() {
        term *= i as f64 / (n + 2 - i) as f64;
        sum += term;
    }
    ln_choose(n + 1, a) + f64::ln(sum) - ((n + 1) as f64).ln() - ln_choose(n, a)
}

/// A metric of a config, in the group `all` if it names none.
pub fn metric(name: &str, canary: Value) -> Value {
    json!({"name": name, "groups": ["all"], "scopeName": "default", "query": {"type": "prometheus"},
        "analysisConfigurations": {"canary": canary}})
}

/// Its pair of series.
pub fn pair(name: &str, control: impl Into<Value>, experiment: impl Into<Value>) -> Value {
    let scope = json!({
        "startTimeIso": "2026-01-01T00:00:00Z", "startTimeMillis": 1_767_225_600_000_u64, "stepMillis": 60_000,
    });
    json!({"name": name, "id": format!("id of {name}"), "tags": {"zone": "a"},
        "values": {"control": control.into(), "experiment": experiment.into()},
        "scopes": {"control": scope, "experiment": scope},
        "attributes": {"control": {"query": "…"}, "experiment": {"query": "…"}}})
}

/// A request of these.
pub fn request(metrics: Vec<Value>, pairs: Vec<Value>) -> Value {
    json!({
        "canaryConfig": {
            "name": "checkout", "configVersion": "1", "applications": ["checkout"], "templates": {},
            "judge": {"name": REMOTE_JUDGE, "judgeConfigurations": {}},
            "metrics": metrics,
            "classifier": {"groupWeights": {}},
        },
        "scoreThresholds": {"pass": 95.0, "marginal": 75.0},
        "metricSetPairList": pairs,
    })
}

/// The answer to it.
pub fn judged(request: &Value) -> Result<JudgeResult, String> {
    judge(request.to_string().as_bytes(), log_evidence)
}

/// What is said of one metric.
pub fn one(canary: Value, control: impl Into<Value>, experiment: impl Into<Value>) -> MetricResult {
    let request = request(vec![metric("m", canary)], vec![pair("m", control, experiment)]);
    judged(&request).unwrap().results.remove(0)
}

#[test]
fn the_oracle_agrees_with_evidence_that_is_known() {
    for (worse, better, evidence) in [(0, 0, 1.0), (1, 0, 1.5), (9, 0, 102.3), (7, 0, 31.875), (0, 1, 0.5)] {
        let got = log_evidence(worse, better).exp();
        assert!((got - evidence).abs() < 1e-9, "{worse}:{better} {got}");
    }
}

#[test]
fn the_answer_has_the_shape_that_kayenta_reads() {
    let slow: Vec<f64> = (0..20).map(|i| 120.0 + f64::from(i)).collect();
    let fast: Vec<f64> = (0..20).map(|i| 100.0 + f64::from(i)).collect();
    let request =
        request(vec![metric("latency", json!({"direction": "increase"}))], vec![pair("latency", fast, slow)]);
    let answer = serde_json::to_value(judged(&request).unwrap()).unwrap();
    let evidence = answer["results"][0]["resultMetadata"]["evidence"][0]["evidence"].as_f64().unwrap();
    let reason = answer["results"][0]["classificationReason"].as_str().unwrap().to_owned();
    // All of 20 votes: (2^21 - 1) / 21.
    assert!((evidence - 99_864.333).abs() < 0.001, "{evidence}");
    assert_eq!(
        reason,
        "latency: above what is allowed in 20 of 20 points, evidence 9.986e4 where 100 is enough"
    );
    let std = 35.0_f64.sqrt(); // of any 20 whole numbers in a row
    let expected = json!({
        "judgeName": "mirror-agent",
        "results": [{
            "name": "latency", "id": "id of latency", "tags": {"zone": "a"}, "groups": ["all"],
            "classification": "High", "classificationReason": reason, "critical": false, "muted": false,
            "experimentMetadata": {"stats": {"min": 120.0, "max": 139.0, "mean": 129.5, "std": std, "count": 20}},
            "controlMetadata": {"stats": {"min": 100.0, "max": 119.0, "mean": 109.5, "std": std, "count": 20}},
        }],
        "groupScores": [{"name": "all", "score": 0.0, "classification": "", "classificationReason": ""}],
        "score": {"score": 0.0, "classification": "Fail", "classificationReason": ""},
    });
    near(&expected, &answer, "");
}

/// Whether `answer` says all that `expected` does.
fn near(expected: &Value, answer: &Value, path: &str) {
    match (expected, answer) {
        (Value::Object(expected), Value::Object(_)) => {
            expected.iter().for_each(|(key, value)| near(value, &answer[key], &format!("{path}.{key}")));
        }
        (Value::Array(expected), Value::Array(got)) => {
            assert_eq!(expected.len(), got.len(), "{path}");
            expected.iter().zip(got).for_each(|(expected, got)| near(expected, got, path));
        }
        (Value::Number(expected), Value::Number(got)) => {
            let (expected, got) = (expected.as_f64().unwrap(), got.as_f64().unwrap());
            assert!((expected - got).abs() < 1e-9, "{path}: {expected} {got}");
        }
        _ => assert_eq!(expected, answer, "{path}"),
    }
}
