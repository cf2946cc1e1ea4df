//! How experiments end, by what happens to whom.

use super::runner::{CALM, Scene, Second, experiment};
use crate::chaos::{Ending, Kind};

const DELAY: &str = "\
method: [{fault: delay, latency: 20ms, share: 20%, duration: 20s}]
hypothesis: {v1_p99: {grows_at_most: 10%}, v2_errors: {at_most: 5%}, v2_p99: {at_most: 1s}, verdict: not_fail}";

fn scene() -> Scene {
    Scene::new(experiment(DELAY))
}

/// Runs to the end, with v1 and v2 as `happens` says by the second. Gives for how many seconds a fault was in force.
fn run(scene: &mut Scene, happens: impl Fn(u64) -> (Second, Second)) -> u64 {
    let mut seconds = 0;
    for second in 0..200 {
        let (v1, v2) = happens(second);
        seconds += u64::from(scene.second(v1, v2).is_some());
    }
    assert!(scene.runner.is_ended());
    seconds
}

fn ends(happens: impl Fn(u64) -> (Second, Second)) -> (Option<Ending>, String, u64) {
    let mut scene = scene();
    let seconds = run(&mut scene, happens);
    let (ending, why) = scene.ending();
    (ending, why, seconds)
}

#[test]
fn v1_stays_flat_and_the_hypothesis_holds() {
    let slow = Second { micros: 23_000, ..CALM };
    let (ending, why, seconds) = ends(|second| (CALM, if (5..25).contains(&second) { slow } else { CALM }));
    assert_eq!((ending, seconds), (Some(Ending::Completed), 20), "{why}");
}

#[test]
fn a_v1_that_gets_slower_deviates_and_ends_the_fault() {
    let slower = Second { micros: 9_000, ..CALM };
    let (ending, why, seconds) = ends(|second| (if second >= 8 { slower } else { CALM }, CALM));
    assert_eq!(ending, Some(Ending::Deviated), "{why}");
    assert!(why.starts_with("v1_p99 grows at most 10% is broken: 1"), "{why}");
    assert!((4..10).contains(&seconds), "{seconds}");
}

#[test]
fn v1_getting_slower_in_its_tail_alone_deviates_too() {
    let tail = Second { slow: 4, ..CALM };
    let (ending, why, _) = ends(|second| (if second >= 5 { tail } else { CALM }, CALM));
    assert_eq!(ending, Some(Ending::Deviated), "{why}");
}

/// One stall of a whole second in which nearly all are slow: three times the one in a hundred that a p99 allows.
#[test]
fn one_stall_of_v1_is_not_held_against_anybody() {
    let stall = Second { slow: 60, ..CALM };
    let (ending, why, seconds) = ends(|second| (if second == 12 { stall } else { CALM }, CALM));
    assert_eq!((ending, seconds), (Some(Ending::Completed), 20), "{why}");
}

/// A tenth more is allowed, and what a bucket of the histogram hides is never held against v1.
#[test]
fn a_growth_within_the_bound_is_no_deviation() {
    let slower = Second { micros: 3_300, ..CALM };
    let (ending, why, _) = ends(|second| (if second >= 5 { slower } else { CALM }, CALM));
    assert_eq!(ending, Some(Ending::Completed), "{why}");
}

#[test]
fn errors_of_v1_abort_within_seconds() {
    let failing = Second { errors: 50, ..CALM };
    let (ending, why, seconds) = ends(|second| (if second >= 15 { failing } else { CALM }, CALM));
    assert_eq!(ending, Some(Ending::Aborted), "{why}");
    assert!(why.starts_with("v1_errors at most 10% is broken: "), "{why}");
    assert!((11..=14).contains(&seconds), "{seconds}");
}

#[test]
fn more_errors_of_v2_than_allowed_deviate() {
    let failing = Second { errors: 30, ..CALM };
    let (ending, why, _) = ends(|second| (CALM, if second >= 6 { failing } else { CALM }));
    assert_eq!(ending, Some(Ending::Deviated), "{why}");
    assert!(why.contains("v2_errors at most 5%"), "{why}");
}

