//! A time, a random id and a shuffled array fall silent; a renamed field, a wrong total and an error now and then do not.

use std::fs;
use std::time::{Duration, Instant};

use mirror_tests::service::{Service, Version};
use mirror_tests::world::{Host, World};
use serde_json::Value;

use crate::scene::{agent, claim, finding, users, verdict, verdict_when};

/// What every answer makes up anew.
const NOISE: [&str; 3] = ["body.at_ns", "body.trace", "body.lines"];
/// What v2 changed.
const CHANGED: [&str; 3] = ["body.total_cents", "body.customer", "body.client"];
/// Within this the noise must be silent, at 50 requests a second.
const SILENT: Duration = Duration::from_secs(30);

#[test]
fn noise_falls_silent_and_changes_are_named() {
    let world = World::new().unwrap();
    let _v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
    let _v2 = Service::start(&world, Host::V2, Version::V2).unwrap();
    let file = world.directory().join("differences.ndjson");
    let more = ["--share", "100%", "--second-answers", "v1", "--differences", &file.to_string_lossy()];
    let agent = agent(&world, &more);
    let _users = users(&world, Host::V1, 50.0, "/order/{n}");
    let all =
        |said: &Value, fields: &[&str], is: &str| fields.iter().all(|field| finding(said, field) == Some(is));
    let (said, took) = verdict_when(&agent, "the noise to fall silent", |said| all(said, &NOISE, "noise"));
    assert!(took < SILENT, "{took:?}: {said:#}");
    let silent_from = Instant::now();
    let named = |said: &Value| all(said, &CHANGED, "differs") && claim(said, "errors")["finding"] == "worse";
    let (said, more) = verdict_when(&agent, "the changes to be named", named);
    eprintln!("silent after {took:?}, named {more:?} later");
    assert_eq!(said["verdict"], "fail");
    assert!(NOISE.iter().all(|field| finding(&said, field) == Some("noise")), "{said:#}");
    let reasons = said["reasons"].to_string();
    assert!(
        reasons.contains("errors: v2 failed") && reasons.contains("differences: v2 differs more"),
        "{reasons}"
    );

    // Nothing of the noise is among the newest differences, and all that is hidden is counted.
    let newest = agent.get("/v1/differences").unwrap();
    let newest = newest["differences"].as_array().unwrap();
    let recent = newest.iter().skip(newest.len().saturating_sub(20));
    let paths: Vec<&str> = recent
        .flat_map(|one| one["differences"].as_array().unwrap())
        .map(|one| one["path"].as_str().unwrap())
        .collect();
    assert!(silent_from.elapsed() > Duration::from_secs(1) && !paths.is_empty());
    assert!(NOISE.iter().all(|noise| !paths.contains(noise)), "{paths:?}");
    assert!(CHANGED.iter().all(|changed| paths.contains(changed)), "{paths:?}");
    let status = agent.stop().unwrap();
    let service = &status["services"][0];
    assert!(service["hidden_differences"]["noise"].as_u64().unwrap() > 50, "{service:#}");
    assert_eq!(service["ledger_imbalance"]["requests"], 0);
    let lines = fs::read_to_string(&file).unwrap();
    assert!(lines.lines().last().unwrap().contains("body.total_cents"));
}

/// Without being told to, v1 is never asked: v2 is, and then a time that each answer makes up is silent too.
#[test]
fn by_default_v2_is_asked_again_and_v1_never() {
    let world = World::new().unwrap();
    let v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
    let _v2 = Service::start(&world, Host::V2, Version::V2).unwrap();
    let agent = agent(&world, &["--share", "100%", "--second-share", "50%"]);
    let _users = users(&world, Host::V1, 50.0, "/order/{n}");
    verdict_when(&agent, "noise", |said| NOISE.iter().all(|field| finding(said, field) == Some("noise")));
    verdict_when(&agent, "a wrong total", |said| finding(said, "body.total_cents") == Some("differs"));
    let latency = claim(&verdict(&agent), "latency").clone();
    assert_eq!(latency["finding"], "unjudged");
    assert!(v1.log().unwrap().iter().all(|entry| !entry.shadow));
    agent.stop().unwrap();
}
