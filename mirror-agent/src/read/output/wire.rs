//! Values as JSON, straight from the bytes of the wire: nothing is copied into a tree first.

use std::fmt::{self, Display, Formatter, Write};
use std::time::{Duration, SystemTime};

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, Serializer};

use crate::http::Headers;
use crate::time::Nanos;

/// Bytes that are text. What is not UTF-8 is read as ISO-8859-1, which is what obs-text once was (RFC 9110, section
/// 5.5): every byte becomes one character, so the bytes can be had again.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(pub &'a [u8]);

/// A time in RFC 3339, in UTC, with nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Time(pub Nanos);

/// A time in RFC 3339, in UTC, with milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Millis(pub Nanos);

/// A duration in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Seconds(pub Duration);

/// A digest in hexadecimal.
#[derive(Clone, Copy, Debug)]
pub struct Hex(pub [u8; 32]);

/// Bytes in base64 (RFC 4648, section 4).
#[derive(Clone, Copy, Debug)]
pub struct Base64<T>(pub T);

/// Anything that is written as it is displayed.
#[derive(Clone, Copy, Debug)]
pub struct Displayed<T>(pub T);

/// What went wrong with an exchange, then with its bodies.
#[derive(Clone, Debug)]
pub struct Problems<'a, const N: usize> {
    /// Problems of the exchange.
    pub exchange: &'a [&'static str],
    /// Problems of bodies that are shown.
    pub bodies: [Option<&'static str>; N],
}

/// Field lines as `[[name, value], ...]`.
#[derive(Clone, Copy, Debug)]
pub struct Pairs<'a>(pub &'a Headers);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match str::from_utf8(self.0) {
            Ok(text) => to.serialize_str(text),
            Err(_) => to.collect_str(self),
        }
    }
}

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match str::from_utf8(self.0) {
            Ok(text) => f.write_str(text),
            Err(_) => self.0.iter().try_for_each(|byte| f.write_char(char::from(*byte))),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&humantime::format_rfc3339_nanos(system(self.0)))
    }
}

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&humantime::format_rfc3339_millis(system(self.0)))
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.0.as_nanos() as f64 / 1e9) // not as_secs_f64, which rounds twice
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        to.serialize_str(str::from_utf8(&digits).unwrap_or_default())
    }
}

impl<T: AsRef<[u8]>> Serialize for Base64<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&Base64Display::new(self.0.as_ref(), &STANDARD))
    }
}

impl<T: Display> Serialize for Displayed<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<const N: usize> Serialize for Problems<'_, N> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.exchange.iter().chain(self.bodies.iter().flatten()))
    }
}

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(|(name, value)| (Text(name), Text(value))))
    }
}

/// The time as the formatter of times wants it.
pub(super) fn system(at: Nanos) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(at.0)
}

fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: impl Serialize, expected: &str) {
        assert_eq!(serde_json::to_string(&value).unwrap(), expected);
    }

    #[test]
    fn bytes_that_are_no_utf8_are_one_character_each() {
        check(Text("grün \"x\"".as_bytes()), "\"grün \\\"x\\\"\"");
        check(Text(b"gr\xfcn\x00\x1b"), "\"grün\\u0000\\u001b\"");
        let all: Vec<u8> = (0..=255).collect();
        let parsed: String = serde_json::from_str(&serde_json::to_string(&Text(&all)).unwrap()).unwrap();
        assert_eq!(parsed.chars().map(|c| u8::try_from(c).unwrap()).collect::<Vec<_>>(), all);
    }

    #[test]
    fn times() {
        check(Time(Nanos(0)), "\"1970-01-01T00:00:00.000000000Z\"");
        check(Time(Nanos(1_772_366_400_000_000_001)), "\"2026-03-01T12:00:00.000000001Z\"");
        check(Time(Nanos(u64::MAX)), "\"2554-07-21T23:34:33.709551615Z\"");
        check(Millis(Nanos(1_772_366_400_123_999_999)), "\"2026-03-01T12:00:00.123Z\"");
        check(Seconds(Duration::from_nanos(1_500_001)), "0.001500001");
        check(Seconds(Duration::ZERO), "0.0");
    }

    #[test]
    fn digests_and_base64() {
        let mut digest = [0; 32];
        digest[0] = 0xaf;
        digest[31] = 0x09;
        check(Hex(digest), &format!("\"af{}09\"", "00".repeat(30)));
        // RFC 4648, section 10.
        check(Base64(b"fooba"), "\"Zm9vYmE=\"");
        check(Displayed(7), "\"7\"");
    }
}
