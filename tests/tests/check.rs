//! `mirror-agent check` says what is so: as root, with fewer capabilities, beside a running agent; and leaves nothing.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

use std::process::{Command, Output};

use mirror_tests::agent::Agent;
use mirror_tests::agent_binary;
use mirror_tests::world::{Host, World};
use serde_json::Value;

/// Capabilities with which mirroring works when a shadow interface is given.
const FEW: &str = "-all,+bpf,+net_admin,+net_raw,+perfmon";

/// What the command writes on the node with these capabilities (`None`: all that root has).
fn check(world: &World, capabilities: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = Command::new("setpriv");
    if let Some(capabilities) = capabilities {
        command.arg("--inh-caps=-all").arg(format!("--bounding-set={capabilities}"));
    }
    let output =
        world.output(Host::Node, command.arg(agent_binary().unwrap()).arg("check").args(arguments)).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    output
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The row on a thing: its state and what was found.
fn row<'a>(report: &'a Value, item: &str) -> (&'a str, &'a str) {
    let row = report["rows"].as_array().unwrap().iter().find(|row| row["item"] == item);
    let row = row.unwrap_or_else(|| panic!("no row {item} in {report:#}"));
    (row["state"].as_str().unwrap(), row["detail"].as_str().unwrap())
}

/// The node's interfaces.
fn interfaces(world: &World) -> String {
    let output = world.output(Host::Node, Command::new("ip").args(["-br", "link"])).unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn root_may_mirror_and_nothing_stays() {
    let world = World::new().unwrap();
    let before = interfaces(&world);
    for _ in 0..2 {
        let output = check(&world, None, &["--json", "-i", "eth0", "-i", "lo"]);
        let report = json(&output);
        assert_eq!((output.status.code(), &report["ok"]), (Some(0), &Value::Bool(true)), "{report:#}");
        for item in [
            "CAP_BPF",
            "kernel programs",
            "packet ring",
            "private namespace",
            "tap",
            "shadow interface",
            "fence",
        ] {
            assert_eq!(row(&report, item).0, "ok", "{report:#}");
        }
        if row(&report, "tcx").0 == "ok" {
            for hook in ["eth0 ingress", "eth0 egress", "lo ingress"] {
                assert_eq!(row(&report, hook).1, "no other program; the tap would be alone");
            }
        }
        assert_eq!(interfaces(&world), before);
    }
}

#[test]
fn without_capabilities_every_row_is_an_answer() {
    let world = World::new().unwrap();
    let output = check(&world, Some("-all"), &["--json", "-i", "eth0"]);
    let report = json(&output);
    assert_eq!((output.status.code(), &report["ok"]), (Some(1), &Value::Bool(false)), "{report:#}");
    for item in ["CAP_BPF", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_PERFMON", "kernel programs", "packet ring"] {
        assert_eq!(row(&report, item).0, "missing", "{item}");
    }
    // What could not be asked is neither there nor missing.
    for item in [
        "program type sched_cls",
        "map type array",
        "helper bpf_clone_redirect",
        "tcx",
        "tap",
        "shadow interface",
    ] {
        assert_eq!(row(&report, item).0, "unknown", "{item}");
    }
    assert!(row(&report, "eth0").1.starts_with("index "));
}

#[test]
fn a_few_capabilities_are_enough_for_a_given_shadow_interface() {
    let world = World::new().unwrap();
    let output = check(&world, Some(FEW), &["--json"]);
    let report = json(&output);
    assert_eq!((output.status.code(), &report["ok"]), (Some(0), &Value::Bool(true)), "{report:#}");
    for item in ["CAP_SYS_ADMIN", "private namespace", "tap", "shadow interface"] {
        assert_eq!(row(&report, item).0, "fallback");
    }
}

#[test]
fn text_is_plain_in_a_pipe_and_ends_with_a_verdict() {
    let world = World::new().unwrap();
    let output = check(&world, None, &["-i", "nope"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(
        text.lines().any(|line| line.starts_with("MISSING  nope ") && line.contains("there are lo")),
        "{text}"
    );
    assert_eq!(text.lines().last(), Some("Mirroring does not work here; missing: nope."));
}

#[test]
fn a_running_agent_is_seen_in_the_chain_and_not_disturbed() {
    let world = World::new().unwrap();
    let (v1, v2) = (Host::V1.service().to_string(), Host::V2.service().to_string());
    let agent = Agent::start(&world, &["-i", "eth0", "--v1", &v1, "--v2", &v2, "--share", "1%", "--transit"])
        .unwrap();
    let report = json(&check(&world, None, &["--json", "-i", "eth0"]));
    if row(&report, "tcx").0 == "ok" {
        assert_eq!(row(&report, "eth0 ingress").1, "the tap would come first, before mirror_ingress");
        assert_eq!(row(&report, "eth0 egress").1, "the tap would come first, before mirror_egress");
    }
    assert!(row(&report, "shadow interface").1.starts_with("shadow1,"), "{report:#}");
    agent.stop().unwrap();
}
