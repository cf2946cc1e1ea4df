//! What each fault does, and to whom.

use mirror_tests::agent::Agent;
use mirror_tests::wait::until;
use serde_json::Value;

use crate::scene::{PATIENCE, Scene, assert_balanced, count, nobody_noticed, sum};

const KINDS: [&str; 5] = ["delay", "abort", "reset", "blackhole", "bandwidth"];

fn p50(journal: &Value, phase: &str, version: &str) -> f64 {
    journal["steady"][phase][version]["p50_s"].as_f64().unwrap_or_else(|| panic!("{journal:#}"))
}

fn p99(journal: &Value, phase: &str, version: &str) -> f64 {
    journal["steady"][phase][version]["p99_s"].as_f64().unwrap_or_else(|| panic!("{journal:#}"))
}

/// The delay is on our side of v2: who calls v2 feels it; v1, and v2 at the tap, do not.
#[test]
fn a_delay_is_felt_by_v2s_caller_alone() {
    const DELAY: f64 = 0.3;
    let scene = Scene::new("/users/{n}", &[]);
    let file = scene.experiment("- {fault: delay, latency: 300ms, share: 60%, duration: 5s}", "");
    let (journal, code) = scene.run(&file);
    assert_eq!((code, &journal["ending"]), (Some(0), &"completed".into()), "{journal:#}");

    // Three of five connections were to meet it, and each request on them is late.
    assert!(p50(&journal, "before", "v2") < DELAY / 2.0, "{journal:#}");
    assert!(p99(&journal, "during", "v2") >= DELAY * 0.95, "{journal:#}");
    assert!(p50(&journal, "after", "v2") < DELAY / 2.0, "{journal:#}");
    assert!(p50(&journal, "during", "v1") < DELAY / 2.0, "{journal:#}");
    let met = count(&scene.agent.status().unwrap(), "/requests/faulted/delay");
    assert!(met > 50, "{journal:#}");
    assert_eq!(sum(&journal["faults"]["met"]["delay"]), sum(&journal["method"][0]["met"]), "{journal:#}");

    // The kernel's histograms of both versions, and what the versions measured themselves.
    let Scene { agent, users, v1, v2, world } = scene;
    drop(users);
    let status = agent.stop().unwrap();
    for version in ["v1", "v2"] {
        let p50 = status["services"][0]["latency"][version]["ttfb"]["p50_s"].as_f64().unwrap();
        assert!(p50 < DELAY / 2.0, "{version}: {p50}");
    }
    for service in [&v1, v2.as_ref().unwrap()] {
        let late = service.log().unwrap().iter().filter(|entry| entry.took_us as f64 * 1e-6 >= DELAY).count();
        assert!(late < 50, "{late}");
    }
    assert_balanced(&status);
    drop(world);
}

