//! What was found, and what follows from it.

use std::borrow::Cow;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// Everything that was looked at.
#[derive(Clone, Debug)]
pub struct Report {
    /// The kernel's release, as it names itself.
    pub kernel: String,
    /// What was looked at, in the order in which a run needs it.
    pub rows: Vec<Row>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What it is; a key that others may script against.
    pub item: Cow<'static, str>,
    /// Whether it is there.
    pub state: State,
    /// What was found, in one line.
    pub detail: String,
    /// What a run would use it for.
    pub needed_for: &'static str,
    /// What is used, or can be given, instead.
    pub instead: Option<String>,
}

/// Whether a thing is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is there.
    Ok,
    /// It is not, but mirroring works all the same.
    Fallback,
    /// It is not, and mirroring needs it.
    Missing,
    /// It could not be asked.
    Unknown,
}

/// A thing about to be looked at.
#[derive(Clone, Debug)]
pub(super) struct Item {
    name: Cow<'static, str>,
    needed_for: &'static str,
}

impl Report {
    /// Whether everything that mirroring needs is there. What could not be asked is not.
    pub fn ok(&self) -> bool {
        self.rows.iter().all(|row| matches!(row.state, State::Ok | State::Fallback))
    }

    /// The whole of it in a sentence or two.
    pub fn verdict(&self) -> String {
        let missing = self.items(State::Missing);
        let unknown = self.items(State::Unknown).len();
        let mut verdict = match (missing.as_slice(), unknown, self.items(State::Fallback).len()) {
            ([], 0, 0) => "Everything that mirroring needs is here.".to_owned(),
            ([], 0, _) => "Everything that mirroring needs is here, in part by another way.".to_owned(),
            ([], ..) => {
                format!("Whether mirroring works here could not be found out; not answered: {unknown}.")
            }
            (missing, ..) => format!("Mirroring does not work here; missing: {}.", missing.join(", ")),
        };
        if missing.iter().any(|item| item.starts_with("CAP_")) {
            verdict.push_str(" Run it as root, or give it these capabilities.");
        }
        verdict
    }

    fn items(&self, state: State) -> Vec<&str> {
        self.rows.iter().filter(|row| row.state == state).map(|row| &*row.item).collect()
    }
}

/// One object: `kernel`, `ok` and `rows`.
impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Report", 3)?;
        object.serialize_field("kernel", &self.kernel)?;
        object.serialize_field("ok", &self.ok())?;
        object.serialize_field("rows", &self.rows)?;
        object.end()
    }
}

impl Item {
    pub(super) fn new(name: impl Into<Cow<'static, str>>, needed_for: &'static str) -> Item {
        Item { name: name.into(), needed_for }
    }

    /// It is there.
    pub(super) fn ok(self, detail: impl Into<String>) -> Row {
        self.row(State::Ok, detail.into(), None)
    }

    /// It is not there; `instead` is used.
    pub(super) fn instead(self, detail: impl Into<String>, instead: impl Into<String>) -> Row {
        self.row(State::Fallback, detail.into(), Some(instead.into()))
    }

    /// It is not there, and nothing stands in for it.
    pub(super) fn missing(self, detail: impl Into<String>) -> Row {
        self.row(State::Missing, detail.into(), None)
    }

    /// It could not be asked.
    pub(super) fn unknown(self, detail: impl Into<String>) -> Row {
        self.row(State::Unknown, detail.into(), None)
    }

    fn row(self, state: State, detail: String, instead: Option<String>) -> Row {
        Row { item: self.name, state, detail, needed_for: self.needed_for, instead }
    }
}

/// What went wrong, from the outside in: causes that the words before them already name are left out.
pub(super) fn why(error: &anyhow::Error) -> String {
    error.chain().map(|cause| one_line(&cause.to_string())).fold(String::new(), |words, cause| {
        match words.as_str() {
            "" => cause,
            known if known.contains(&cause) => words,
            known => format!("{known}: {cause}"),
        }
    })
}

