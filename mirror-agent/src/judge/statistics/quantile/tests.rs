use super::*;
use crate::judge::statistics::random::{Random, false_alarms};

/// The two-sided test, as it was published.
fn two_sided(v1: &[u64], v2: &[u64], p: f64) -> f64 {
    let mixture = Mixture::new(p, Side::Both, Tuning { trials: 100.0, level: 0.05 });
    let lowest_within = |all: f64| {
        let at_rest = (0..=all as u64)
            .map(|count| count as f64)
            .min_by(|a, b| mixture.log_evidence(*a, all).total_cmp(&mixture.log_evidence(*b, all)))
            .unwrap();
        move |from: f64, to: f64| mixture.log_evidence(at_rest.clamp(from, to), all)
    };
    lowest_by_bucket(v1, v2, lowest_within(total(v1)), lowest_within(total(v2)))
}

/// 1 to 1000 in buckets of one, and the same shifted up.
fn shifted(offset: usize) -> (Vec<u64>, Vec<u64>) {
    let of = |low: usize| (0..1200).map(|value| u64::from((low..low + 1000).contains(&value))).collect();
    (of(1), of(1 + offset))
}

/// confseq `test/uniform_boundaries_unittest.cpp`, `QuantileABTest`: t_opt = 100, alpha_opt = 0.05.
#[test]
fn the_published_p_values_come_out() {
    for (p, offset, expected) in
        [(0.5, 70, 0.814_704), (0.5, 85, 0.083_805_5), (0.5, 100, 0.005_494_7), (0.9, 55, 0.034_046_3)]
    {
        let (v1, v2) = shifted(offset);
        let p_value = (-two_sided(&v1, &v2, p)).exp().min(1.0);
        assert!((p_value - expected).abs() < 6e-7, "p{p} + {offset}: {p_value}, not {expected}");
    }
}

#[test]
fn it_sees_v2_slower_and_never_v2_faster() {
    let (v1, v2) = shifted(100);
    // One side needs no evidence for the other: 0.0055 above.
    assert!(quantile_log_evidence(&v1, &v2, 0.5) > -0.005_494_7f64.ln());
    assert!(quantile_log_evidence(&v2, &v1, 0.5) < 0.0);
    assert!(quantile_log_evidence(&v1, &v1, 0.5) < 0.0);
    // Coarser buckets never show more, and one bucket shows nothing.
    let coarse = |counts: &[u64]| counts.chunks(50).map(|chunk| chunk.iter().sum()).collect::<Vec<u64>>();
    let fine = quantile_log_evidence(&v1, &v2, 0.5);
    let found = quantile_log_evidence(&coarse(&v1), &coarse(&v2), 0.5);
    assert!(found <= fine && found < fine - 0.1, "{found} {fine}");
    assert!(quantile_log_evidence(&[1000], &[1000], 0.5) < 0.0);
}

/// The definition at every x between and at values, without buckets.
#[test]
fn buckets_of_one_value_each_are_the_test_on_the_values_themselves() {
    let mut random = Random(7);
    for p in [0.3, 0.5, 0.9] {
        let mut draw =
            |above: f64| (0..60).map(|_| (random.share() * 40.0 + above) as u64).collect::<Vec<u64>>();
        let (v1, v2) = (draw(0.0), draw(5.0));
        let by_bucket = |values: &[u64]| {
            (0..64).map(|x| values.iter().filter(|value| **value == x).count() as u64).collect::<Vec<u64>>()
        };
        let above = Mixture::new(p, Side::Above, tuning(p));
        let below = Mixture::new(p, Side::Below, tuning(p));
        let counted = |values: &[u64], is_in: &dyn Fn(u64) -> bool| {
            values.iter().filter(|value| is_in(**value)).count() as f64
        };
        let lowest = (0..64)
            .map(|x| {
                above.log_evidence(counted(&v1, &|value| value < x), 60.0)
                    + below.log_evidence(counted(&v2, &|value| value <= x), 60.0)
            })
            .fold(f64::INFINITY, f64::min);
        assert!((quantile_log_evidence(&by_bucket(&v1), &by_bucket(&v2), p) - lowest).abs() < 1e-9);
    }
}

#[test]
fn too_few_are_known_as_such() {
    assert_eq!([0.5, 0.9, 0.95, 0.99, 0.999].map(fewest_samples), [4, 36, 76, 396, 3996]);
    assert_eq!([0.0, 1.0, f64::NAN].map(fewest_samples), [u64::MAX; 3]);
}

#[test]
fn it_is_a_number_for_any_counts() {
    for p in [1e-9, 0.5, 0.999_999, 0.0, 1.0, f64::NAN] {
        for most in [0, 1, 1_000_000, u64::MAX] {
            for other in [0, 3, u64::MAX] {
                let (v1, v2) = (vec![most; 218], vec![other; 218]);
                assert!(!quantile_log_evidence(&v1, &v2, p).is_nan());
                assert!(!quantile_log_evidence(&v1, &[0, other, 0], p).is_nan());
                assert_eq!(quantile_log_evidence(&[], &[], p), 0.0);
            }
        }
    }
}

/// A lognormal latency in buckets of an eighth of an octave.
fn record(counts: &mut [u64], random: &mut Random, times: f64) {
    let octaves = (random.normal() * 0.5 + times.ln()) / std::f64::consts::LN_2;
    counts[((octaves * 8.0 + 40.0).clamp(0.0, 79.0)) as usize] += 1;
}

/// The highest evidence of twenty looks.
fn highest(mut random: Random, batch: u64, p: f64, times: f64) -> f64 {
    let (mut v1, mut v2) = ([0; 80], [0; 80]);
    let mut highest = f64::MIN;
    for _ in 0..20 {
        for _ in 0..batch {
            record(&mut v1, &mut random, 1.0);
            record(&mut v2, &mut random, times);
        }
        highest = quantile_log_evidence(&v1, &v2, p).max(highest);
    }
    highest
}

#[test]
fn two_that_are_alike_seldom_differ_however_often_they_are_looked_at() {
    for (p, batch) in [(0.5, 20), (0.9, 40), (0.99, 100)] {
        let alarms = false_alarms(300, 0.01, |random| highest(random, batch, p, 1.0));
        assert!(alarms <= 3, "p{p}: {alarms} of 300");
    }
}

#[test]
fn a_slower_v2_is_found() {
    for (p, batch, times) in [(0.5, 50, 1.3), (0.99, 500, 1.5)] {
        let found = false_alarms(20, 0.01, |random| highest(random, batch, p, times));
        assert_eq!(found, 20, "p{p}");
    }
}
