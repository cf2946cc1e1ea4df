use super::*;
use crate::guard::events::Events;
use crate::judge::statistics::random::Random;

const DAY: Duration = Duration::from_secs(24 * 3600);
const OBJECTIVE: Objective = Objective { ratio: 0.999, period: Duration::from_secs(30 * 24 * 3600) };

/// sloth's own windows for 30 and 7 days, and ours: published factors.
#[test]
fn the_factors_are_the_published_ones() {
    let factor = |days: u32, percent: f64, long: u64| {
        let windows =
            Windows { name: "", long: Duration::from_secs(long), short: DAY, budget: percent / 100.0 };
        windows.factor(DAY * days)
    };
    let published = [
        (30, 2.0, 3600, 14.4),
        (30, 5.0, 6 * 3600, 6.0),
        (30, 10.0, 24 * 3600, 3.0),
        (30, 10.0, 72 * 3600, 1.0),
        (7, 8.0, 3600, 13.44),
        (7, 12.5, 6 * 3600, 3.5),
        (30, 0.1, 60, 43.2),
        (30, 0.25, 300, 21.6),
    ];
    for (days, percent, long, expected) in published {
        assert!((factor(days, percent, long) - expected).abs() < 1e-9, "{days} {percent} {long}");
    }
    assert_eq!(WINDOWS.map(|windows| (windows.factor(DAY * 30) * 10.0).round()), [432.0, 216.0, 144.0]);
}

/// When a service of a steady rate begins to fail, after so many healthy seconds.
fn detected_after(rate: f64, errors: f64, healthy: u64, random: &mut Random) -> Option<f64> {
    let (mut events, mut count) = (Events::new(Nanos(0), Count::default()), Count::default());
    let (tick, mut due) = (0.25, 0.0);
    for step in 1..4 * 7200 {
        let now = Nanos(step * 250_000_000);
        let is_bad = step > healthy * 4;
        due += rate * tick;
        while due >= 1.0 {
            due -= 1.0;
            count.total += 1;
            count.bad += u64::from(random.chance(if is_bad { errors } else { 0.0005 }));
        }
        events.look(now, count);
        if WINDOWS.iter().any(|windows| windows.look(now, &events, &OBJECTIVE).is_breach) {
            return Some(step as f64 * tick - healthy as f64);
        }
    }
    None
}

/// `(1 - SLO) / errors * factor * window`: 2.6, 8.6, 25.9 and 51.8 s by the published table, to the second that counts are
/// kept for.
#[test]
fn detection_takes_as_long_as_the_formula_says() {
    for (errors, expected) in [(1.0, 2.6), (0.3, 8.6), (0.1, 25.9), (0.05, 51.8)] {
        for rate in [10.0, 100.0] {
            let mut found: Vec<f64> = (0..9)
                .map(|seed| detected_after(rate, errors, 300, &mut Random(seed)).expect("it is detected"))
                .collect();
            found.sort_by(f64::total_cmp);
            let median = found[4];
            let tolerance = 1.5 + 0.15 * expected;
            assert!(
                (median - expected).abs() <= tolerance,
                "{errors} at {rate}/s: {median} s, not {expected}"
            );
        }
    }
}

#[test]
fn an_hour_of_health_is_no_breach_at_any_rate() {
    for rate in [0.2, 1.0, 10.0, 100.0] {
        let runs = if rate < 50.0 { 12 } else { 2 };
        for seed in 0..runs {
            let mut random = Random(seed * 7919 + rate as u64);
            let found = detected_after(rate, 0.0005, 7200, &mut random);
            assert_eq!(found, None, "{rate}/s, seed {seed}");
        }
    }
}

/// As after five minutes of health: what the agent has not seen is not held against v1, nor is it waited for.
#[test]
fn the_first_minute_is_as_any_other() {
    for (errors, expected) in [(1.0, 2.6), (0.3, 8.6)] {
        let found = detected_after(50.0, errors, 0, &mut Random(1)).unwrap();
        assert!((found - expected).abs() < 2.5, "{errors}: {found}");
    }
}

/// Two of two that fail are an outage, however little traffic there is.
#[test]
fn few_requests_that_all_fail_are_a_breach() {
    let mut events = Events::new(Nanos(0), Count::default());
    let now = Nanos(60_000_000_000);
    events.look(now, Count { total: 1, bad: 1 });
    assert!(!WINDOWS[0].look(now, &events, &OBJECTIVE).is_breach, "one may be chance");
    events.look(now, Count { total: 2, bad: 2 });
    assert!(WINDOWS[0].look(now, &events, &OBJECTIVE).is_breach);
}

#[test]
fn what_is_over_is_no_breach() {
    let (mut events, mut count) = (Events::new(Nanos(0), Count::default()), Count::default());
    for second in 1..=30 {
        count.total += 100;
        count.bad += if second <= 10 { 100 } else { 0 };
        events.look(Nanos(second * 1_000_000_000), count);
    }
    let burn = WINDOWS[0].look(Nanos(30_000_000_000), &events, &OBJECTIVE);
    assert!(burn.long > burn.factor && burn.short == 0.0 && !burn.is_breach, "{burn:?}");
}