/// A verifier's log has thousands of lines, of which the last that says something says why.
fn one_line(text: &str) -> String {
    let (before, log) = text.split_once("Verifier output:").unwrap_or((text, ""));
    let is_tally = |line: &&str| {
        ["processed ", "verification time", "stack depth"].iter().any(|word| line.starts_with(word))
    };
    let reason = log.lines().map(str::trim).rfind(|line| !line.is_empty() && !is_tally(line));
    let words = before.split_whitespace().collect::<Vec<_>>().join(" ");
    match reason {
        Some(reason) => format!("{words} {reason}"),
        None => words,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use anyhow::anyhow;

    use super::*;

    pub(in crate::check) fn sample() -> Report {
        let rows = vec![
            Item::new("kernel", "all").ok("6.1.0"),
            Item::new("tcx", "the taps").instead("not in this kernel", "clsact"),
            Item::new("CAP_BPF", "loading").missing("not held"),
            Item::new("map type array", "counting").unknown("asking takes CAP_BPF"),
        ];
        Report { kernel: "6.1.0".into(), rows }
    }

    fn report(states: &[State]) -> Report {
        let row =
            |(n, state): (usize, &State)| Item::new(format!("item {n}"), "x").row(*state, "y".into(), None);
        Report { kernel: "6.1.0".into(), rows: states.iter().enumerate().map(row).collect() }
    }

    #[test]
    fn the_verdict_follows_from_the_states() {
        use State::{Fallback, Missing, Ok, Unknown};
        for (states, ok, verdict) in [
            (&[][..], true, "Everything that mirroring needs is here."),
            (&[Ok, Ok], true, "Everything that mirroring needs is here."),
            (&[Ok, Fallback], true, "Everything that mirroring needs is here, in part by another way."),
            (
                &[Fallback, Unknown],
                false,
                "Whether mirroring works here could not be found out; not answered: 1.",
            ),
            (&[Ok, Missing, Unknown], false, "Mirroring does not work here; missing: item 1."),
            (
                &[Missing, Missing, Missing],
                false,
                "Mirroring does not work here; missing: item 0, item 1, item 2.",
            ),
        ] {
            let report = report(states);
            assert_eq!((report.ok(), report.verdict().as_str()), (ok, verdict), "{states:?}");
        }
    }

    #[test]
    fn a_missing_right_says_how_to_get_it() {
        let verdict = sample().verdict();
        assert_eq!(
            verdict,
            "Mirroring does not work here; missing: CAP_BPF. Run it as root, or give it these capabilities."
        );
    }

    #[test]
    fn json_has_every_key_of_every_row() {
        let value = serde_json::to_value(sample()).unwrap();
        let expect = serde_json::json!({
            "item": "tcx", "state": "fallback", "detail": "not in this kernel", "needed_for": "the taps", "instead": "clsact",
        });
        assert_eq!(value["rows"][1], expect);
        assert_eq!(value["rows"][2]["instead"], serde_json::Value::Null);
        let states: Vec<_> =
            value["rows"].as_array().unwrap().iter().map(|row| row["state"].clone()).collect();
        assert_eq!(states, ["ok", "fallback", "missing", "unknown"]);
    }

    #[test]
    fn a_verifier_log_becomes_one_line() {
        for (text, expect) in [
            ("", ""),
            ("one", "one"),
            ("two\nlines", "two lines"),
            ("refused. Verifier output: ", "refused."),
            (
                "refused. Verifier output: 0: r1\nR1 is no pointer\nprocessed 2 insns\n",
                "refused. R1 is no pointer",
            ),
        ] {
            assert_eq!(one_line(text), expect);
        }
    }

    #[test]
    fn a_cause_is_said_once() {
        let error =
            anyhow!("EPERM").context("make `x`").context("map error: make `x`").context("create the maps");
        assert_eq!(why(&error), "create the maps: map error: make `x`: EPERM");
    }
}
