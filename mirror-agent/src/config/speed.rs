//! How fast a capture is replayed: a multiple of its own pace, or as fast as the limits allow.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The slowest and the fastest multiple. Beyond, a slip of the keys is likelier than a wish.
const RANGE: std::ops::RangeInclusive<f64> = 0.001..=1000.0;

/// How fast a capture is replayed. Written and read as text: `1x`, `0.5x`, `max`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// This many times as fast as it was captured.
    Times(f64),
    /// As fast as the limits allow.
    Max,
}

impl Speed {
    /// The pace of the capture.
    pub const CAPTURED: Speed = Speed::Times(1.0);

    /// How long after the beginning something is due that was captured `since` the beginning; `None` for [`Speed::Max`],
    /// where everything is due at once.
    pub fn due(self, since: Duration) -> Option<Duration> {
        match self {
            Speed::Times(times) => {
                Some(Duration::try_from_secs_f64(since.as_secs_f64() / times).unwrap_or(Duration::MAX))
            }
            Speed::Max => None,
        }
    }
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Speed, String> {
        if text == "max" {
            return Ok(Speed::Max);
        }
        let times =
            text.strip_suffix('x').filter(|number| is_plain(number)).and_then(|number| number.parse().ok());
        match times {
            Some(times) if RANGE.contains(&times) => Ok(Speed::Times(times)),
            Some(_) => Err(format!(
                "{text} is not from {}x to {}x; max has no pace at all",
                RANGE.start(),
                RANGE.end()
            )),
            None => Err(format!("{text:?} is not a speed: write for example 2x, 0.5x or max")),
        }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Speed::Times(times) => write!(f, "{times}x"),
            Speed::Max => f.write_str("max"),
        }
    }
}

/// Digits and at most one point: no sign, no exponent, no `inf`.
fn is_plain(number: &str) -> bool {
    number.starts_with(|first: char| first.is_ascii_digit())
        && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn speeds_are_read_as_they_are_written() {
        let cases = [("1x", 1.0), ("2x", 2.0), ("0.5x", 0.5), ("1000x", 1000.0), ("0.001x", 0.001)];
        for (text, times) in cases {
            let speed: Speed = text.parse().unwrap();
            assert_eq!(speed, Speed::Times(times));
            assert_eq!(speed.to_string(), text);
        }
        assert_eq!("max".parse::<Speed>().unwrap(), Speed::Max);
        assert_eq!(Speed::Max.to_string(), "max");
    }

    #[test]
    fn what_is_no_speed_is_refused() {
        for text in ["", "x", "2", "-1x", "+1x", "1e3x", "infx", "nanx", "1.2.3x", "Max", "2X", ".5x", " 2x"]
        {
            let said = text.parse::<Speed>().unwrap_err();
            assert!(said.contains("is not a speed"), "{text}: {said}");
        }
        for text in ["0x", "0.0001x", "1001x"] {
            assert!(text.parse::<Speed>().unwrap_err().contains("is not from 0.001x to 1000x"), "{text}");
        }
    }

    #[test]
    fn what_is_due_is_due_by_the_pace_alone() {
        let second = Duration::from_secs(1);
        for (text, due) in
            [("1x", second), ("2x", second / 2), ("0.5x", second * 2), ("0.001x", second * 1000)]
        {
            assert_eq!(text.parse::<Speed>().unwrap().due(second), Some(due), "{text}");
        }
        assert_eq!(Speed::Max.due(second), None);
        assert_eq!(Speed::Times(0.001).due(Duration::MAX), Some(Duration::MAX));
    }

    proptest! {
        /// Against integers: the gaps add up to the whole, whatever their number, to a microsecond in a month.
        #[test]
        fn nothing_drifts(gaps in proptest::collection::vec(0u64..1_000_000_000_000, 1..2000), times in 1u32..=1000) {
            let since: u64 = gaps.iter().sum();
            let due = Speed::Times(times.into()).due(Duration::from_nanos(since)).unwrap();
            prop_assert!(due.abs_diff(Duration::from_nanos(since / u64::from(times))) < Duration::from_micros(1));
        }
    }
}
