//! Requests that are none, or too much.

use super::*;
use proptest::prelude::*;

fn change(at: &str, value: Value) -> Value {
    let mut request = request(
        vec![metric("m", json!({"direction": "increase"}))],
        vec![pair("m", vec![1.0; 10], vec![1.0; 10])],
    );
    *request.pointer_mut(at).unwrap() = value;
    request
}

#[test]
fn each_mistake_is_told_in_a_line() {
    let canary = "/canaryConfig/metrics/0/analysisConfigurations/canary";
    for (at, value, why) in [
        ("", json!([]), "read Kayenta's request"),
        ("", json!({}), "canaryConfig"),
        ("/scoreThresholds", json!(null), "Thresholds"),
        ("/scoreThresholds/pass", json!("NaN"), "f64"),
        ("/metricSetPairList", json!({}), "sequence"),
        ("/metricSetPairList/0/values/control", json!([1, "one"]), r#""one" is no number"#),
        ("/metricSetPairList/0/values/control", json!([[1]]), "a number, null"),
        ("/metricSetPairList/0/name", json!("other\nname"), r#"the config has no metric "other\nname""#),
        ("/metricSetPairList/0/scopes/control/stepMillis", json!(1000), "control is 1000 ms"),
        ("/canaryConfig/classifier/groupWeights", json!({"a": 60, "b": 60}), "add up to 120"),
        ("/canaryConfig/classifier/groupWeights", json!({"a": -1, "b": 60}), "shares of 100"),
        (
            "/canaryConfig/judge/judgeConfigurations",
            json!({"inconclusive": "pass"}),
            "neither halt nor advance",
        ),
        (
            "/canaryConfig/judge/judgeConfigurations",
            json!({"inconclusive": true}),
            "neither halt nor advance",
        ),
        (canary, json!([]), "must be objects"),
        (canary, json!({"critical": "yes"}), r#""m": critical is neither true nor false"#),
        (canary, json!({"effectSize": 2}), "must be objects"),
        (canary, json!({"effectSize": {"allowedIncrease": "2"}}), "allowedIncrease is no number"),
        (canary, json!({"effectSize": {"allowedIncrease": -2}}), "allowedIncrease is no number"),
        ("/canaryConfig/metrics/0/groups", json!(vec!["g"; 65]), "over 64 groups"),
        ("/canaryConfig/metrics/0/groups", json!(["g".repeat(257)]), "over 256 bytes"),
    ] {
        let error = judged(&change(at, value.clone())).unwrap_err();
        assert!(error.contains(why) && !error.contains('\n') && error.len() < 300, "{at} {value}: {error}");
    }
}

#[test]
fn what_may_be_missing_may_be_null() {
    for at in [
        "/canaryConfig/judge",
        "/canaryConfig/judge/judgeConfigurations",
        "/canaryConfig/classifier",
        "/canaryConfig/classifier/groupWeights",
        "/canaryConfig/metrics/0/groups",
        "/canaryConfig/metrics/0/analysisConfigurations",
        "/canaryConfig/metrics/0/analysisConfigurations/canary",
        "/metricSetPairList/0/tags",
        "/metricSetPairList/0/id",
        "/metricSetPairList/0/values",
        "/metricSetPairList/0/values/control",
        "/metricSetPairList/0/scopes",
        "/metricSetPairList/0/scopes/control",
        "/metricSetPairList/0/attributes",
    ] {
        judged(&change(at, Value::Null)).unwrap_or_else(|error| panic!("{at}: {error}"));
    }
    let least =
        r#"{"canaryConfig": {}, "scoreThresholds": {"pass": 1, "marginal": 0}, "metricSetPairList": []}"#;
    assert_eq!(judge(least.as_bytes(), log_evidence).unwrap().score.classification, "Marginal");
}

#[test]
fn there_is_a_cap_on_everything() {
    let flat = |n: usize| vec![1.0; n];
    let long = change("/metricSetPairList/0/values/control", json!(flat(POINTS_MAX + 1)));
    assert!(judged(&long).unwrap_err().contains("more than 10080 points"));
    let many: Vec<_> = (0..=PAIRS_MAX).map(|_| pair("m", flat(1), flat(1))).collect();
    assert!(
        judged(&change("/metricSetPairList", json!(many))).unwrap_err().contains("more than 256 metrics")
    );
    let much: Vec<_> = (0..27).map(|_| pair("m", flat(5000), flat(5000))).collect();
    assert!(
        judged(&change("/metricSetPairList", json!(much))).unwrap_err().contains("more than 262144 points")
    );
    assert!(judge(&vec![b' '; BODY_MAX + 1], log_evidence).unwrap_err().contains("bytes, over"));
    let configured: Vec<_> = (0..=PAIRS_MAX).map(|_| metric("m", json!({}))).collect();
    assert!(judged(&change("/canaryConfig/metrics", json!(configured))).unwrap_err().contains("256 metrics"));
    let deep = "[".repeat(100_000);
    assert!(judge(deep.as_bytes(), log_evidence).unwrap_err().contains("read Kayenta's request"));
    let quoted = judged(&change("/scoreThresholds/pass", json!("x".repeat(1_000_000)))).unwrap_err();
    assert!(quoted.len() <= 320, "{}", quoted.len());
}

/// The cap on points is what keeps the time bounded; the stand-in is free, so this is what is ours.
#[test]
fn the_most_that_is_taken_is_judged() {
    let series = vec![1.0; POINTS_MAX];
    let pairs: Vec<_> = (0..13).map(|_| pair("m", series.clone(), series.clone())).collect();
    let free: LogEvidence = |a, b| a as f64 - b as f64;
    let result = judge(change("/metricSetPairList", json!(pairs)).to_string().as_bytes(), free).unwrap();
    assert_eq!((result.results.len(), result.score.classification), (13, "Pass"));
}

#[test]
fn numbers_at_the_end_of_all_numbers_give_numbers() {
    let huge: Vec<f64> = (0..40).map(|i| if i % 2 == 0 { f64::MAX } else { f64::MIN }).collect();
    let most = vec![f64::MAX; 40];
    let tiny = vec![f64::MIN_POSITIVE / 4.0; 40];
    for (control, experiment) in
        [(&most, &most), (&tiny, &most), (&huge, &huge), (&huge, &tiny), (&tiny, &huge), (&tiny, &tiny)]
    {
        let canary = json!({"effectSize": {"allowedIncrease": 1e300, "allowedDecrease": 0}});
        let answer = serde_json::to_string(&one(canary, control.clone(), experiment.clone())).unwrap();
        assert!(!answer.contains("null"), "{answer}");
    }
    // Evidence beyond all numbers.
    let result = one(json!({"direction": "increase"}), vec![1.0; 1200], vec![2.0; 1200]);
    let evidence = result.result_metadata.evidence[0].evidence;
    assert!(evidence > 1e300 && evidence.is_finite(), "{evidence}");
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop_oneof![Just("NaN"), Just("replace"), Just("increase"), Just("m"), Just("é\u{0}")]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let key = prop_oneof![Just("canary"), Just("effectSize"), Just("control"), Just("m"), Just("values")];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..4).prop_map(|all| all
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<Value>()),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_anywhere_is_judged_or_refused(
        at in proptest::sample::select(vec![
            "", "/canaryConfig", "/canaryConfig/judge", "/canaryConfig/metrics", "/canaryConfig/metrics/0",
            "/canaryConfig/metrics/0/analysisConfigurations", "/canaryConfig/metrics/0/analysisConfigurations/canary",
            "/canaryConfig/classifier/groupWeights", "/scoreThresholds/pass", "/metricSetPairList",
            "/metricSetPairList/0", "/metricSetPairList/0/values", "/metricSetPairList/0/values/experiment",
        ]),
        value in value(),
    ) {
        match judged(&change(at, value)) {
            Ok(result) => {
                prop_assert!((0.0..=100.0).contains(&result.score.score));
                prop_assert!(!serde_json::to_string(&result).unwrap().contains("null"));
            }
            Err(error) => prop_assert!(!error.contains('\n') && error.len() < 400, "{}", error),
        }
    }

    #[test]
    fn any_bytes_are_refused(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(judge(&body, log_evidence).is_err());
    }

    /// What no series measured passes nothing.
    #[test]
    fn without_a_number_there_is_no_pass(n in 0_usize..50, m in 0_usize..50, replace in any::<bool>()) {
        let strategy = if replace { "replace" } else { "remove" };
        let canary = json!({"direction": "increase", "nanStrategy": strategy});
        let nan = |n| Value::from(vec!["NaN"; n]);
        let metrics = vec![metric("m", canary)];
        let result = judged(&request(metrics, vec![pair("m", nan(n), nan(m))])).unwrap();
        prop_assert_eq!(result.score.classification, "Fail");
    }
}
