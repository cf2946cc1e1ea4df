//! A real Prometheus scrapes us, promtool has nothing to say, and over TCP nothing can be changed.

use std::fs;
use std::process::Command;

use mirror_tests::process::Process;
use mirror_tests::wait::until;
use mirror_tests::world::Host;
use serde_json::Value;

use crate::scene::{PATIENCE, Scene, balanced, figure, nobody_noticed, reach};

/// Where the agent listens; the node of a world has its own loopback.
const AGENT: &str = "127.0.0.1:9464";
const PROMETHEUS: &str = "127.0.0.1:9090";
/// Width of a bucket in the text format: two an octave.
const BUCKET: f64 = std::f64::consts::SQRT_2;

/// A Prometheus on the node, with everything it writes in the world's directory.
fn prometheus(scene: &Scene) -> Process {
    let directory = scene.world.directory();
    let (config, storage) = (directory.join("prometheus.yml"), directory.join("prometheus"));
    let text = format!(
        "global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}\n\
         scrape_configs: [{{job_name: mirror, static_configs: [{{targets: ['{AGENT}']}}]}}]\n"
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new("prometheus");
    command.arg(format!("--config.file={}", config.display()));
    command.arg(format!("--storage.tsdb.path={}", storage.display()));
    command.arg(format!("--web.listen-address={PROMETHEUS}"));
    scene.world.spawn(Host::Node, &mut command, Some("prometheus.log")).unwrap()
}

/// The value of a query with one result, once there is one.
fn query(scene: &Scene, query: &str) -> Option<f64> {
    let url = format!("http://{PROMETHEUS}/api/v1/query");
    let mut command = Command::new("curl");
    command.args(["-s", "--get", &url, "--data-urlencode", &format!("query={query}")]);
    let output = scene.world.output(Host::Node, &mut command).unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).ok()?;
    assert_ne!(answer["status"], "error", "{answer}");
    answer.pointer("/data/result/0/value/1")?.as_str()?.parse().ok()
}

/// Waits until a query has this value.
fn expect(scene: &Scene, text: &str, value: f64) {
    let look = || Ok(query(scene, text).filter(|seen| (seen - value).abs() < 1e-9));
    let seen = || format!("{text} is {:?} and not {value}", query(scene, text));
    until(text, PATIENCE, look).unwrap_or_else(|_| panic!("{}", seen()));
}

