//! A point of a series, as Jackson writes it.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use crate::contracts::shown;

/// A number, or none: Jackson writes NaN and infinities as text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point(pub Option<f64>);

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Point, D::Error> {
        deserializer.deserialize_any(PointVisitor)
    }
}

struct PointVisitor;

impl Visitor<'_> for PointVisitor {
    type Value = Point;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, null, \"NaN\", \"Infinity\" or \"-Infinity\"")
    }

    fn visit_f64<E>(self, value: f64) -> Result<Point, E> {
        Ok(Point(Some(value).filter(|value| value.is_finite())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Point, E> {
        Ok(Point(Some(value as f64)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Point, E> {
        Ok(Point(Some(value as f64)))
    }

    fn visit_unit<E>(self) -> Result<Point, E> {
        Ok(Point(None))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Point, E> {
        match text {
            // An infinity comes of a division by nothing: no number was measured.
            "NaN" | "Infinity" | "-Infinity" => Ok(Point(None)),
            _ => Err(E::custom(format!("{} is no number", shown(text)))),
        }
    }
}
