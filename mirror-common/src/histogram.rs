//! Base-2 exponential histograms of scale 3: eight buckets an octave, upper-inclusive.
//!
//! The bounds equal those of Prometheus native histograms of schema 3 and of OTLP exponential histograms of scale 3, so
//! export and merging are exact. A bucket is 9.05 % wide; an estimate at its geometric mean errs by 4.4 % at most.

use core::mem::size_of;

use crate::limits::{SERVICES, THRESHOLDS, VERSIONS};
use crate::turn::{measure, outcome, round_trip};

/// The lowest bound is 2^10 ns, about 1.02 µs.
pub const LOWEST_OCTAVE: u32 = 10;
/// The highest bound is 2^37 ns, about 137 s.
pub const HIGHEST_OCTAVE: u32 = 37;
/// Buckets an octave.
pub const PER_OCTAVE: u32 = 8;
/// Slots: one below the lowest bound, 216 between, one above the highest.
pub const SLOTS: usize = ((HIGHEST_OCTAVE - LOWEST_OCTAVE) * PER_OCTAVE) as usize + 2;

/// `floor(2^63 * 2^(j/8))` for j = 1 to 7, from exact integer roots.
const BOUNDS: [u64; 7] = [
    0x8b95_c1e3_ea8b_d6e6,
    0x9837_f051_8db8_a96f,
    0xa5fe_d6a9_b151_38ea,
    0xb504_f333_f9de_6484,
    0xc567_2a11_5506_dadd,
    0xd744_fcca_d69d_6af4,
    0xeac0_c6e7_dd24_392e,
];

/// The slot of a value in nanoseconds: no loop, no float.
#[inline(always)]
pub fn slot(value: u64) -> u32 {
    if value <= 1 << LOWEST_OCTAVE {
        return 0;
    }
    if value > 1 << HIGHEST_OCTAVE {
        return SLOTS as u32 - 1;
    }
    let octave = 63 - value.leading_zeros();
    let mantissa = value << (63 - octave);
    let within = if mantissa == 1 << 63 { 0 } else { 1 + bounds_below(mantissa) };
    (octave - LOWEST_OCTAVE) * PER_OCTAVE + within
}

/// How many of the seven inner bounds are below `mantissa`, by three compares.
#[inline(always)]
fn bounds_below(mantissa: u64) -> u32 {
    let mut below = 0;
    if mantissa > BOUNDS[3] {
        below += 4;
        if mantissa > BOUNDS[5] {
            below += 2;
            if mantissa > BOUNDS[6] {
                below += 1
            }
        } else if mantissa > BOUNDS[4] {
            below += 1;
        }
    } else if mantissa > BOUNDS[1] {
        below += 2;
        if mantissa > BOUNDS[2] {
            below += 1
        }
    } else if mantissa > BOUNDS[0] {
        below += 1;
    }
    below
}

/// One series. Monotonic forever: nobody ever resets it. Its count is the sum of its slots.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// Counts by [`slot`]; the rest is room for masking.
    pub slots: [u64; 224],
    /// Sum of all values, in nanoseconds; wraps.
    pub sum: u64,
    /// Values at or under each of the service's thresholds.
    pub under: [u64; THRESHOLDS],
    /// Always zero.
    pub zero: [u64; 23],
}
const _: () = assert!(size_of::<Histogram>() == 2048 && SLOTS <= 224);

/// Series of turns.
const TURN_SERIES: u32 = SERVICES * VERSIONS * measure::COUNT * outcome::COUNT;
/// How many series there are: turns, then round trips.
pub const SERIES: u32 = TURN_SERIES + SERVICES * VERSIONS * round_trip::COUNT * 2;

/// The series of one measure and outcome of one version.
#[inline(always)]
pub fn series(service: u8, version: u8, measure: u8, outcome: u8) -> u32 {
    ((service as u32 * VERSIONS + version as u32) * measure::COUNT + measure as u32) * outcome::COUNT
        + outcome as u32
}

