//! What stops the mirror, and that it stays stopped.

use std::fs;
use std::time::Instant;

use mirror_tests::wait::until;
use mirror_tests::world::Host;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::scene::{PATIENCE, aborted, agent, command, compared, service, twins, users, when};

/// An abort takes a look at the counters, and one store; a busy machine may be late by some looks.
const LATENCY_S: f64 = 1.0;

#[test]
fn a_kill_file_stops_everything_and_only_somebody_s_word_ends_that() {
    let (world, _v1, v2) = twins();
    let agent = agent(&world, "", "share: 100%");
    let _users = users(&world, 50.0);
    compared(&agent, 20);
    let file = world.directory().join("kill");
    fs::write(&file, "").unwrap();
    assert_eq!(aborted(&agent), "kill_file");
    let (code, said) = command(&agent, &["resume"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("kill is there; remove it first"), "{said}");

    fs::remove_file(&file).unwrap();
    let asked = v2.log().unwrap().len();
    let seen = service(&agent)["turns"]["v1"]["recorded"].as_u64().unwrap();
    when(&agent, "more of v1's turns", |service| {
        service["turns"]["v1"]["recorded"].as_u64() > Some(seen + 100)
    });
    assert_eq!(service(&agent)["state"], "aborted", "it does not re-arm by itself");
    assert_eq!(v2.log().unwrap().len(), asked, "and nothing reaches v2");

    command(&agent, &["resume"]);
    let before = service(&agent)["requests"]["compared"].as_u64().unwrap();
    compared(&agent, before + 20);
    assert_eq!(agent.status().unwrap()["agent"]["guards"]["aborts"], json!({ "kill_file": 1 }));
}

#[test]
fn a_v1_that_burns_its_budget_is_left_alone() {
    let (world, v1, _v2) = twins();
    let agent = agent(&world, "", "share: 100%\nslo: {objective: 99.9%}");
    let _users = users(&world, 50.0);
    compared(&agent, 100);
    v1.set_sick(true).unwrap();
    let began = Instant::now();
    assert_eq!(aborted(&agent), "v1_burn");
    let took = began.elapsed();
    let status = agent.status().unwrap();
    let why = status["services"][0]["guards"]["aborted"]["why"].as_str().unwrap();
    assert!(why.contains("times too fast over 60s"), "{took:?} {why}");
    let latency =
        until("the latency", PATIENCE, || Ok(agent.status()?["agent"]["guards"]["abort_latency_s"].as_f64()))
            .unwrap();
    assert!(latency <= LATENCY_S, "{latency}");
    assert_ne!(status["services"][0]["verdict"]["verdict"], "fail", "v2 is not to blame");
}

#[test]
fn a_v2_that_turns_bad_is_stopped_and_failed() {
    let (world, _v1, v2) = twins();
    let told = world.directory().join("told");
    let program = world.directory().join("tell.sh");
    fs::write(
        &program,
        format!("#!/bin/sh\n(echo \"$@\"; cat) > {0}.new && mv {0}.new {0}\n", told.display()),
    )
    .unwrap();
    let mut rights = fs::metadata(&program).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o755);
    fs::set_permissions(&program, rights).unwrap();
    let agent = agent(&world, &format!("guards: {{on_abort: {}}}", program.display()), "share: 100%");
    let _users = users(&world, 50.0);
    compared(&agent, 100);
    v2.set_sick(true).unwrap();
    assert_eq!(aborted(&agent), "v2_errors");
    let (code, said) = command(&agent, &["verdict"]);
    assert_eq!(code, Some(99), "{said}");
    assert!(said.contains("stopped by a guard (v2_errors): v2 failed"), "{said}");

    let text = until("the program to be told", PATIENCE, || Ok(fs::read_to_string(&told).ok())).unwrap();
    let (arguments, body) = text.split_once('\n').unwrap();
    assert_eq!(arguments, "shop v2_errors");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["service"], &body["reason"]), (&json!("shop"), &json!("v2_errors")));
}

#[test]
fn a_v2_that_is_gone_is_given_up_and_asked_again_when_somebody_says_so() {
    let (world, _v1, mut v2) = twins();
    let agent = agent(&world, "", "share: 100%\nguards: {v2_unreachable: 2s}");
    let _users = users(&world, 50.0);
    compared(&agent, 50);
    v2.process.signal(Signal::SIGKILL).unwrap();
    v2.process.wait(PATIENCE).unwrap();
    assert_eq!(aborted(&agent), "v2_unreachable");
    drop(v2);
    let _v2 =
        mirror_tests::service::Service::start(&world, Host::V2, mirror_tests::service::Version::V1).unwrap();
    assert_eq!(command(&agent, &["resume"]).0, Some(0));
    let before = service(&agent)["requests"]["compared"].as_u64().unwrap();
    compared(&agent, before + 50);
}

#[test]
fn an_agent_that_nobody_looks_at_or_that_takes_too_much_stops_itself() {
    let (world, _v1, _v2) = twins();
    let unseen = agent(&world, "guards: {unscraped: 2s}", "share: 100%");
    let _users = users(&world, 50.0);
    assert_eq!(aborted(&unseen), "unscraped");
    unseen.get("/metrics").unwrap_err(); // it is no JSON, but it was asked for
    assert_eq!(command(&unseen, &["resume"]).0, Some(0));
    drop(unseen);
    let fat = agent(&world, "guards: {memory: 1MiB}", "share: 100%");
    assert_eq!(aborted(&fat), "memory");
}
