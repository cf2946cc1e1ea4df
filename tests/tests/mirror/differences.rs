//! v2 lies in known ways: each lie is found, named, and shown where the user looks.

use std::fs;

use mirror_tests::world::Host;
use serde_json::Value;

use crate::ledger::{assert_all_compared, assert_balanced, settle};
use crate::setup::{curl, mirror, services, url};

/// What users ask: of each kind one that v2 answers wrongly, and some that it answers well.
const PATHS: [&str; 6] = ["/users/3", "/price/3", "/static/1", "/flaky/4", "/flaky/5", "/none"];

/// Target, part, path, v1's value, v2's value.
const LIES: [[&str; 5]; 4] = [
    ["/flaky/5", "body", "body", "", ""],
    ["/flaky/5", "status", "status", "200", "500"],
    ["/price/3", "body", "body.total_cents", "309", "310"],
    ["/static/1", "missing", "header.cache-control", "max-age=3600", ""],
];

/// The differences of these exchanges as rows of [`LIES`]; text is compared by line and is left out here.
fn rows(exchanges: &[Value]) -> Vec<[String; 5]> {
    let row = |target: &Value, difference: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let value =
            |of: &str| if difference["path"] == "body" { String::new() } else { text(&difference[of]) };
        [text(target), text(&difference["part"]), text(&difference["path"]), value("v1"), value("v2")]
    };
    let of = |exchange: &Value| -> Vec<[String; 5]> {
        exchange["differences"].as_array().unwrap().iter().map(|one| row(&exchange["target"], one)).collect()
    };
    let mut rows: Vec<_> = exchanges.iter().flat_map(of).collect();
    rows.sort();
    rows
}

#[test]
fn each_lie_is_told_by_the_api_and_in_the_file() {
    let (world, _v1, _v2) = services();
    let file = world.directory().join("differences.ndjson");
    let agent = mirror(&world, &["--share", "100%", "--differences", &file.to_string_lossy()]);
    for path in PATHS {
        curl(&world, &[&url(Host::V1, path)]);
    }
    settle(&agent, PATHS.len());
    let told = agent.get("/v1/differences").unwrap();
    let status = agent.stop().unwrap();

    assert_eq!(rows(told["differences"].as_array().unwrap()), LIES);
    let lines = fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows(&lines), LIES);
    let totals = &status["services"][0]["differences"];
    assert_eq!(totals, &serde_json::json!({ "status": 1, "header": 0, "body": 2, "missing": 1 }));
    assert_all_compared(&status, PATHS.len());
    assert_balanced(&status);
}