/// The series of the round trips of one kind between the tap and one side of one version's connections.
#[inline(always)]
pub fn round_trip_series(service: u8, version: u8, kind: u8, side: u8) -> u32 {
    let version = service as u32 * VERSIONS + version as u32;
    TURN_SERIES + (version * round_trip::COUNT + kind as u32) * 2 + side as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    extern crate std;

    /// Upper-inclusive bound k/8 octaves above 1 ns: `value <= 2^(k/8)` exactly when `value^8 <= 2^k`, compared as
    /// big integers.
    fn oracle(value: u64) -> u32 {
        (0..SLOTS as u32 - 1)
            .find(|slot| power_of_eight_at_most(value, LOWEST_OCTAVE * PER_OCTAVE + slot))
            .unwrap_or(SLOTS as u32 - 1)
    }

    /// `value^8 <= 2^exponent`, by schoolbook multiplication on 32-bit limbs.
    fn power_of_eight_at_most(value: u64, exponent: u32) -> bool {
        let mut product = std::vec![1u32];
        for _ in 0..8 {
            let high = multiply(&product, (value >> 32) as u32);
            product = multiply(&product, value as u32);
            add_shifted(&mut product, &high);
        }
        let bits = product.len() as u32 * 32 - product.last().map_or(0, |limb| limb.leading_zeros());
        let is_power = product.iter().map(|limb| limb.count_ones()).sum::<u32>() == 1;
        bits <= exponent || (bits == exponent + 1 && is_power)
    }

    fn multiply(limbs: &[u32], by: u32) -> std::vec::Vec<u32> {
        let mut carry = 0u64;
        let mut out: std::vec::Vec<u32> = limbs
            .iter()
            .map(|limb| {
                carry += *limb as u64 * by as u64;
                let low = carry as u32;
                carry >>= 32;
                low
            })
            .collect();
        out.push(carry as u32);
        trim(out)
    }

    fn add_shifted(to: &mut std::vec::Vec<u32>, limbs: &[u32]) {
        to.resize(to.len().max(limbs.len() + 1) + 1, 0);
        let mut carry = 0u64;
        let shifted = limbs.iter().copied().chain(core::iter::repeat(0));
        for (limb, by) in to.iter_mut().skip(1).zip(shifted) {
            carry += *limb as u64 + by as u64;
            *limb = carry as u32;
            carry >>= 32;
        }
        *to = trim(core::mem::take(to));
    }

    fn trim(mut limbs: std::vec::Vec<u32>) -> std::vec::Vec<u32> {
        while limbs.len() > 1 && limbs.last() == Some(&0) {
            limbs.pop();
        }
        limbs
    }

    #[test]
    fn every_bound_and_its_neighbours_agree_with_exact_integers() {
        for k in 0..=(HIGHEST_OCTAVE + 1) * PER_OCTAVE {
            let near = 2f64.powf(k as f64 / 8.0) as u64;
            for value in near.saturating_sub(2)..=near + 2 {
                assert_eq!(slot(value), oracle(value), "{value}");
            }
        }
    }

    #[test]
    fn the_ends_hold_everything_else() {
        assert_eq!(slot(0), 0);
        assert_eq!(slot(1 << 10), 0);
        assert_eq!(slot((1 << 10) + 1), 1);
        assert_eq!(slot(1 << 31), (31 - 10) * 8);
        assert_eq!(slot(1 << 37), SLOTS as u32 - 2);
        assert_eq!(slot((1 << 37) + 1), SLOTS as u32 - 1);
        assert_eq!(slot(u64::MAX), SLOTS as u32 - 1);
    }

    #[test]
    fn every_series_has_its_own_index() {
        let mut seen = std::collections::HashSet::new();
        for service in 0..SERVICES as u8 {
            for version in 0..VERSIONS as u8 {
                for measure in 0..measure::COUNT as u8 {
                    for outcome in 0..outcome::COUNT as u8 {
                        let index = series(service, version, measure, outcome);
                        assert!(index < SERIES && seen.insert(index));
                    }
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_value_agrees_with_exact_integers(shift in 0u32..64, value: u64) {
            let value = value >> shift;
            proptest::prop_assert_eq!(slot(value), oracle(value));
        }
    }
}
