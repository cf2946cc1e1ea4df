//! The differences that were found: totals by part, and a bounded list of the newest, redacted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::coding::Problem;
use crate::compare::{Comparison, Difference, Part};
use crate::service::VERSIONS;
use crate::status::by_name;

/// Exchanges with differences that are kept. A newer one pushes the oldest out.
const KEPT: usize = 256;
/// Exchanges with differences that are kept from the beginning, whatever comes after.
const FIRST: usize = 10;
/// Names of rules that differences are counted under. There is one for each rule, and new ones come with a new config only.
const NAMES: usize = 1024;
/// What the rest is counted under.
const OTHER: &str = "other";

/// One exchange whose answers differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The service's name.
    pub service: String,
    /// When v1's answer was whole, in nanoseconds of Unix time.
    pub at_ns: u64,
    /// The request's method.
    pub method: String,
    /// The request's target, redacted.
    pub target: String,
    /// What it has in common with others, for example `/users/{id}`; redacted.
    pub route: String,
    /// v1's status.
    pub v1_status: u16,
    /// v2's status.
    pub v2_status: u16,
    /// Where they differ.
    pub differences: Vec<Difference>,
    /// Differences beyond the most that one comparison keeps.
    pub dropped: u32,
}

/// Differences by part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Status codes.
    pub status: u64,
    /// Header fields.
    pub header: u64,
    /// Places in bodies.
    pub body: u64,
    /// Headers and JSON paths that only one side has.
    pub missing: u64,
}

impl Totals {
    /// The total of one part.
    pub fn of(&self, part: Part) -> u64 {
        match part {
            Part::Status => self.status,
            Part::Header => self.header,
            Part::Body => self.body,
            Part::Missing => self.missing,
        }
    }

    fn add(&mut self, part: Part) {
        match part {
            Part::Status => self.status += 1,
            Part::Header => self.header += 1,
            Part::Body => self.body += 1,
            Part::Missing => self.missing += 1,
        }
    }
}

/// Bodies that could not be decoded to be compared, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undecodable {
    /// Of v1, in the order of [`Problem::ALL`].
    pub v1: [u64; Problem::ALL.len()],
    /// Of v2, in the same order.
    pub v2: [u64; Problem::ALL.len()],
}

/// What differed for one service.
#[derive(Debug, Default)]
pub struct Differences(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    totals: Totals,
    ignored: u64,
    hidden: BTreeMap<Arc<str>, u64>,
    undecodable: Undecodable,
    exchanges: u64,
    first: Vec<Record>,
    newest: VecDeque<Record>,
}

impl Undecodable {
    /// The counts by version and by the reason's name.
    pub fn by_version(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        let by_reason = |counts: &[u64]| by_name(Problem::ALL.map(Problem::as_str), counts);
        let versions = VERSIONS.map(str::to_owned).into_iter();
        versions.zip([by_reason(&self.v1), by_reason(&self.v2)]).collect()
    }
}

impl Differences {
    /// Counts what a comparison hid by rule, and what it could not decode; call it for every comparison.
    pub fn note(&self, comparison: &Comparison) {
        let mut kept = self.lock();
        kept.ignored += u64::from(comparison.ignored);
        for (rule, hidden) in &comparison.hidden {
            kept.hide(rule, u64::from(*hidden));
        }
        count(comparison.undecodable.v1, &mut kept.undecodable.v1);
        count(comparison.undecodable.v2, &mut kept.undecodable.v2);
    }

    /// Adds an exchange whose answers differ.
    pub fn add(&self, record: Record) {
        let mut kept = self.lock();
        record.differences.iter().for_each(|difference| kept.totals.add(difference.part));
        kept.exchanges += 1;
        if kept.first.len() < FIRST {
            kept.first.push(record.clone());
        }
        if kept.newest.len() == KEPT {
            kept.newest.pop_front();
        }
        kept.newest.push_back(record);
    }

