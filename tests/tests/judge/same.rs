//! Two nginx that are the same pass, and it is said on what evidence.

use std::process::Command;

use mirror_tests::nginx::Nginx;
use mirror_tests::world::{Host, World};

use crate::scene::{agent, claim, users, verdict, verdict_when};

#[test]
fn two_identical_nginx_pass_and_say_on_what_evidence() {
    let world = World::new().unwrap();
    let v1 = Nginx::start(&world, Host::V1, 1_000_000).unwrap();
    let _v2 = Nginx::start(&world, Host::V2, 1_000_000).unwrap();
    let agent = agent(&world, &["--share", "100%", "--second-answers", "v1", "--margin", "10%"]);
    assert_eq!(verdict(&agent)["verdict"], "inconclusive");
    let code = exit_code(&agent, &[]);
    assert_eq!(code, Some(98));

    let _users = users(&world, Host::V1, 100.0, "/{n}");
    let (said, took) = verdict_when(&agent, "a verdict", |said| said["verdict"] != "inconclusive");
    eprintln!("PASS after {took:?}: {said:#}");
    assert_eq!(said["verdict"], "pass", "{said:#}");
    for metric in ["errors", "latency", "tail", "differences"] {
        let claim = claim(&said, metric);
        assert_eq!(claim["finding"], "fine", "{claim:#}");
        assert!(claim["evidence_fine"].as_f64().unwrap() >= 100.0, "{claim:#}");
    }
    let calibration = &said["calibration"];
    assert!(calibration["pairs"].as_u64().unwrap() >= 60, "{calibration}");
    assert!(calibration["allowance_s"].as_f64().unwrap() >= 0.0002, "{calibration}");
    let text = agent.command(&["verdict", "--wait", "60s"]).unwrap();
    assert!(text.starts_with("PASS · default\n") && text.contains("our own way to v1 is"), "{text}");

    // v1 was asked again, with the mark that it is a copy, and no such request was taken for a user's.
    let status = agent.status().unwrap();
    let service = &status["services"][0];
    assert_eq!(service["verdict"]["verdict"], "pass");
    assert_eq!(service["requests"]["unselected"]["copy"], 0, "{service:#}");
    let asked = service["second_answers"]["answered"].as_u64().unwrap();
    let copies = v1.log().unwrap().into_iter().filter(|line| line.shadow == "1").count() as u64;
    assert!(asked >= 60 && copies >= asked && copies <= asked + 8, "{copies} {asked}");
    agent.stop().unwrap();
}

/// The exit code of `verdict`.
fn exit_code(agent: &mirror_tests::agent::Agent, more: &[&str]) -> Option<i32> {
    let mut command = Command::new(mirror_tests::agent_binary().unwrap());
    command.arg("verdict").args(more).arg("--control").arg(agent.control());
    command.output().unwrap().status.code()
}
