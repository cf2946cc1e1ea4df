use super::*;

const LIMITS: Limits = Limits {
    objective: Some(Objective { ratio: 0.999, period: Duration::from_secs(30 * 24 * 3600) }),
    losses: Some(0.5),
    v2_errors: Some((0.5, Duration::from_secs(10))),
    v2_unreachable: Some(Duration::from_secs(10)),
};

/// Looks four times a second at what `after` so many seconds was counted; answers the second of the first breach.
fn breach(limits: Limits, seconds: u64, after: impl Fn(f64) -> Observation) -> Option<(f64, Reason)> {
    let mut guard = Guard::new(limits, Nanos(0), &after(0.0));
    (1..=seconds * 4).find_map(|step| {
        let second = step as f64 / 4.0;
        let breach = guard.look(Nanos(step * 250_000_000), &after(second))?;
        Some((second, breach.reason))
    })
}

fn count(total: f64, bad: f64) -> Count {
    Count { total: total as u64, bad: bad as u64 }
}

/// What has gone wrong `rate` times a second from `since` on.
fn from(second: f64, since: f64, rate: f64) -> f64 {
    (second - since).max(0.0) * rate
}

#[test]
fn a_v1_that_fails_wholly_is_seen_within_three_seconds() {
    let seen =
        |second| Observation { v1: count(second * 50.0, from(second, 60.0, 50.0)), ..Observation::default() };
    let (second, reason) = breach(LIMITS, 90, seen).unwrap();
    assert_eq!(reason, Reason::V1Burn);
    assert!((62.0..=63.5).contains(&second), "{second}");
    assert_eq!(breach(Limits { objective: None, ..LIMITS }, 90, seen), None);
}

#[test]
fn a_v2_that_fails_wholly_is_seen_in_half_the_time() {
    let seen =
        |second| Observation { v2: count(second * 50.0, from(second, 30.0, 50.0)), ..Observation::default() };
    let (second, reason) = breach(LIMITS, 60, seen).unwrap();
    assert_eq!(reason, Reason::V2Errors);
    assert!((34.0..=36.5).contains(&second), "{second}");
}

#[test]
fn a_v2_that_fails_from_the_start_is_not_condemned_on_a_handful() {
    let seen = |second: f64| Observation {
        v2: count((2.0 * second).min(13.0), (2.0 * second).min(13.0)),
        ..Observation::default()
    };
    assert_eq!(breach(LIMITS, 60, seen), None, "13 of 13, where half fail at the limit");
    let seen = |second: f64| Observation {
        v2: count((2.0 * second).min(14.0), (2.0 * second).min(14.0)),
        ..Observation::default()
    };
    assert_eq!(breach(LIMITS, 60, seen).map(|(_, reason)| reason), Some(Reason::V2Errors));
}

#[test]
fn a_v2_that_is_asked_for_the_first_time_has_half_of_the_window_to_warm_up() {
    let asked = |fails_for: f64| {
        move |second: f64| {
            let total = from(second, 60.0, 50.0);
            Observation { v2: count(total, total.min(fails_for * 50.0)), ..Observation::default() }
        }
    };
    assert_eq!(breach(LIMITS, 120, asked(4.0)), None);
    let (second, reason) = breach(LIMITS, 120, asked(60.0)).unwrap();
    assert_eq!(reason, Reason::V2Errors);
    assert!((65.0..=66.5).contains(&second), "{second}");
}

#[test]
fn errors_under_the_limit_are_for_the_judge() {
    let seen =
        |second| Observation { v2: count(second * 50.0, from(second, 0.0, 24.0)), ..Observation::default() };
    assert_eq!(breach(LIMITS, 120, seen), None);
}

#[test]
fn a_v2_that_restarts_is_waited_for_and_one_that_is_gone_is_not() {
    let gone = |from_second: f64, to_second: f64| {
        move |second: f64| {
            let bad = from(second, from_second, 20.0) - from(second, to_second, 20.0);
            Observation { attempts: count(second * 20.0, bad), ..Observation::default() }
        }
    };
    assert_eq!(breach(LIMITS, 60, gone(20.0, 28.0)), None);
    let (second, reason) = breach(LIMITS, 60, gone(20.0, 50.0)).unwrap();
    assert_eq!(reason, Reason::V2Unreachable);
    assert!((30.0..=30.5).contains(&second), "{second}");
}

#[test]
fn two_attempts_are_no_proof_however_long_ago() {
    let seen = |second: f64| Observation {
        attempts: count(second.min(2.0), second.min(2.0)),
        ..Observation::default()
    };
    assert_eq!(breach(LIMITS, 600, seen), None);
}

#[test]
fn losses_are_a_breach_while_they_go_on() {
    let seen = |lost: f64, clones: f64| {
        move |second: f64| Observation {
            clones: count(second * clones, second * clones * lost),
            ..Observation::default()
        }
    };
    assert_eq!(breach(LIMITS, 60, seen(0.4, 1000.0)), None);
    assert_eq!(breach(LIMITS, 60, seen(0.6, 1000.0)).map(|(_, reason)| reason), Some(Reason::Losses));
    assert_eq!(breach(LIMITS, 60, seen(0.9, 5.0)), None, "50 clones in the window");
}

#[test]
fn what_was_counted_before_is_not_held_against_anybody() {
    let seen = |second: f64| Observation {
        v1: count(1000.0 + second, 1000.0),
        v2: count(1000.0 + second, 1000.0),
        attempts: count(1000.0 + second, 1000.0),
        clones: count(1000.0 + second * 100.0, 1000.0),
    };
    assert_eq!(breach(LIMITS, 60, seen), None);
}

#[test]
fn harm_to_v1_goes_before_the_faults_of_v2() {
    let seen = |second: f64| Observation {
        v1: count(second * 50.0, from(second, 30.0, 50.0)),
        v2: count(second * 50.0, from(second, 28.0, 50.0)),
        ..Observation::default()
    };
    assert_eq!(breach(LIMITS, 60, seen).map(|(_, reason)| reason), Some(Reason::V1Burn));
}