    /// Differences so far, by part.
    pub fn totals(&self) -> Totals {
        self.lock().totals
    }

    /// Differences that rules hid so far.
    pub fn ignored(&self) -> u64 {
        self.lock().ignored
    }

    /// Differences that rules hid so far, by the name of the rule.
    pub fn hidden(&self) -> BTreeMap<String, u64> {
        self.lock().hidden.iter().map(|(rule, count)| (rule.to_string(), *count)).collect()
    }

    /// Bodies that could not be decoded so far.
    pub fn undecodable(&self) -> Undecodable {
        self.lock().undecodable
    }

    /// Exchanges with at least one difference so far.
    pub fn exchanges(&self) -> u64 {
        self.lock().exchanges
    }

    /// The first that were found.
    pub fn first(&self) -> Vec<Record> {
        self.lock().first.clone()
    }

    /// The newest, oldest first.
    pub fn newest(&self) -> Vec<Record> {
        self.lock().newest.iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn hide(&mut self, rule: &Arc<str>, count: u64) {
        if let Some(hidden) = self.hidden.get_mut(rule) {
            *hidden += count;
            return;
        }
        let rule = if self.hidden.len() < NAMES { rule.clone() } else { OTHER.into() };
        *self.hidden.entry(rule).or_default() += count;
    }
}

fn count(problem: Option<Problem>, counts: &mut [u64; Problem::ALL.len()]) {
    for (one, count) in Problem::ALL.into_iter().zip(counts) {
        *count += u64::from(problem == Some(one));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Field, Kind};

    #[test]
    fn the_list_is_bounded_and_the_totals_are_not() {
        let differences = Differences::default();
        for at_ns in 0..KEPT as u64 + 3 {
            differences.add(record(at_ns));
        }
        assert_eq!(differences.newest().len(), KEPT);
        assert_eq!(differences.newest()[0].at_ns, 3);
        let first: Vec<_> = differences.first().iter().map(|record| record.at_ns).collect();
        assert_eq!(first, (0..FIRST as u64).collect::<Vec<_>>());
        assert_eq!(differences.totals(), Totals { status: KEPT as u64 + 3, ..Totals::default() });
    }

    #[test]
    fn what_could_not_be_decoded_is_counted_by_version_and_reason() {
        let differences = Differences::default();
        let undecodable = |v1, v2| Comparison {
            undecodable: crate::compare::Undecodable { v1, v2 },
            ..Comparison::default()
        };
        differences.note(&undecodable(None, None));
        for problem in Problem::ALL {
            differences.note(&undecodable(Some(problem), None));
        }
        differences.note(&undecodable(Some(Problem::TooMany), Some(Problem::Window)));
        let expected = Undecodable { v1: [1, 2, 1, 1, 1, 1], v2: [0, 0, 0, 0, 0, 1] };
        assert_eq!(differences.undecodable(), expected);
    }

    #[test]
    fn what_rules_hid_is_counted_by_their_names() {
        let differences = Differences::default();
        for rule in 0..NAMES + 2 {
            let hidden = [(Arc::from(rule.to_string()), 2)].into();
            differences.note(&Comparison { ignored: 2, hidden, ..Comparison::default() });
        }
        let hidden = differences.hidden();
        assert_eq!((hidden.len(), hidden["0"], hidden[OTHER]), (NAMES + 1, 2, 4));
        assert_eq!(hidden.values().sum::<u64>(), differences.ignored());
    }

    fn record(at_ns: u64) -> Record {
        let (part, kind) = (Part::Status, Kind::Value);
        let field = Field { part, kind, name: "status".into(), leaf: true };
        let difference = Difference { part, path: "status".into(), kind, v1: None, v2: None, field };
        Record {
            service: "a".into(),
            at_ns,
            method: "GET".into(),
            target: "/".into(),
            route: "/".into(),
            v1_status: 200,
            v2_status: 500,
            differences: vec![difference],
            dropped: 0,
        }
    }
}
