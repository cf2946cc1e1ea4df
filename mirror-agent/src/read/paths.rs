//! The table of hosts and path templates: how often, how it went, how long it took.

use std::time::Duration;

use hashbrown::HashMap;
use mirror_common::histogram::slot;

use super::record::Record;
use crate::latency::Latency;
use crate::route::{self, Place};

/// Rows. Whatever would be a further one is counted in one row for all of them.
pub const ROWS: usize = 1000;

/// Every exchange is in exactly one row.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    rows: HashMap<Vec<u8>, Row>,
    other: Row,
    /// Reused, so that a known row costs no allocation.
    key: Vec<u8>,
}

/// What is known of the exchanges of one host and template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Exchanges.
    pub count: u64,
    /// Exchanges by the class of their status.
    pub status: Classes,
    /// From request to response, of those that are complete.
    pub ttfb: Latency,
    /// From the first byte to the last, of those that are complete.
    pub total: Latency,
}

/// Exchanges by the class of their status (RFC 9110, section 15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes {
    /// Of class 1 to 5, at 0 to 4.
    pub known: [u64; 5],
    /// Of a status from 600.
    pub other: u64,
    /// Without a response.
    pub none: u64,
}

/// A row with its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    /// In lower case; `-` if there is none.
    pub host: &'a [u8],
    /// The template; `-` if there is no path.
    pub path: &'a [u8],
    /// What is known.
    pub row: &'a Row,
}

impl Paths {
    /// Counts an exchange.
    pub fn add(&mut self, record: &Record<'_>) {
        self.name(record);
        if let Some(row) = self.rows.get_mut(&self.key) {
            return row.add(record);
        }
        if self.rows.len() < ROWS {
            return self.rows.entry(self.key.clone()).or_default().add(record);
        }
        self.other.add(record);
    }

    /// All rows, those with the most exchanges first.
    pub fn sorted(&self) -> Vec<Named<'_>> {
        let mut rows: Vec<_> = self.rows.iter().map(|(key, row)| named(key, row)).collect();
        rows.sort_unstable_by_key(|one| (std::cmp::Reverse(one.row.count), one.host, one.path));
        rows
    }

    /// The exchanges for which there was no row.
    pub fn other(&self) -> &Row {
        &self.other
    }

    /// Sets the key: the length of the host, the host, the template. The length keeps names apart that would read the
    /// same when put together.
    fn name(&mut self, record: &Record<'_>) {
        let nowhere = Place { host: b"-", path: b"-" };
        let place = record.request.map_or(nowhere, Place::of);
        self.key.clear();
        self.key.push(0);
        place.host_key(&mut self.key);
        let len = u8::try_from(self.key.len() - 1).unwrap_or(u8::MAX); // a host is cut to 253
        if let Some(first) = self.key.first_mut() {
            *first = len;
        }
        route::template(place.path, &mut self.key);
    }
}

impl Row {
    fn add(&mut self, record: &Record<'_>) {
        self.count += 1;
        self.status.add(record.response.map(|response| response.status));
        record.ttfb().into_iter().for_each(|time| count(&mut self.ttfb, time));
        record.total().into_iter().for_each(|time| count(&mut self.total, time));
    }
}

impl Classes {
    fn add(&mut self, status: Option<u16>) {
        let Some(status) = status else {
            self.none += 1;
            return;
        };
        let class = usize::from(status / 100);
        let of_class = self.known.get_mut(class.wrapping_sub(1));
        *of_class.unwrap_or(&mut self.other) += 1;
    }
}

fn count(latency: &mut Latency, time: Duration) {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    if let Some(bucket) = latency.slots.get_mut(slot(nanos) as usize) {
        *bucket += 1;
    }
    latency.sum_ns = latency.sum_ns.wrapping_add(nanos);
}

fn named<'a>(key: &'a [u8], row: &'a Row) -> Named<'a> {
    let (len, names) = key.split_first().unwrap_or((&0, &[]));
    let (host, path) = names.split_at_checked(usize::from(*len)).unwrap_or_default();
    Named { host, path, row }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::record::COMPLETE;
    use crate::read::record::tests::{headers, record, request, response};

    fn add(paths: &mut Paths, host: &str, target: &str, status: Option<u16>) {
        let mut request = request("GET", target.as_bytes());
        request.headers = headers(&[("Host", host.as_bytes())]);
        let response = status.map(response);
        let end = if response.is_some() { COMPLETE } else { "response_missing" };
        paths.add(&record(Some(&request), response.as_ref(), end));
    }

    #[test]
    fn one_row_for_each_host_and_template_most_exchanges_first() {
        let mut paths = Paths::default();
        add(&mut paths, "b", "/users/1", Some(200));
        add(&mut paths, "a", "/users/1", Some(200));
        add(&mut paths, "A", "/users/2?x", Some(404));
        add(&mut paths, "a", "/", None);
        paths.add(&record(None, None, "tls"));
        let rows: Vec<_> = paths
            .sorted()
            .iter()
            .map(|one| format!("{} {} {}", one.row.count, one.host.escape_ascii(), one.path.escape_ascii()))
            .collect();
        assert_eq!(rows, ["2 a /users/{id}", "1 - -", "1 a /", "1 b /users/{id}"]);
    }

    #[test]
    fn classes_and_latencies() {
        let mut paths = Paths::default();
        for status in [100, 200, 204, 304, 404, 500, 599, 600, 999] {
            add(&mut paths, "a", "/", Some(status));
        }
        add(&mut paths, "a", "/", None);
        let rows = paths.sorted();
        let row = rows[0].row;
        assert_eq!(row.status, Classes { known: [1, 2, 1, 1, 2], other: 2, none: 1 });
        assert_eq!((row.count, row.total.count(), row.ttfb.count()), (10, 9, 9));
        assert_eq!(row.total.sum_ns, 9 * 2_000_000);
        let p50 = row.ttfb.quantile(0.5).unwrap();
        assert!((p50 / 0.0015 - 1.0).abs() < 0.045, "{p50}");
    }

    #[test]
    fn the_table_has_an_end_and_loses_nothing() {
        let mut paths = Paths::default();
        for index in 0..ROWS + 500 {
            add(&mut paths, &format!("host-{index}.example"), "/", Some(200));
        }
        add(&mut paths, "host-0.example", "/", Some(200));
        let rows = paths.sorted();
        assert_eq!((rows.len(), paths.other().count), (ROWS, 500));
        assert_eq!(rows[0].row.count, 2);
        assert_eq!(rows.iter().map(|one| one.row.count).sum::<u64>(), ROWS as u64 + 1);
    }

    #[test]
    fn names_that_read_the_same_together_are_two() {
        let mut paths = Paths::default();
        add(&mut paths, "a", "bc", Some(200));
        add(&mut paths, "ab", "c", Some(200));
        assert_eq!(paths.sorted().len(), 2);
    }
}
