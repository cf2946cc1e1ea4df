//! What the lines of a guest say of each test.
//!
//! The lines are those of Rust's test runner, one test at a time, our own that begin with `@@`, and two that tests write
//! past the runner: `skipped: REASON` and `verified: PROGRAM COUNT`.

use std::collections::BTreeMap;

use anyhow::{Result as Judgement, ensure};

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Result {
    Pass,
    Fail,
    /// It did not run, or found nothing to test: why.
    Skip(String),
}

/// A test that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) suite: String,
    pub(super) test: String,
    pub(super) result: Result,
}

/// Everything that a guest said.
#[derive(Default)]
pub(super) struct Outcomes {
    ended: Vec<Outcome>,
    suite: String,
    current: Option<(String, Option<String>)>,
    /// What is not as it should be, beside failed tests.
    broken: Vec<String>,
    /// What the test runner said of the failures.
    failures: Vec<String>,
    tells_failures: bool,
    left_out: usize,
    /// Instructions that the verifier looked at, by program.
    pub(super) verified: BTreeMap<String, u64>,
}

impl Outcomes {
    /// Takes a line; gives the test that it ends, if it ends one.
    pub(super) fn take(&mut self, line: &str) -> Option<Outcome> {
        if let Some(ours) = line.strip_prefix("@@ ") {
            return self.take_ours(ours);
        }
        if let Some(reason) = line.strip_prefix("skipped: ") {
            if let Some((_, skipped)) = &mut self.current {
                *skipped = Some(reason.to_owned());
            }
            return None;
        }
        if let Some((program, count)) = line.strip_prefix("verified: ").and_then(|rest| rest.split_once(' '))
        {
            self.verified.extend(count.parse().ok().map(|count| (program.to_owned(), count)));
            return None;
        }
        let begun = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "));
        let said = match begun {
            Some((test, said)) => {
                self.current = Some((test.to_owned(), None));
                said
            }
            None => line,
        };
        self.tell_failure(line);
        self.end(said)
    }

    fn take_ours(&mut self, line: &str) -> Option<Outcome> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (word, rest) {
            ("suite", name) => (self.suite, self.tells_failures) = (name.to_owned(), false),
            ("left-out", rest) => {
                let (test, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                self.left_out += 1;
                return Some(self.outcome(test.to_owned(), Result::Skip(reason.to_owned())));
            }
            ("ended", "0") | ("done", _) => {}
            ("ended", status) => self.broken.push(format!("{} ended with {status}", self.suite)),
            _ => self.broken.push(line.to_owned()),
        }
        None
    }

    fn end(&mut self, said: &str) -> Option<Outcome> {
        let failed = match said {
            "ok" => false,
            "FAILED" => true,
            _ => return None,
        };
        let (test, skipped) = self.current.take()?;
        let result = match (failed, skipped) {
            (true, _) => Result::Fail,
            (false, None) => Result::Pass,
            (false, Some(reason)) => Result::Skip(reason),
        };
        let outcome = self.outcome(test, result);
        self.ended.push(outcome.clone());
        Some(outcome)
    }

    fn outcome(&self, test: String, result: Result) -> Outcome {
        Outcome { suite: self.suite.clone(), test, result }
    }

    /// The runner tells failures twice: with what each said, and as a list.
    fn tell_failure(&mut self, line: &str) {
        self.tells_failures |= line == "failures:";
        if self.tells_failures {
            self.failures.push(line.to_owned());
        }
    }

    fn count(&self, wanted: impl Fn(&Result) -> bool) -> usize {
        self.ended.iter().filter(|outcome| wanted(&outcome.result)).count()
    }

    /// In one line.
    pub(super) fn summary(&self) -> String {
        let passed = self.count(|result| *result == Result::Pass);
        let failed = self.count(|result| *result == Result::Fail);
        let skipped = self.count(|result| matches!(result, Result::Skip(_)));
        format!("{passed} passed, {failed} failed, {skipped} skipped, {} left out", self.left_out)
    }

    /// Nothing failed, and nothing was skipped: these kernels have every feature that a test asks for. What is left out
    /// by name has its reason there.
    pub(super) fn judge(&self) -> Judgement<()> {
        let skips = self.ended.iter().filter(|outcome| matches!(outcome.result, Result::Skip(_)));
        let skips: String = skips.map(|outcome| format!("\n  skipped: {}", outcome.test)).collect();
        let failures: String = self.failures.iter().map(|line| format!("\n  {line}")).collect();
        let broken: String = self.broken.iter().map(|line| format!("\n  {line}")).collect();
        let failed = self.count(|result| *result == Result::Fail);
        ensure!(failed == 0 && broken.is_empty(), "{}{broken}{failures}{skips}", self.summary());
        ensure!(skips.is_empty(), "skipped, though this kernel has what they need:{skips}");
        ensure!(!self.ended.is_empty(), "no test ran");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[&str]) -> (Vec<(String, Result)>, Outcomes) {
        let mut outcomes = Outcomes::default();
        let ended = lines.iter().filter_map(|line| outcomes.take(line));
        let ended = ended.map(|outcome| (outcome.test, outcome.result)).collect();
        (ended, outcomes)
    }

    const SUITE: [&str; 2] = ["@@ suite tap", "running 2 tests"];

    #[test]
    fn each_test_ends_once() {
        let lines = [
            "test a::passes ... ok",
            "test a::fails ... FAILED",
            "test a::says ... ",
            "some words",
            "verified: mirror_ingress 12",
            "ok",
            "test a::skips ... ",
            "skipped: no netem",
            "ok",
            "@@ left-out a::slow too slow here",
        ];
        let (ended, outcomes) = after(&[&SUITE[..], &lines, &["ok", "@@ ended 0", "@@ done"]].concat());
        let skip = |reason: &str| Result::Skip(reason.to_owned());
        let expected = [
            ("a::passes", Result::Pass),
            ("a::fails", Result::Fail),
            ("a::says", Result::Pass),
            ("a::skips", skip("no netem")),
            ("a::slow", skip("too slow here")),
        ];
        assert_eq!(ended, expected.map(|(test, result)| (test.to_owned(), result)));
        assert_eq!(outcomes.verified["mirror_ingress"], 12);
        assert_eq!(outcomes.summary(), "2 passed, 1 failed, 1 skipped, 1 left out");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let judge = |lines: &[&str]| after(&[&SUITE[..], lines].concat()).1.judge();
        let wrong = |lines: &[&str], word: &str| {
            let error = judge(lines).unwrap_err().to_string();
            assert!(error.contains(word), "{error} has no {word}");
        };
        judge(&["test a ... ok", "@@ ended 0"]).unwrap();
        wrong(&[], "no test ran");
        wrong(&["test a ... ok", "@@ ended 134"], "tap ended with 134");
        wrong(&["@@ broken insmod veth", "test a ... ok"], "broken insmod veth");
        wrong(&["test a ... ", "skipped: no netem", "ok"], "skipped: a");
        wrong(&["test a ... FAILED", "failures:", "---- a stdout ----", "it is 3"], "it is 3");
    }
}