/// One after the other, each with its own bucket; nothing that met one is compared or judged, and all the rest is.
#[test]
fn each_fault_ends_in_its_own_bucket_and_feeds_no_judge() {
    let scene = Scene::new("/users/{n}", &[]);
    let method = "\
- {fault: delay, latency: 100ms, jitter: 50ms, share: 60%, duration: 2s}
- {fault: abort, share: 60%, duration: 2s}
- {fault: reset, share: 60%, duration: 2s}
- {fault: blackhole, share: 60%, duration: 3s}
- {fault: bandwidth, bytes_per_second: 2KiB, share: 60%, duration: 2s}";
    let (journal, code) = scene.run(&scene.experiment(method, ""));
    assert_eq!(code, Some(0), "{journal:#}");
    for (step, kind) in journal["method"].as_array().unwrap().iter().zip(KINDS) {
        assert_eq!(step["fault"], kind);
        assert!(sum(&journal["faults"]["met"][kind]) > 10, "{kind}: {journal:#}");
        let took = step["ended_s"].as_f64().unwrap() - step["began_s"].as_f64().unwrap();
        assert!(took >= if kind == "blackhole" { 3.0 } else { 2.0 }, "{step}");
    }
    assert_eq!(journal["faults"]["active"], 0, "{journal:#}");
    // v2's caller saw each abort, reset and blackhole as a failure.
    let failed = ["abort", "reset"].map(|kind| sum(&journal["faults"]["met"][kind])).iter().sum::<u64>();
    assert!(sum(&journal["steady"]["during"]["v2"]["errors"]) >= failed, "{journal:#}");

    let Scene { agent, users, v1: _v1, v2, world } = scene;
    nobody_noticed(users);
    let status = settled(&agent);
    let (compared, faulted) = (count(&status, "/requests/compared"), count(&status, "/requests/faulted"));
    for kind in KINDS {
        let bucket = count(&status, &format!("/requests/faulted/{kind}"));
        assert!(bucket >= sum(&journal["faults"]["met"][kind]) && bucket > 10, "{kind}: {status:#}");
    }
    assert_eq!(count(&status, "/requests/v2_failed"), 0, "{status:#}");
    assert_eq!(count(&status, "/differences"), 0, "{status:#}");
    // The second that goes on is not counted yet.
    let judged = || Ok(Some(agent.get("/v1/verdict")?).filter(|verdict| verdict["pairs"] == compared));
    let verdict = until("every pair to be judged, and no more", PATIENCE, judged).unwrap();
    assert_ne!(verdict["verdict"], "fail", "{verdict:#}");

    // What was reset and what was held back for good never came to v2; all that was compared did.
    let asked = v2.unwrap().log().unwrap().len() as u64;
    assert!((compared..compared + faulted).contains(&asked), "{asked}: {status:#}");
    let status = agent.stop().unwrap();
    assert_balanced(&status);
    drop(world);
}

/// The status once nothing is in progress.
fn settled(agent: &Agent) -> Value {
    let look = || Ok(Some(agent.status()?).filter(|status| count(status, "/requests/in_progress") == 0));
    until("everything to be dealt with", PATIENCE, look).unwrap()
}

/// A large answer at a small rate takes as long as that rate says, to within what the buffers on the way hold.
#[test]
fn bandwidth_is_what_was_asked_for() {
    const RATE: f64 = 16_384.0;
    const SIZE: f64 = 8_192.0;
    let scene = Scene::new("/bytes/8192", &[]);
    let file =
        scene.experiment("- {fault: bandwidth, bytes_per_second: 16KiB, share: 30%, duration: 6s}", "");
    let (journal, code) = scene.run(&file);
    assert_eq!(code, Some(0), "{journal:#}");
    let slow = p99(&journal, "during", "v2");
    // The last piece need not be waited for: a twentieth of a second's worth.
    assert!(slow >= (SIZE / RATE - 0.05) * 0.95, "{slow}: {journal:#}");
    assert!(p50(&journal, "during", "v1") < 0.1, "{journal:#}");
    drop(scene.users);
    assert_balanced(&scene.agent.stop().unwrap());
}

#[test]
fn no_more_requests_are_held_at_once_than_the_blast_radius_allows() {
    let scene = Scene::new("/users/{n}", &[]);
    let file = scene.experiment("- {fault: blackhole, share: 60%, duration: 5s}", "");
    let text = std::fs::read_to_string(&file).unwrap().replace("max_active: 1000", "max_active: 2");
    let (journal, code) = scene.run(&scene.file(&text));
    assert_eq!(code, Some(0), "{journal:#}");
    // Each is held until its deadline of a second: two at once are ten in five seconds, and two may have begun late.
    let (met, overflow) = (sum(&journal["faults"]["met"]["blackhole"]), sum(&journal["faults"]["overflow"]));
    assert!((2..=12).contains(&met) && overflow > 50, "{journal:#}");
    drop(scene.users);
    let status = scene.agent.stop().unwrap();
    assert_balanced(&status);
    assert!(count(&status, "/requests/faulted") >= met, "{status:#}");
}