#[test]
fn scrapes_what_the_status_says() {
    let scene = Scene::new();
    let agent = scene.agent(&["--listen", AGENT]);
    let _prometheus = prometheus(&scene);
    let asked = nobody_noticed(scene.small_load(2));
    reach(&agent, "requests/seen", asked);
    let idle = || Ok(Some(agent.status()?).filter(is_idle));
    let status = until("the last replays and turns", PATIENCE, idle).unwrap();
    expect(&scene, "up", 1.0);
    let requests = |end: &str| format!(r#"sum(mirror_requests_total{{service="default",end="{end}"}})"#);
    expect(&scene, &requests("compared"), figure(&status, "requests/compared") as f64);
    expect(&scene, "mirror_requests_seen_total", figure(&status, "requests/seen") as f64);
    expect(
        &scene,
        "sum(mirror_requests_total) + sum(mirror_requests_in_progress)",
        figure(&status, "requests/seen") as f64,
    );
    expect(&scene, "sum(abs(mirror_ledger_imbalance))", 0.0);
    expect(&scene, "count(mirror_ledger_imbalance)", 3.0);
    expect(&scene, r#"mirror_state{state="mirroring"}"#, 1.0);
    // Without a last bucket that Prometheus knows as infinite, every quantile is NaN, and promtool is silent.
    let series = "count(mirror_request_duration_seconds_count) - count(mirror_request_duration_seconds_bucket{le=\"+Inf\"})";
    expect(&scene, series, 0.0);
    for version in ["v1", "v2"] {
        same_median(&scene, &status, version);
    }
    balanced(&agent.stop().unwrap());
}

/// Nothing will change any more: no request is on its way, and every turn has ended, as the last of a connection does
/// when the connection closes.
fn is_idle(status: &Value) -> bool {
    let has_settled = |version: &str| {
        let turns = &status["services"][0]["turns"][version];
        let ambiguous = turns["ambiguous"].as_object().into_iter().flatten();
        let ended = ambiguous.map(|(_, count)| count.as_u64().unwrap()).sum::<u64>();
        turns["started"].as_u64() == turns["recorded"].as_u64().map(|recorded| recorded + ended)
    };
    figure(status, "requests/in_progress") == 0 && has_settled("v1") && has_settled("v2")
}

/// The median by Prometheus, from our coarse buckets, is in the bucket of the median by the kernel's fine ones.
fn same_median(scene: &Scene, status: &Value, version: &str) {
    let latency = &status["services"][0]["latency"][version]["ttfb"];
    let of = |suffix: &str| {
        format!(r#"mirror_request_duration_seconds_{suffix}{{version="{version}",phase="ttfb"}}"#)
    };
    expect(scene, &format!("sum({})", of("count")), latency["count"].as_f64().unwrap());
    let median = query(scene, &format!("histogram_quantile(0.5, sum by (le) ({}))", of("bucket"))).unwrap();
    let ours = latency["p50_s"].as_f64().unwrap();
    assert!(median / ours < BUCKET && ours / median < BUCKET, "{version}: {median} s and {ours} s");
}

#[test]
fn promtool_is_silent() {
    let scene = Scene::new();
    let agent = scene.agent(&["--listen", AGENT]);
    let load = scene.small_load(2);
    reach(&agent, "requests/compared", 50);
    agent.command(&["kill"]).unwrap(); // for the metric that only a kill makes
    agent.command(&["status", "--cost"]).unwrap(); // for those that only a sample makes
    let metrics = format!("curl -sf http://{AGENT}/metrics");
    let said = scene.node(&format!("set -o pipefail; {metrics} | promtool check metrics 2>&1"));
    assert_eq!(said, "");
    let text = scene.node(&metrics);
    for family in ["mirror_kill_latency_seconds ", "process_cpu_seconds_total ", "mirror_program_runs_total{"]
    {
        assert!(text.contains(&format!("\n{family}")), "no {family} in {text}");
    }
    nobody_noticed(load);
}

#[test]
fn openmetrics_ends_with_its_mark() {
    let scene = Scene::new();
    let _agent = scene.agent(&["--listen", AGENT]);
    let ask = |accept: &str| scene.node(&format!("curl -sfi -H 'accept: {accept}' http://{AGENT}/metrics"));
    let openmetrics = ask("application/openmetrics-text;version=1.0.0");
    assert!(openmetrics.to_lowercase().contains("content-type: application/openmetrics-text; version=1.0.0"));
    assert!(openmetrics.ends_with("\n# EOF\n"));
    let text = ask("text/plain");
    assert!(text.to_lowercase().contains("content-type: text/plain; version=0.0.4"));
    assert!(!text.contains("# EOF"));
}

/// Whoever reaches the port can look, and cannot touch.
#[test]
fn tcp_only_reads() {
    let scene = Scene::new();
    let agent = scene.agent(&["--listen", AGENT]);
    let code = |arguments: &str| scene.node(&format!("curl -s -o /dev/null -w '%{{http_code}}' {arguments}"));
    for path in ["/metrics", "/healthz", "/readyz", "/v1/status", "/v1/differences"] {
        assert_eq!(code(&format!("http://{AGENT}{path}")), "200", "{path}");
        assert_eq!(code(&format!("-X POST http://{AGENT}{path}")), "405", "{path}");
    }
    for path in ["/v1/kill", "/v1/pause", "/v1/resume", "/v1/share?share=0%25"] {
        assert_eq!(code(&format!("-X POST http://{AGENT}{path}")), "404", "{path}");
    }
    assert_eq!(agent.status().unwrap()["services"][0]["state"], "mirroring");
}
