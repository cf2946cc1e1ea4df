//! The sum of everything that was read: where each frame, byte, connection and exchange ended.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::output::wire::{Text, Time};
use super::paths::{Classes, Named, Paths, Row};
use crate::latency::Latency;
use crate::time::Nanos;

/// What is known at the end. As JSON it is the last object of `--format json`.
#[derive(Debug, Default)]
pub struct Summary {
    /// Records of the files.
    pub frames: Fates,
    /// TCP segments.
    pub segments: Fates,
    /// Bytes of TCP payload.
    pub payload_bytes: Fates,
    /// TCP connections.
    pub connections: Fates,
    /// Exchanges, by how they ended.
    pub exchanges: Fates,
    /// Every other count, by name.
    pub counters: BTreeMap<&'static str, u64>,
    /// What was in the traffic and is in no exchange, by reason. Text shows those over zero loudly.
    pub lost: BTreeMap<&'static str, u64>,
    /// Problems of exchanges, by name.
    pub problems: BTreeMap<&'static str, u64>,
    /// Exchanges by host and path template.
    pub paths: Paths,
    /// Time of the first frame.
    pub first: Option<Nanos>,
    /// Time of the last frame.
    pub last: Option<Nanos>,
}

/// Things that each had exactly one fate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// How many there were, counted on their own.
    pub total: u64,
    /// How many had each fate. Fates that did not occur are there as zeroes, so that scripts can rely on them.
    pub fates: BTreeMap<&'static str, u64>,
}

impl Fates {
    /// None of anything yet, with these fates.
    pub fn new(fates: impl IntoIterator<Item = &'static str>) -> Fates {
        Fates { total: 0, fates: fates.into_iter().map(|fate| (fate, 0)).collect() }
    }

    /// Those that have no fate (or, below zero, more than one). Anything but zero is our fault.
    pub fn imbalance(&self) -> i64 {
        let with_fate = self.fates.values().fold(0u64, |sum, count| sum.wrapping_add(*count));
        self.total.wrapping_sub(with_fate) as i64
    }
}

impl Summary {
    /// Everything that must balance, by name.
    pub fn balances(&self) -> [(&'static str, &Fates); 5] {
        [
            ("frames", &self.frames),
            ("segments", &self.segments),
            ("payload_bytes", &self.payload_bytes),
            ("connections", &self.connections),
            ("exchanges", &self.exchanges),
        ]
    }
}

impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_struct("Summary", 12)?;
        map.serialize_field("first", &self.first.map(Time))?;
        map.serialize_field("last", &self.last.map(Time))?;
        for (name, fates) in self.balances() {
            map.serialize_field(name, fates)?;
        }
        map.serialize_field("problems", &self.problems)?;
        map.serialize_field("lost", &self.lost)?;
        map.serialize_field("counters", &self.counters)?;
        map.serialize_field("paths", &self.paths.sorted())?;
        map.serialize_field("other_paths", self.paths.other())?;
        map.end()
    }
}

impl Serialize for Fates {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_struct("Fates", 3)?;
        map.serialize_field("total", &self.total)?;
        map.serialize_field("fates", &self.fates)?;
        map.serialize_field("imbalance", &self.imbalance())?;
        map.end()
    }
}

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_struct("Named", 6)?;
        map.serialize_field("host", &Text(self.host))?;
        map.serialize_field("path", &Text(self.path))?;
        fields(&mut map, self.row)?;
        map.end()
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_struct("Row", 4)?;
        fields(&mut map, self)?;
        map.end()
    }
}

impl Serialize for Classes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_struct("Classes", 7)?;
        for (name, count) in ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(&self.known) {
            map.serialize_field(name, count)?;
        }
        map.serialize_field("other", &self.other)?;
        map.serialize_field("none", &self.none)?;
        map.end()
    }
}

fn fields<M: SerializeStruct>(map: &mut M, row: &Row) -> Result<(), M::Error> {
    map.serialize_field("exchanges", &row.count)?;
    map.serialize_field("status", &row.status)?;
    map.serialize_field("ttfb_s", &Quantiles(&row.ttfb))?;
    map.serialize_field("total_s", &Quantiles(&row.total))
}

struct Quantiles<'a>(&'a Latency);

impl Serialize for Quantiles<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_struct("Quantiles", 3)?;
        map.serialize_field("count", &self.0.count())?;
        map.serialize_field("p50", &self.0.quantile(0.5))?;
        map.serialize_field("p99", &self.0.quantile(0.99))?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::read::record::COMPLETE;
    use crate::read::record::tests::{START, record, request, response};

    #[test]
    fn what_has_no_fate_or_two_is_an_imbalance() {
        let mut fates = Fates::new(["tcp", "udp"]);
        assert_eq!(fates.imbalance(), 0);
        fates.total = 3;
        *fates.fates.entry("tcp").or_default() += 1;
        assert_eq!(fates.imbalance(), 2);
        *fates.fates.entry("new").or_default() += 3;
        assert_eq!(fates.imbalance(), -1);
        let parsed: Value = serde_json::to_value(&fates).unwrap();
        assert_eq!(parsed, json!({"total": 3, "fates": {"new": 3, "tcp": 1, "udp": 0}, "imbalance": -1}));
    }

    #[test]
    fn the_summary_as_json() {
        let mut summary = Summary { first: Some(Nanos(START)), ..Summary::default() };
        summary.counters.insert("gap_bytes", 9);
        let (request, response) = (request("GET", b"/users/7"), response(200));
        summary.paths.add(&record(Some(&request), Some(&response), COMPLETE));
        let parsed: Value = serde_json::to_value(&summary).unwrap();
        assert_eq!(parsed["first"], "2026-03-01T12:00:00.123456789Z");
        assert_eq!(parsed["last"], Value::Null);
        assert_eq!(parsed["counters"], json!({"gap_bytes": 9}));
        assert_eq!(parsed["exchanges"], json!({"total": 0, "fates": {}, "imbalance": 0}));
        let path = &parsed["paths"][0];
        assert_eq!((&path["host"], &path["path"]), (&json!("shop.example"), &json!("/users/{id}")));
        assert_eq!(path["exchanges"], 1);
        let classes = json!({"1xx": 0, "2xx": 1, "3xx": 0, "4xx": 0, "5xx": 0, "other": 0, "none": 0});
        assert_eq!(path["status"], classes);
        assert_eq!(path["total_s"]["count"], 1);
        let p99 = path["total_s"]["p99"].as_f64().unwrap();
        assert!((p99 / 0.002 - 1.0).abs() < 0.045, "{p99}");
        assert_eq!(parsed["other_paths"]["ttfb_s"], json!({"count": 0, "p50": null, "p99": null}));
    }
}
