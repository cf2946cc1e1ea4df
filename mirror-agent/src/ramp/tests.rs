use super::*;

const STEPS: [Step; 3] = [
    Step { share_ppm: 10_000, lasts: Duration::from_secs(60), blocks: 30 },
    Step { share_ppm: 250_000, lasts: Duration::from_secs(120), blocks: 60 },
    Step { share_ppm: 1_000_000, lasts: Duration::from_secs(60), blocks: 30 },
];

const FINE: Seen<'_> = Seen { verdict: Outcome::Pass, why: "fine", blocks: 1000, held: None };
const OPEN: Seen<'_> = Seen { verdict: Outcome::Inconclusive, why: "too little", ..FINE };
const WORSE: Seen<'_> = Seen { verdict: Outcome::Fail, why: "errors", ..FINE };

fn second(seconds: u64) -> Nanos {
    Nanos(seconds * 1_000_000_000)
}

/// The shares over so many seconds, each with the second from which on it held.
fn shares(ramp: &mut Ramp, seconds: u64, seen: impl Fn(u64) -> Seen<'static>) -> Vec<(u64, u32)> {
    let mut shares: Vec<(u64, u32)> = Vec::new();
    for now in 0..seconds {
        ramp.look(second(now), &seen(now));
        if shares.last().is_none_or(|(_, share)| *share != ramp.share_ppm()) {
            shares.push((now, ramp.share_ppm()));
        }
    }
    shares
}

#[test]
fn a_good_v2_gets_every_step_for_its_time() {
    let mut ramp = Ramp::new(STEPS.to_vec(), None);
    assert_eq!(shares(&mut ramp, 1000, |_| FINE), [(0, 10_000), (60, 250_000), (180, 1_000_000)]);
    assert_eq!(ramp.look(second(1000), &FINE), Move::Done);
}

#[test]
fn without_evidence_time_moves_nothing() {
    let mut ramp = Ramp::new(STEPS.to_vec(), None);
    assert_eq!(shares(&mut ramp, 100_000, |_| OPEN), [(0, 10_000)]);
    let few = Seen { blocks: 29, ..FINE };
    assert_eq!(ramp.look(second(100_000), &few), Move::Hold("29 of 30 seconds with requests".into()));
    assert_eq!(ramp.look(second(100_000), &FINE), Move::Rise(1));
}

#[test]
fn a_bad_v2_falls_at_once_and_stays_down() {
    let mut ramp = Ramp::new(STEPS.to_vec(), None);
    let seen = |now| if (70..80).contains(&now) { WORSE } else { FINE };
    assert_eq!(shares(&mut ramp, 10_000, seen), [(0, 10_000), (60, 250_000), (70, 0)]);
    assert_eq!(ramp.state(), State::Fallen);
    ramp.begin_anew();
    assert_eq!(ramp.look(second(10_000), &FINE), Move::Rise(0));
}

#[test]
fn a_bad_v2_falls_after_the_last_step_too() {
    let mut ramp = Ramp::new(STEPS.to_vec(), None);
    let seen = |now| if now < 5000 { FINE } else { WORSE };
    assert_eq!(shares(&mut ramp, 6000, seen).last(), Some(&(5000, 0)));
}

#[test]
fn what_is_held_begins_its_step_again() {
    let mut ramp = Ramp::new(STEPS.to_vec(), None);
    let held = Seen { held: Some("paused"), ..FINE };
    let seen = |now| if (50..100).contains(&now) { held } else { FINE };
    assert_eq!(shares(&mut ramp, 200, seen), [(0, 10_000), (160, 250_000)]);
    let mut ramp = Ramp::new(STEPS.to_vec(), None);
    assert_eq!(shares(&mut ramp, 100, |_| held), [(0, 0)], "nothing begins while it is held");
}

#[test]
fn a_restart_comes_back_at_the_step_before_and_never_above() {
    let back = |kept| Ramp::new(STEPS.to_vec(), Some(kept)).state();
    assert_eq!(back(State::Waiting), State::Waiting);
    assert_eq!(back(State::Step(0)), State::Waiting);
    assert_eq!(back(State::Step(1)), State::Step(0));
    assert_eq!(back(State::Step(2)), State::Step(1));
    assert_eq!(back(State::Step(9)), State::Step(2), "a config with fewer steps");
    assert_eq!(back(State::Fallen), State::Fallen);
    let mut ramp = Ramp::new(STEPS.to_vec(), Some(State::Step(2)));
    assert_eq!(
        shares(&mut ramp, 1000, |_| FINE),
        [(0, 250_000), (120, 1_000_000)],
        "and its time begins anew"
    );
}
