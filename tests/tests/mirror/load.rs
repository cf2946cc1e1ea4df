//! Under load from wrk: what was lost is counted, what was not lost is with v2, and v1's own log agrees.

use std::fs;
use std::process::Command;

use mirror_tests::agent::Agent;
use mirror_tests::nginx::Nginx;
use mirror_tests::wait::until;
use mirror_tests::world::{Host, World};
use serde_json::Value;

use crate::ledger::{PATIENCE, assert_balanced, count, lost, settle};
use crate::setup::{mirror, nginx, url};

const CONNECTIONS: &str = "16";

/// A wrk script: each connection waits so many milliseconds before each request.
fn pace(world: &World, milliseconds: u32) -> String {
    let path = world.directory().join("pace.lua");
    fs::write(&path, format!("function delay() return {milliseconds} end\n")).unwrap();
    path.to_string_lossy().into_owned()
}

/// Runs wrk on the client. It ends in the middle of requests, so v1 may log a few that wrk does not count.
fn wrk(world: &World, more: &[&str]) {
    let mut wrk = Command::new("wrk");
    wrk.args(["-t2", "-c", CONNECTIONS]).args(more).arg(url(Host::V1, "/load"));
    let output = world.output(Host::Client, &mut wrk).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !said.contains("Socket errors"), "{said}");
}

/// v1 never notices: each of its answers is a 200. Gives their number.
fn answered(nginx: &Nginx) -> u64 {
    let log = nginx.log().unwrap();
    assert!(log.iter().all(|line| line.status == 200));
    log.len() as u64
}

/// Waits until v1 has logged and the agent has dealt with everything; gives the number of requests.
fn quiet(agent: &Agent, v1: &Nginx) -> u64 {
    let agreed = || {
        let seen = count(&settle(agent, 1), "/requests/seen");
        Ok((seen == answered(v1)).then_some(seen))
    };
    until("v1's log and the agent to agree", PATIENCE, agreed).unwrap()
}

/// What v2 logged is what it was asked: each request that was compared, and each that failed there.
fn assert_v2_agrees(status: &Value, v2: &Nginx) {
    let log = v2.log().unwrap();
    assert!(log.iter().all(|line| line.shadow == "1"));
    let (compared, failed) = (count(status, "/requests/compared"), count(status, "/requests/v2_failed"));
    assert!((compared..=compared + failed).contains(&(log.len() as u64)), "{}: {status:#}", log.len());
}

#[test]
fn steady_load_is_mirrored_without_a_loss() {
    let (world, v1, v2) = nginx(1_000_000);
    let agent = mirror(&world, &["--share", "100%"]);
    wrk(&world, &["-d3s", "-s", &pace(&world, 20)]);
    let sent = quiet(&agent, &v1);
    let status = agent.stop().unwrap();

    assert!(sent > 500, "{sent}");
    assert_eq!(lost(&status), 0);
    // wrk breaks off what it had just sent: those requests may have no whole answer.
    let unanswered = count(&status, "/requests/v1_unanswered");
    assert!(unanswered <= 16, "{status:#}");
    assert_eq!(count(&status, "/requests/seen"), sent);
    assert_eq!(count(&status, "/requests/compared"), sent - unanswered, "{status:#}");
    assert_v2_agrees(&status, &v2);
    // Nothing was on its way when the taps went, so the kernel has timed or at least counted every turn.
    assert_eq!(count(&status, "/turns/v1/started"), sent);
    assert_eq!(count(&status, "/turns/v2/started"), v2.log().unwrap().len() as u64);
    assert_balanced(&status);
}

#[test]
fn more_load_than_can_be_mirrored_is_accounted_for_to_the_last_request() {
    let (world, v1, v2) = nginx(1_000_000);
    let agent = mirror(&world, &["--share", "100%"]);
    wrk(&world, &["-d3s"]);
    let status = agent.stop().unwrap();

    let sent = answered(&v1);
    let seen = count(&status, "/requests/seen");
    assert!(seen <= sent, "{seen} seen, {sent} sent");
    if lost(&status) == 0 {
        assert_eq!(seen, sent, "every frame was read: {status:#}");
        assert_eq!(count(&status, "/requests/unmirrorable"), 0, "{status:#}");
    }
    assert!(count(&status, "/requests/compared") > 0);
    assert_eq!(count(&status, "/turns/v1/started"), sent, "the kernel's clock needs no clones");
    assert_v2_agrees(&status, &v2);
    assert_balanced(&status);
}
