//! What Argo Rollouts, Flagger and Kayenta would send, by curl over TCP.

use std::process::Command;

use mirror_tests::agent::Agent;
use mirror_tests::nginx::Nginx;
use mirror_tests::world::{Host, World};
use serde_json::{Value, json};

use crate::scene::{agent, users, verdict_when};

/// Status and body of a request from the node; with a body it is a POST.
fn ask(world: &World, target: &str, body: Option<&Value>) -> (u16, String) {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-w", "\n%{http_code}", &format!("http://127.0.0.1:9464{target}")]);
    if let Some(body) = body {
        curl.args(["--json", &body.to_string()]);
    }
    let output = world.output(Host::Node, &mut curl).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, code) = text.rsplit_once('\n').unwrap();
    (code.parse().unwrap(), body.to_owned())
}

/// As Flagger 1.x posts it.
fn hook(world: &World, name: &str, metadata: Value) -> (u16, String) {
    let payload = json!({
        "name": "default", "namespace": "shop", "phase": "Progressing", "checksum": "85d557f47b", "metadata": metadata,
    });
    ask(world, &format!("/flagger/{name}"), Some(&payload))
}

fn exit_code(agent: &Agent, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(mirror_tests::agent_binary().unwrap());
    let output = command.arg("verdict").args(more).arg("--control").arg(agent.control()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn each_controller_gets_its_answer() {
    let world = World::new().unwrap();
    let _v1 = Nginx::start(&world, Host::V1, 1_000_000).unwrap();
    let agent = agent(&world, &["--share", "100%"]);

    // Nothing is known: Argo is told so, Flagger is told no.
    let (code, body) = ask(&world, "/v1/verdict?service=default&window=5m", None);
    let said: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((code, &said["verdict"]), (200, &json!("inconclusive")));
    assert_eq!(hook(&world, "confirm-rollout", json!({})).0, 403);
    assert_eq!(hook(&world, "rollout", json!({ "inconclusive": "advance" })).0, 200);
    assert_eq!(hook(&world, "rollback", json!({})).0, 403);

    // v2 is there, and refuses every second request at its own door: it closes without an answer.
    let _v2 = world.spawn(Host::V2, Command::new("python3").args(["-c", DEAF]), Some("deaf.log")).unwrap();
    let _users = users(&world, Host::V1, 50.0, "/{n}");
    verdict_when(&agent, "a verdict", |said| said["verdict"] == "fail");
    let (code, body) = ask(&world, "/v1/verdict?service=default&window=5m", None);
    let said: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((code, &said["verdict"]), (200, &json!("fail")));
    for gate in ["confirm-rollout", "rollout"] {
        let (code, body) = hook(&world, gate, json!({ "service": "default", "inconclusive": "advance" }));
        assert!(
            code == 403 && body.starts_with("FAIL: ") && body.contains("v2 failed"),
            "{gate}: {code} {body}"
        );
    }
    assert_eq!(hook(&world, "rollback", json!({ "service": "default" })).0, 200);
    assert_eq!(exit_code(&agent, &["--wait", "10s"]).0, Some(99));

    // Bad questions: one line each, and never a yes.
    let (code, body) = ask(&world, "/v1/verdict?service=nobody", None);
    assert_eq!((code, body.as_str()), (400, r#"{"error":"no such service: nobody; there is: default"}"#));
    let too_long = "a window of 3600s is longer than the history, which goes back 1800s";
    let (code, body) = ask(&world, "/v1/verdict?window=1h", None);
    assert!(code == 400 && body.contains(too_long), "{code} {body}");
    assert_eq!(exit_code(&agent, &["--window", "1h"]), (Some(1), format!("mirror-agent: {too_long}\n")));
    let (code, said) = exit_code(&agent, &["--service", "nobody"]);
    assert_eq!(
        (code, said.as_str()),
        (Some(1), "mirror-agent: no such service: nobody; there is: default\n")
    );
    assert_eq!(hook(&world, "rollback", json!({ "service": "nobody" })).0, 400);
    assert_eq!(ask(&world, "/v1/verdict?window=yesterday", None).0, 400);
    let (code, body) = ask(&world, "/judge", Some(&json!({ "canaryConfig": 1 })));
    assert!(code == 400 && body.starts_with(r#"{"error":"#), "{code} {body}");

    // Kayenta asks about series of its own.
    let (code, body) = ask(&world, "/judge", Some(&kayenta()));
    let result: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(code, 200, "{body}");
    assert_eq!(result["score"]["classification"], "Fail", "{result:#}");
    assert_eq!(result["results"][0]["classification"], "High", "{result:#}");
    agent.stop().unwrap();
}

/// Accepts, reads, and closes.
const DEAF: &str = "\
import socket
door = socket.create_server(('', 8080), backlog=64)
while True:
    guest, _ = door.accept()
    guest.recv(4096)
    guest.close()
";

/// A metric that is half again as high in the canary, at each of 60 points.
fn kayenta() -> Value {
    let control: Vec<f64> = (0..60).map(|n| 100.0 + f64::from(n % 7)).collect();
    let experiment: Vec<f64> = control.iter().map(|value| value * 1.5).collect();
    let canary = json!({ "direction": "increase", "nanStrategy": "remove" });
    let metric =
        json!({ "name": "latency", "groups": ["Latency"], "analysisConfigurations": { "canary": canary } });
    json!({
        "canaryConfig": {
            "name": "checkout",
            "metrics": [metric],
            "classifier": { "groupWeights": { "Latency": 100 } },
        },
        "scoreThresholds": { "pass": 95, "marginal": 75 },
        "metricSetPairList": [{
            "name": "latency", "id": "1", "tags": {}, "scopes": {}, "attributes": {},
            "values": { "control": control, "experiment": experiment },
        }],
    })
}
