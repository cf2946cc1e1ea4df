//! However an experiment ends, its fault does.

use std::time::{Duration, Instant};

use mirror_tests::wait::until;
use nix::sys::signal::Signal;

use crate::scene::{PATIENCE, Scene, agent, assert_balanced, count, nobody_noticed};

/// A fault that would last far longer than any test.
const LONG: &str = "- {fault: blackhole, share: 60%, duration: 30m}";

/// Its requests would be held for half of that.
const PATIENT: [&str; 2] = ["--timeout", "15m"];

fn scene() -> (Scene, String) {
    let scene = Scene::new("/users/{n}", &[]);
    let file = scene.experiment(LONG, "");
    (scene, file)
}

fn is_off(scene: &Scene) {
    let status = scene.journal_when("nothing to be held", |journal| journal["faults"]["active"] == 0);
    assert_eq!(status["phase"], "ended", "{status:#}");
    let compared = || count(&scene.agent.status().unwrap(), "/requests/compared");
    let before = compared();
    until("all to be compared again", PATIENCE, || Ok((compared() > before + 200).then_some(()))).unwrap();
}

#[test]
fn the_death_of_the_command_ends_the_fault_within_its_lease() {
    let (scene, file) = scene();
    let mut command = scene.start(&file);
    scene.until_held();
    let killed = Instant::now();
    command.signal(Signal::SIGKILL).unwrap();
    command.wait(PATIENCE).unwrap();
    let journal = scene.journal_when("the end", |journal| journal["phase"] == "ended");
    assert!(killed.elapsed() < Duration::from_secs(8), "{:?}", killed.elapsed());
    assert_eq!(journal["ending"], "aborted");
    assert_eq!(journal["why"], "whoever ran it is gone");
    is_off(&scene);
    nobody_noticed(scene.users);
    assert_balanced(&scene.agent.stop().unwrap());
}

#[test]
fn an_interrupt_ends_it_at_once_and_with_98() {
    let (scene, file) = scene();
    let mut command = scene.start(&file);
    scene.until_held();
    command.signal(Signal::SIGINT).unwrap();
    assert_eq!(command.wait(PATIENCE).unwrap().code(), Some(98), "{}", command.log());
    assert_eq!(scene.journals()[0]["why"], "stopped by hand");
    is_off(&scene);
}

#[test]
fn stop_and_kill_end_it_at_once_and_the_command_says_so() {
    for (verb, why) in [(&["chaos", "stop"][..], "stopped by hand"), (&["kill"], "the mirror was stopped")] {
        let (scene, file) = scene();
        let mut command = scene.start(&file);
        scene.until_held();
        scene.agent.command(verb).unwrap();
        let journal = scene.journal_when("the end", |journal| journal["phase"] == "ended");
        assert_eq!((&journal["why"], &journal["ending"]), (&why.into(), &"aborted".into()), "{journal:#}");
        assert_eq!(command.wait(PATIENCE).unwrap().code(), Some(98), "{}", command.log());
        scene.journal_when("nothing to be held", |journal| journal["faults"]["active"] == 0);
        if verb[0] == "kill" {
            let refused = scene.chaos(&["run", &file]);
            assert_eq!(refused.status.code(), Some(1));
            assert!(String::from_utf8_lossy(&refused.stderr).contains("was killed"), "{refused:?}");
        }
        nobody_noticed(scene.users);
        assert_balanced(&scene.agent.stop().unwrap());
    }
}

#[test]
fn the_end_of_the_agent_is_the_end_of_the_fault() {
    let (scene, file) = scene();
    let mut command = scene.start(&file);
    scene.until_held();
    let status = scene.agent.stop().unwrap();
    assert_balanced(&status);
    // It hears of the end, or finds nobody there any more.
    let code = command.wait(PATIENCE).unwrap().code();
    assert!([Some(1), Some(98)].contains(&code), "{code:?}: {}", command.log());
    nobody_noticed(scene.users);
}

/// Nothing of an experiment is anywhere but in the process: its successor knows of none, and v2 is reached as before.
#[test]
fn a_killed_agent_leaves_no_fault_behind() {
    let (mut scene, file) = scene();
    let mut command = scene.start(&file);
    scene.until_held();
    scene.agent.process.signal(Signal::SIGKILL).unwrap();
    scene.agent.process.wait(PATIENCE).unwrap();
    assert_eq!(command.wait(PATIENCE).unwrap().code(), Some(1), "{}", command.log());
    scene.agent = agent(&scene.world, &[]);
    assert!(scene.journals().is_empty());
    let compared = || Ok((count(&scene.agent.status()?, "/requests/compared") > 200).then_some(()));
    until("a mirror without a fault", PATIENCE, compared).unwrap();
    nobody_noticed(scene.users);
    let status = scene.agent.stop().unwrap();
    assert_eq!(count(&status, "/requests/faulted"), 0, "{status:#}");
    assert_balanced(&status);
}

/// Requests that are held for a quarter of an hour go on when the fault ends, and are answered.
#[test]
fn what_was_held_goes_on_when_the_fault_ends() {
    let scene = Scene::new("/users/{n}", &PATIENT);
    let file = scene.experiment("- {fault: blackhole, share: 60%, duration: 5s}", "");
    let (journal, code) = scene.run(&file);
    assert_eq!((code, &journal["faults"]["active"]), (Some(0), &0.into()), "{journal:#}");
    assert_eq!(journal["steady"]["during"]["v2"]["errors"], 0, "{journal:#}");
    assert_eq!(journal["steady"]["after"]["v2"]["errors"], 0, "{journal:#}");
    drop(scene.users);
    assert_balanced(&scene.agent.stop().unwrap());
}

#[test]
fn a_broken_hypothesis_ends_with_99_and_ends_the_fault() {
    let scene = Scene::new("/users/{n}", &[]);
    let file = scene.experiment("- {fault: reset, share: 60%, duration: 30s}", "  v2_errors: {at_most: 1%}");
    let started = Instant::now();
    let (journal, code) = scene.run(&file);
    assert_eq!((code, &journal["ending"]), (Some(99), &"deviated".into()), "{journal:#}");
    assert!(journal["why"].as_str().unwrap().starts_with("v2_errors at most 1% is broken"), "{journal:#}");
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    drop(scene.users);
    assert_balanced(&scene.agent.stop().unwrap());
}
