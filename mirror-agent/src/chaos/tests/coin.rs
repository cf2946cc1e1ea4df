//! Who meets a fault.

use std::time::Duration;

use crate::chaos::{Coin, Kind};
use crate::config::Share;

fn chosen(seed: u32, percent: u32) -> Vec<u64> {
    let (coin, share) = (Coin::new(seed), Share::from_ppm(percent * 10_000).unwrap());
    (0..20_000).filter(|connection| coin.chooses(*connection, share)).collect()
}

#[test]
fn a_share_is_met_and_a_smaller_one_is_within_a_larger() {
    for seed in [0, 1, 0xdead_beef] {
        assert!(chosen(seed, 0).is_empty());
        assert_eq!(chosen(seed, 100).len(), 20_000);
        let (few, more) = (chosen(seed, 5), chosen(seed, 20));
        // Five standard deviations of a binomial count about its mean.
        assert!(
            (few.len() as f64 - 1000.0).abs() < 5.0 * (20_000.0f64 * 0.05 * 0.95).sqrt(),
            "{}",
            few.len()
        );
        assert!(
            (more.len() as f64 - 4000.0).abs() < 5.0 * (20_000.0f64 * 0.2 * 0.8).sqrt(),
            "{}",
            more.len()
        );
        assert!(few.iter().all(|one| more.contains(one)));
    }
    assert_eq!(chosen(7, 5), chosen(7, 5));
    assert_ne!(chosen(7, 5), chosen(8, 5));
}

#[test]
fn delays_are_spread_evenly_about_their_mean_and_never_below_nothing() {
    let (latency, jitter) = (Duration::from_millis(200), Duration::from_millis(50));
    let delays: Vec<u128> =
        (0..4000).map(|nth| Coin::new(3).delay(nth % 7, nth, latency, jitter).as_micros()).collect();
    assert!(delays.iter().all(|delay| (150_000..=250_000).contains(delay)));
    for quarter in 0..4 {
        let from = 150_000 + quarter * 25_000;
        let within = delays.iter().filter(|delay| (from..from + 25_000).contains(*delay)).count();
        assert!((850..1150).contains(&within), "{quarter}: {within}");
    }
    assert_eq!(Coin::new(3).delay(1, 2, latency, Duration::ZERO), latency);
    assert!(Coin::new(3).delay(1, 2, jitter, latency) <= 2 * jitter);
}

#[test]
fn every_kind_has_its_name() {
    let kinds = [
        Kind::Delay { latency: Duration::ZERO, jitter: Duration::ZERO },
        Kind::Abort,
        Kind::Reset,
        Kind::Blackhole,
        Kind::Bandwidth { bytes_per_second: 1 },
    ];
    assert_eq!(kinds.map(Kind::as_str), ["delay", "abort", "reset", "blackhole", "bandwidth"]);
}
