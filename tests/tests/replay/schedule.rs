//! Requests go when they are due: by the capture's own times, divided by the speed, whatever went before them.

use std::time::Duration;

use crate::script::{Script, ok};
use crate::tool::{Said, replay};
use crate::version::Version;

/// What a busy machine may hold a process up, besides what it reports of itself.
const HELD_UP: f64 = 0.1;

/// Offsets of requests in milliseconds, out of order by connection and uneven.
const TIMES: [(u16, u64); 8] = [(0, 0), (1, 40), (0, 100), (2, 250), (1, 260), (2, 600), (0, 610), (1, 1000)];

fn script() -> Script {
    let mut script = Script::default();
    TIMES.iter().for_each(|(connection, ms)| script.get(*connection, *ms, &format!("/{ms}")));
    script
}

/// When each target came, in seconds behind the first.
fn arrivals(v2: &Version) -> Vec<(String, f64)> {
    let asked = v2.asked();
    asked.iter().map(|one| (one.target.clone(), (one.at - asked[0].at).as_secs_f64())).collect()
}

fn check_kept(said: &Said, v2: &Version, times: f64) {
    said.check_all_compared(TIMES.len());
    let late = said.seconds("/lateness/max_s");
    assert_eq!(said.count("/lateness/count"), TIMES.len() as u64);
    for (target, came) in arrivals(v2) {
        let due = target[1..].parse::<f64>().unwrap() / 1000.0 / times;
        // Early only by as much as the first was late or held up itself.
        assert!((came - due).abs() < late + HELD_UP, "{target} came at {came}, due at {due}: {said:?}");
    }
}

#[test]
fn gaps_are_those_of_the_capture() {
    let v2 = Version::honest();
    check_kept(&replay(script().file().path(), v2.address, &[]), &v2, 1.0);
}

#[test]
fn a_speed_divides_the_gaps() {
    for (speed, times) in [("2x", 2.0), ("0.5x", 0.5)] {
        let v2 = Version::honest();
        check_kept(&replay(script().file().path(), v2.address, &["--speed", speed]), &v2, times);
    }
}

#[test]
fn max_does_not_wait_for_the_capture() {
    let mut script = Script::default();
    (0..200).for_each(|n| script.get(n % 7, u64::from(n) * 1000, &format!("/{n}")));
    let v2 = Version::honest();
    let said = replay(script.file().path(), v2.address, &["--speed", "max"]);
    said.check_all_compared(200);
    assert!(said.seconds("/elapsed_s") < 100.0, "the capture took 199 s: {said:?}");
    assert!(said.summary["lateness"].is_null(), "nothing is due: {said:?}");
}

/// v2 is slower than the capture: on one connection requests wait for answers, are late, and it is said.
#[test]
fn a_slow_v2_makes_requests_late_and_not_out_of_order() {
    let mut script = Script::default();
    (0..10).for_each(|n| script.get(0, n * 5, &format!("/{n}")));
    let slow = |target: &str| {
        std::thread::sleep(Duration::from_millis(30));
        ok(target)
    };
    let v2 = Version::start(slow);
    let said = replay(script.file().path(), v2.address, &[]);
    said.check_all_compared(10);
    let targets: Vec<_> = (0..10).map(|n| format!("/{n}")).collect();
    assert_eq!(v2.conversations(), [targets]);
    assert!(v2.asked().iter().all(|asked| !asked.is_crowded));
    // The last is due after 45 ms and waits for nine answers of 30 ms.
    assert!(said.seconds("/lateness/max_s") >= 0.225, "{said:?}");
}
