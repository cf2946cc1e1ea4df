use super::*;
use crate::judge::statistics::random::Random;
use mirror_common::histogram::{SLOTS, slot};

/// What a world does to v1: the latency factor and error rate with and without the mirror, and how often both stall.
struct World {
    rate: u64,
    slower: f64,
    errors: [f64; 2],
    stalls: bool,
}

const QUIET: World = World { rate: 50, slower: 1.0, errors: [0.0, 0.0], stalls: false };

/// Runs it for so many seconds; answers when harm was found, and the switchback.
fn run(world: &World, seconds: u64, seed: u64) -> (Option<u64>, Switchback) {
    let mut random = Random(seed);
    let mut switchback = Switchback::new(Duration::from_secs(3600), Nanos(0), (seed ^ 0x5a5a) as u32);
    let mut v1 = Arm { events: Count::default(), ttfb: vec![0; SLOTS] };
    let (mut found, mut stalled) = (None, 0.0f64);
    for tick in 0..seconds * 4 {
        let is_on = switchback.look(Nanos(tick * 250_000_000), &v1);
        if world.stalls && random.chance(0.02) {
            stalled = 200e-3;
        }
        for _ in 0..world.rate / 4 {
            let factor = if is_on { world.slower } else { 1.0 };
            let latency = 5e-3 * (0.5 * random.normal()).exp() * factor + stalled;
            v1.ttfb[slot((latency * 1e9) as u64) as usize] += 1;
            v1.events.total += 1;
            v1.events.bad += u64::from(random.chance(world.errors[usize::from(!is_on)]));
        }
        stalled *= 0.2;
        if found.is_none() && switchback.breach().is_some() {
            found = Some(tick / 4);
        }
    }
    (found, switchback)
}

#[test]
fn a_mirror_that_does_no_harm_is_left_alone_even_among_stalls() {
    let worlds = [QUIET, World { stalls: true, ..QUIET }, World { errors: [0.02, 0.02], ..QUIET }];
    for world in worlds {
        let alarms = (0..60).filter(|seed| run(&world, 900, *seed).0.is_some()).count();
        assert!(alarms <= 1, "{alarms} of 60");
    }
}

#[test]
fn a_mirror_that_slows_v1_down_is_found() {
    for seed in 0..5 {
        let (found, _) = run(&World { slower: 1.5, ..QUIET }, 600, seed);
        assert!(found.is_some_and(|second| second <= 400), "{found:?}");
    }
}

#[test]
fn errors_that_only_the_mirror_brings_are_found_and_counted() {
    let (found, switchback) = run(&World { errors: [0.1, 0.01], ..QUIET }, 600, 7);
    assert!(found.is_some_and(|second| second <= 400), "{found:?}");
    let finding = switchback.finding();
    let expected = 0.09 * finding.on.total as f64;
    assert!(
        (0.6 * expected..1.4 * expected).contains(&(switchback.excess(finding.on.total).unwrap() as f64)),
        "{finding:?}"
    );
    assert!(switchback.breach().unwrap().why.contains("errors: v1 did worse with the mirror"));
}

#[test]
fn errors_that_come_anyway_are_not_the_mirrors() {
    let (_, switchback) = run(&World { errors: [0.05, 0.05], ..QUIET }, 600, 3);
    assert_eq!(switchback.excess(100_000), Some(0));
}

#[test]
fn it_is_on_half_of_the_time_at_first_and_nearly_always_later() {
    let mut switchback = Switchback::new(Duration::from_secs(600), Nanos(0), 1);
    let v1 = Arm::default();
    let mut on = [0u64; 2];
    for tick in 0..4 * 12_000 {
        let is_on = switchback.look(Nanos(tick * 250_000_000), &v1);
        on[usize::from(tick >= 4 * 700)] += u64::from(is_on);
    }
    assert!((0.4..0.65).contains(&(on[0] as f64 / 2800.0)), "{on:?}");
    assert!((0.92..0.97).contains(&(on[1] as f64 / (48_000.0 - 2800.0))), "{on:?}");
}

#[test]
fn no_traffic_shows_nothing() {
    let (found, switchback) = run(&World { rate: 0, ..QUIET }, 600, 1);
    assert_eq!((found, switchback.finding().pairs, switchback.excess(0)), (None, 0, None));
}

#[test]
fn an_interrupted_pair_votes_for_nothing() {
    let mut switchback = Switchback::new(Duration::from_secs(600), Nanos(0), 1);
    let mut v1 = Arm { events: Count::default(), ttfb: vec![0; SLOTS] };
    for tick in 0..4 * 600 {
        let now = Nanos(tick * 250_000_000);
        v1.events = v1.events.plus(Count { total: 10, bad: tick % 3 });
        v1.ttfb[50] += 10;
        switchback.look(now, &v1);
        if tick % 4 == 0 {
            switchback.interrupt(now);
            assert!(switchback.is_on());
        }
    }
    assert_eq!(switchback.finding().votes.iter().map(|(_, worse, better)| worse + better).sum::<u64>(), 0);
}
