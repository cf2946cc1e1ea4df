//! The clock of an interface: ticks of its own resolution, from an offset of its own.

use crate::time::Nanos;

const SECOND: u128 = 1_000_000_000;

/// Turns an interface's ticks into Unix time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    tick: Tick,
    /// Nanoseconds to add.
    offset: i128,
}

/// How long a tick is.
#[derive(Clone, Copy, Debug)]
enum Tick {
    /// So many nanoseconds.
    Nanos(u128),
    /// So many ticks are a nanosecond.
    Parts(u128),
    /// A second, halved so many times.
    Halves(u32),
}

impl Clock {
    /// `resolution` is the value of `if_tsresol`: a negative power of 10, or of 2 with the highest bit set; microseconds
    /// if there is none. `offset` is that of `if_tsoffset`, in seconds.
    pub(super) fn new(resolution: Option<u8>, offset: i64) -> Clock {
        let resolution = resolution.unwrap_or(6);
        let power = u32::from(resolution & 0x7f);
        let tick = match power {
            _ if resolution & 0x80 != 0 => Tick::Halves(power),
            0..=9 => Tick::Nanos(10u128.pow(9 - power)),
            _ => Tick::Parts(10u128.saturating_pow(power - 9)),
        };
        Clock { tick, offset: i128::from(offset) * SECOND as i128 }
    }

    /// The time at a tick, rounded down, and whether it had to be clamped to what [`Nanos`] can tell.
    pub(super) fn at(&self, ticks: u64) -> (Nanos, bool) {
        let ticks = u128::from(ticks);
        // The largest product, 2^64 seconds in nanoseconds, is below 2^94: nothing here overflows.
        let nanos = match self.tick {
            Tick::Nanos(length) => ticks * length,
            Tick::Parts(parts) => ticks / parts,
            Tick::Halves(power) => (ticks * SECOND) >> power,
        };
        let time = nanos as i128 + self.offset;
        match u64::try_from(time) {
            Ok(nanos) => (Nanos(nanos), false),
            Err(_) => (Nanos(if time < 0 { 0 } else { u64::MAX }), true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(resolution: Option<u8>, offset: i64, ticks: u64, nanos: u64, clamped: bool) {
        assert_eq!(Clock::new(resolution, offset).at(ticks), (Nanos(nanos), clamped), "{resolution:?}");
    }

    #[test]
    fn powers_of_ten() {
        check(None, 0, 1_700_000_000_123_456, 1_700_000_000_123_456_000, false);
        check(Some(0), 0, 3, 3_000_000_000, false);
        check(Some(3), 0, 1_500, 1_500_000_000, false);
        check(Some(9), 0, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789, false);
        check(Some(12), 0, 1_999, 1, false);
        check(Some(28), 0, u64::MAX, 1, false);
        check(Some(29), 0, u64::MAX, 0, false);
        check(Some(127), 0, u64::MAX, 0, false);
    }

    #[test]
    fn powers_of_two() {
        check(Some(0x80), 0, 7, 7_000_000_000, false);
        check(Some(0x80 | 10), 0, 1_536, 1_500_000_000, false);
        check(Some(0x80 | 32), 0, 3 << 31, 1_500_000_000, false);
        check(Some(0x80 | 63), 0, 1 << 63, 1_000_000_000, false);
        check(Some(0xff), 0, u64::MAX, 0, false);
    }

    #[test]
    fn offsets_and_the_ends_of_time() {
        check(Some(6), 1_700_000_000, 1, 1_700_000_000_000_001_000, false);
        check(Some(9), -1, 1_000_000_001, 1, false);
        check(Some(9), -2, 1_000_000_000, 0, true);
        check(Some(9), 0, u64::MAX, u64::MAX, false);
        check(Some(9), 1, u64::MAX, u64::MAX, true);
        check(Some(0), i64::MAX, u64::MAX, u64::MAX, true);
        check(Some(0), i64::MIN, 0, 0, true);
        check(Some(0), -18_446_744_072, 18_446_744_073, 1_000_000_000, false);
    }
}
