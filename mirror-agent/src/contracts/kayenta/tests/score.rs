//! Scores, by hand.

use super::*;
use crate::contracts::kayenta::result::Class::{self, High, Low, Nodata, NodataFailMetric, Pass};

/// A request of metrics that get the words asked for, each in its groups.
fn with(words: &[(Class, &[&str])], weights: Value) -> Value {
    let (mut metrics, mut pairs) = (Vec::new(), Vec::new());
    for (i, (class, groups)) in words.iter().enumerate() {
        let name = format!("m{i}");
        let (direction, value, n) = match class {
            Pass => ("increase", 1.0, 40),
            High => ("increase", 2.0, 40),
            Low => ("decrease", 0.5, 40),
            Nodata | NodataFailMetric => ("increase", 1.0, 0),
        };
        let must_have_data = *class == NodataFailMetric;
        let mut config = metric(&name, json!({"direction": direction, "mustHaveData": must_have_data}));
        config["groups"] = json!(groups);
        metrics.push(config);
        pairs.push(pair(&name, vec![1.0; n], vec![value; n]));
    }
    let mut request = request(metrics, pairs);
    request["canaryConfig"]["classifier"]["groupWeights"] = weights;
    request
}

fn scored(words: &[(Class, &[&str])], weights: Value) -> (f64, &'static str) {
    let result = judged(&with(words, weights)).unwrap();
    let got: Vec<_> = result.results.iter().map(|result| result.classification).collect();
    assert_eq!(got, words.iter().map(|word| word.0).collect::<Vec<_>>());
    (result.score.score, result.score.classification)
}

#[test]
fn a_group_is_the_share_of_what_passed() {
    let all = ["all"].as_slice();
    for (words, score, word) in [
        (vec![Pass], 100.0, "Pass"),
        (vec![Pass, Pass, Pass, High], 75.0, "Marginal"),
        (vec![Pass, Pass, High], 66.67, "Fail"),
        (vec![Pass, High, High], 33.33, "Fail"),
        (vec![Pass, Pass, Low, NodataFailMetric], 50.0, "Fail"),
        (vec![Pass, Pass, Nodata], 100.0, "Pass"),
        (vec![Pass, Nodata], 0.0, "Fail"),
        (vec![Nodata], 0.0, "Fail"),
        (vec![High], 0.0, "Fail"),
        (vec![], 0.0, "Fail"),
    ] {
        let with_groups: Vec<_> = words.iter().map(|class| (*class, all)).collect();
        assert_eq!(scored(&with_groups, json!({})), (score, word), "{words:?}");
    }
}

#[test]
fn groups_have_weights_and_those_without_share_the_rest() {
    let (a, b, c) = (["a"].as_slice(), ["b"].as_slice(), ["c"].as_slice());
    let words = [(Pass, a), (High, b), (Pass, c)];
    for (weights, score) in [
        (json!({}), 66.67),
        (json!(null), 66.67),
        (json!({"a": 60.0}), 80.0),
        (json!({"a": 60, "b": 40}), 60.0),
        (json!({"a": 10, "b": 20, "c": 70}), 80.0),
        (json!({"b": 50, "not there": 50}), 0.0),
        (json!({"a": 40.0, "b": 20.0}), 80.0),
    ] {
        assert_eq!(scored(&words, weights.clone()).0, score, "{weights}");
    }
    let both = ["a", "b"].as_slice();
    assert_eq!(
        scored(&[(Pass, a), (High, both)], json!({"a": 50, "b": 50})).0,
        25.0,
        "a metric may be in two"
    );
    assert_eq!(scored(&[(Pass, &[])], json!({"a": 100})).0, 0.0, "or in none, and is then not heard");
}

#[test]
fn a_group_of_which_nothing_is_known_is_no_pass() {
    let (a, b) = (["a"].as_slice(), ["b"].as_slice());
    let mut request = with(&[(Pass, a), (Pass, a), (Nodata, b)], json!({"a": 30, "b": 70}));
    let result = judged(&request).unwrap();
    assert_eq!((result.score.score, result.score.classification), (30.0, "Fail"));
    assert_eq!(result.group_scores[1].classification_reason, "no metric of it could be told");
    // As Kayenta's own judge has it, if that is asked for.
    request["canaryConfig"]["judge"]["judgeConfigurations"]["inconclusive"] = "advance".into();
    assert_eq!(judged(&request).unwrap().score.score, 100.0);
}

#[test]
fn half_of_the_metrics_without_data_is_too_many() {
    let all = ["all"].as_slice();
    let result = judged(&with(&[(Pass, all), (Nodata, all)], json!({}))).unwrap();
    assert_eq!(result.score.score, 0.0);
    assert_eq!(result.score.classification_reason, "1 of 2 metrics are Nodata, from 50 % on that fails");
    assert_eq!(result.group_scores[0].score, 100.0, "the groups keep their scores");
}

#[test]
fn one_critical_metric_is_all_it_takes() {
    let all = ["all"].as_slice();
    let mut request = with(&[(Pass, all), (Pass, all), (Pass, all), (High, all)], json!({}));
    request["canaryConfig"]["metrics"][3]["analysisConfigurations"]["canary"]["critical"] = true.into();
    let result = judged(&request).unwrap();
    assert_eq!((result.score.score, result.score.classification), (0.0, "Fail"));
    assert!(result.score.classification_reason.starts_with("a critical metric failed: m3: above"));
    assert_eq!(result.group_scores[0].score, 75.0);
}

#[test]
fn a_muted_metric_is_told_and_not_heard() {
    let all = ["all"].as_slice();
    let mut request = with(&[(Pass, all), (High, all)], json!({}));
    let canary = &mut request["canaryConfig"]["metrics"][1]["analysisConfigurations"]["canary"];
    (canary["muted"], canary["critical"]) = (true.into(), true.into());
    let result = judged(&request).unwrap();
    assert_eq!((result.score.score, result.score.classification), (100.0, "Pass"));
    assert_eq!((result.results[1].classification, result.results[1].muted), (High, true));
}

#[test]
fn a_muted_metric_asks_for_no_more_evidence_of_the_others() {
    let config = |muted: bool| json!({"direction": "increase", "muted": muted});
    let metrics = vec![metric("m", config(false)), metric("muted", config(true))];
    let pairs = vec![pair("m", vec![1.0; 9], vec![2.0; 9]), pair("muted", vec![1.0; 9], vec![2.0; 9])];
    assert_eq!(judged(&request(metrics, pairs)).unwrap().results[0].classification, High);
}

#[test]
fn thresholds_are_reached_by_what_equals_them() {
    let all = ["all"].as_slice();
    for (pass, marginal, word) in [(75.0, 50.0, "Pass"), (75.01, 75.0, "Marginal"), (90.0, 75.01, "Fail")] {
        let mut request = with(&[(Pass, all), (Pass, all), (Pass, all), (High, all)], json!({}));
        request["scoreThresholds"] = json!({"pass": pass, "marginal": marginal});
        assert_eq!(judged(&request).unwrap().score.classification, word, "{pass} {marginal}");
    }
}

#[test]
fn a_score_is_rounded_half_up_in_decimals() {
    let (a, b) = (["a"].as_slice(), ["b"].as_slice());
    // 1.005 is just below in binary, and Kayenta rounds the decimal text.
    let score = scored(&[(Pass, a), (High, b)], json!({"a": 1.005, "b": 98.995})).0;
    assert_eq!(score, 1.01);
}