#[test]
fn a_v2_slower_than_a_bound_deviates() {
    let slow = Second { micros: 1_500_000, ..CALM };
    let (ending, why, _) = ends(|second| (CALM, if second >= 6 { slow } else { CALM }));
    assert_eq!((ending, why.contains("v2_p99 at most 1s")), (Some(Ending::Deviated), true), "{why}");
}

#[test]
fn a_steady_state_that_does_not_come_back_deviates() {
    let failing = Second { errors: 30, ..CALM };
    let (ending, why, seconds) = ends(|second| (CALM, if second >= 25 { failing } else { CALM }));
    assert_eq!((ending, seconds), (Some(Ending::Deviated), 20), "{why}");
    assert!(why.starts_with("not back 10s after the last fault: v2_errors"), "{why}");
}

#[test]
fn what_is_back_within_half_of_the_wait_is_back() {
    let failing = Second { errors: 100, ..CALM };
    let (ending, why, _) = ends(|second| (CALM, if (25..29).contains(&second) { failing } else { CALM }));
    assert_eq!(ending, Some(Ending::Completed), "{why}");
}

#[test]
fn without_a_steady_state_no_fault_is_made() {
    let failing = Second { errors: 60, ..CALM };
    let (ending, why, seconds) = ends(|_| (CALM, failing));
    assert_eq!((ending, seconds), (Some(Ending::Refused), 0), "{why}");
    assert_eq!(why, "no steady state to begin with: v2_errors at most 5% does not hold");
    let mut scene = scene();
    scene.totals.is_failed = true;
    assert_eq!(run(&mut scene, |_| (CALM, CALM)), 0);
    assert_eq!(scene.ending().0, Some(Ending::Refused));
}

#[test]
fn a_verdict_that_turns_to_fail_deviates() {
    let mut scene = scene();
    while scene.second(CALM, CALM).is_none() {}
    scene.totals.is_failed = true;
    scene.second(CALM, CALM);
    run(&mut scene, |_| (CALM, CALM));
    assert_eq!(scene.ending(), (Some(Ending::Deviated), "the verdict on v2 is FAIL".to_owned()));
}

#[test]
fn too_little_traffic_is_never_a_pass() {
    let few = Second { requests: 2, ..CALM };
    let (ending, why, seconds) = ends(|_| (few, few));
    assert_eq!((ending, seconds), (Some(Ending::Inconclusive), 0), "{why}");
    assert_eq!(why, "not enough traffic before the faults: v1 answered 60 requests, and its p99 takes 528");
    let (ending, why, _) = ends(|second| (if second >= 5 { few } else { CALM }, CALM));
    assert_eq!(ending, Some(Ending::Inconclusive), "{why}");
    assert!(why.starts_with("not enough traffic during the faults: v1"), "{why}");
}

/// The baseline goes on until there is enough, but not for ever.
#[test]
fn a_baseline_waits_for_enough_traffic() {
    let some = Second { requests: 40, ..CALM };
    let mut scene = Scene::new(experiment("method: [{fault: reset, share: 1%, duration: 20s}]"));
    let mut seconds = 0;
    while scene.second(some, some) != Some(Kind::Reset) {
        seconds += 1;
    }
    assert_eq!(seconds, 13); // 528 of 40 a second
}

#[test]
fn an_experiment_that_met_nobody_says_nothing() {
    let mut scene = scene();
    scene.meets = 0;
    run(&mut scene, |_| (CALM, CALM));
    assert_eq!(scene.ending(), (Some(Ending::Inconclusive), "no request met a fault".to_owned()));
}

/// Traffic of the kind that every machine has: two alarms in forty runs at most.
#[test]
fn chance_alone_seldom_deviates() {
    let mut alarms = 0;
    let mut state = 1u32;
    for _ in 0..40 {
        let mut scene = scene();
        for _ in 0..60 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // About one in a hundred is slow, in some seconds none and in some three.
            let slow = [0u64, 0, 1, 1, 1, 1, 2, 3][(state >> 29) as usize];
            scene.second(Second { slow, ..CALM }, CALM);
        }
        alarms += u32::from(scene.ending().0 != Some(Ending::Completed));
    }
    assert!(alarms <= 2, "{alarms} of 40");
}
