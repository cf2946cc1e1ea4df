//! The samples for operators, against what this code answers to; and the verdicts that the tests of each contract use.

use serde_json::Value;

use super::*;
use crate::judge::{Outcome, Verdict};

const ARGO: &str = include_str!("../../../deploy/argo-analysis-template.yaml");
const FLAGGER: &str = include_str!("../../../deploy/flagger-canary.yaml");
const KAYENTA: &str = include_str!("../../../deploy/kayenta-canary-config.json");
const AGENT: &str = "http://mirror-agent:9464";

/// A verdict of that word.
pub fn verdict(word: Outcome) -> Verdict {
    Verdict {
        service: "checkout".into(),
        verdict: word,
        reasons: vec!["errors: v2 did worse in 12 of 12 seconds".into(), "latency: open".into()],
        span_s: 300.0,
        blocks: 290,
        pairs: 14_000,
        alpha: 0.01,
        claims: Vec::new(),
        fields: Vec::new(),
        calibration: None,
        lost_ratio: 0.0,
    }
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

/// The one metric of the sample for Argo.
pub fn argo_metric() -> Value {
    yaml(ARGO)["spec"]["metrics"][0].clone()
}

#[test]
fn the_sample_for_argo_asks_where_the_verdict_is_and_with_both_conditions() {
    let (template, metric) = (yaml(ARGO), argo_metric());
    assert_eq!(
        (&template["kind"], &template["apiVersion"]),
        (&"AnalysisTemplate".into(), &"argoproj.io/v1alpha1".into())
    );
    let url = format!("{AGENT}{VERDICT}?{SERVICE}={{{{args.service}}}}&{WINDOW}={{{{args.window}}}}");
    assert_eq!(metric["provider"]["web"]["url"], url);
    assert_eq!(metric["successCondition"], argo::SUCCESS);
    assert_eq!(metric["failureCondition"], argo::FAILURE);
    let args: Vec<_> = template["spec"]["args"].as_array().unwrap().iter().map(|arg| &arg["name"]).collect();
    assert_eq!(args, [SERVICE, WINDOW]);
}

#[test]
fn the_sample_for_flagger_asks_the_hook_that_fits_the_type() {
    let canary = yaml(FLAGGER);
    assert_eq!((&canary["kind"], &canary["apiVersion"]), (&"Canary".into(), &"flagger.app/v1beta1".into()));
    let webhooks = canary["spec"]["analysis"]["webhooks"].as_array().unwrap();
    let hook = |kind: &str| match kind {
        "rollout" => flagger::Hook::Rollout,
        "rollback" => flagger::Hook::Rollback,
        _ => flagger::Hook::ConfirmRollout,
    };
    for webhook in webhooks {
        let hook = hook(webhook["type"].as_str().unwrap());
        assert_eq!(webhook["url"], format!("{AGENT}{}", hook.path()));
        let payload = serde_json::json!({ "name": "other", "metadata": webhook["metadata"] }).to_string();
        let payload = flagger::Payload::read(payload.as_bytes()).unwrap();
        assert_eq!((payload.service(), payload.window()), ("checkout", Some("5m")));
        payload.when_inconclusive(hook).unwrap();
    }
    let types: Vec<_> = webhooks.iter().map(|webhook| webhook["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["confirm-rollout", "confirm-traffic-increase", "rollout", "rollback"]);
}

#[test]
fn in_the_sample_for_flagger_what_is_not_known_gets_no_traffic() {
    let canary = yaml(FLAGGER);
    let webhooks = canary["spec"]["analysis"]["webhooks"].as_array().unwrap();
    let gate = webhooks.iter().find(|webhook| webhook["type"] == "confirm-traffic-increase").unwrap();
    let payload = serde_json::json!({ "name": "checkout", "metadata": gate["metadata"] }).to_string();
    let payload = flagger::Payload::read(payload.as_bytes()).unwrap();
    let hook = flagger::Hook::ConfirmRollout;
    let (status, _) =
        flagger::answer(hook, payload.when_inconclusive(hook).unwrap(), &verdict(Outcome::Inconclusive));
    assert_eq!(status, 403);
}

#[test]
fn the_sample_for_kayenta_names_the_remote_judge_and_is_a_config_that_we_read() {
    let config: Value = serde_json::from_str(KAYENTA).unwrap();
    assert_eq!(config["judge"]["name"], kayenta::REMOTE_JUDGE);
    assert!(config["description"].as_str().unwrap().contains(AGENT));
    assert_eq!(kayenta::PATH, "/judge", "Kayenta puts its baseUrl before it");
    let flat = vec![1.0; 30];
    let series =
        |name: &str| serde_json::json!({"name": name, "values": {"control": flat, "experiment": flat}});
    let request = serde_json::json!({
        "canaryConfig": config,
        "scoreThresholds": {"pass": 95.0, "marginal": 75.0},
        "metricSetPairList": [series("errors"), series("latency")],
    });
    let result = kayenta::judge(request.to_string().as_bytes(), kayenta::tests::log_evidence).unwrap();
    assert_eq!((result.score.score, result.score.classification), (100.0, "Pass"));
}

#[test]
fn what_inconclusive_means_is_one_of_two_words() {
    assert_eq!(WhenInconclusive::parse("halt"), Ok(WhenInconclusive::Halt));
    assert_eq!(WhenInconclusive::parse("advance"), Ok(WhenInconclusive::Advance));
    assert_eq!(WhenInconclusive::default(), WhenInconclusive::Halt);
    let error = WhenInconclusive::parse(&"Ad\nvance".repeat(1000)).unwrap_err();
    assert!(error.starts_with(r#"inconclusive: "Ad\nvance"#) && error.len() < 150, "{error}");
}
