//! Versions that share the users' traffic, on counts made by hand.

use super::*;

/// Buckets, and the one that most answers fall into.
const BUCKETS: usize = 218;
const USUAL: usize = 100;

/// Adds so many requests, of which some fail and the rest take `slower` buckets more than usual; one in fifty is in the tail.
fn add(arm: &mut Arm, requests: u64, errors: u64, slower: usize, tail: usize) {
    arm.ttfb.resize(BUCKETS, 0);
    arm.requests += requests;
    arm.errors += errors;
    let late = (requests - errors) / 50;
    arm.ttfb[USUAL + slower] += requests - errors - late;
    arm.ttfb[USUAL + 10 + tail] += late;
}

struct Split {
    judge: Unpaired,
    now: Nanos,
    arms: [Arm; 2],
}

impl Split {
    fn new(split: Option<f64>) -> Split {
        let settings = Settings { margin: 0.05, ..Settings::default() };
        Split { judge: Unpaired::new(settings, split, Nanos(0)), now: Nanos(0), arms: Default::default() }
    }

    fn seconds(&mut self, seconds: u64, each: impl Fn(&mut [Arm; 2])) {
        for _ in 0..seconds {
            self.now = self.now + Duration::from_secs(1);
            each(&mut self.arms);
            self.judge.look(self.now, self.arms.clone());
        }
    }

    fn verdict(&self, window: Option<u64>) -> Verdict {
        self.judge.verdict("shop", self.now, window.map(Duration::from_secs)).unwrap()
    }

    fn findings(&self) -> Vec<(String, Finding)> {
        self.verdict(None).claims.into_iter().map(|claim| (claim.metric, claim.finding)).collect()
    }
}

fn same(arms: &mut [Arm; 2]) {
    add(&mut arms[0], 90, 0, 0, 0);
    add(&mut arms[1], 10, 0, 0, 0);
}

#[test]
fn two_that_are_the_same_pass() {
    let mut split = Split::new(Some(0.1));
    assert_eq!(split.verdict(None).verdict, Outcome::Inconclusive);
    split.seconds(30, same);
    assert_eq!(split.verdict(None).verdict, Outcome::Inconclusive);
    split.seconds(570, same);
    let verdict = split.verdict(None);
    assert_eq!(verdict.verdict, Outcome::Pass, "{verdict:#?}");
    assert_eq!((verdict.blocks, verdict.pairs), (600, 60_000));
}

#[test]
fn each_harm_is_named() {
    let worse = |each: &dyn Fn(&mut [Arm; 2])| {
        let mut split = Split::new(Some(0.1));
        split.seconds(200, each);
        assert_eq!(split.verdict(None).verdict, Outcome::Fail);
        let worse = split.findings().into_iter().filter(|(_, finding)| *finding == Finding::Worse);
        worse.map(|(metric, _)| metric).collect::<Vec<_>>()
    };
    let with_v2 = |errors: u64, slower: usize, tail: usize| {
        move |arms: &mut [Arm; 2]| {
            add(&mut arms[0], 450, 0, 0, 0);
            add(&mut arms[1], 50, errors, slower, tail);
        }
    };
    assert_eq!(worse(&with_v2(1, 0, 0)), ["errors"]);
    assert_eq!(worse(&with_v2(0, 5, 0)), ["p50"]);
    assert_eq!(worse(&with_v2(0, 0, 30)), ["p99"]);
}

/// A second in which v2 was held up is one event, however many requests it has.
#[test]
fn nothing_is_shown_in_the_first_seconds() {
    let mut split = Split::new(Some(0.1));
    let slow = |arms: &mut [Arm; 2]| {
        add(&mut arms[0], 900, 0, 0, 0);
        add(&mut arms[1], 100, 50, 20, 20);
    };
    split.seconds(9, slow);
    assert_eq!(split.verdict(None).verdict, Outcome::Inconclusive);
    assert_eq!(split.verdict(Some(60)).verdict, Outcome::Inconclusive);
    split.seconds(1, slow);
    assert_eq!(split.verdict(None).verdict, Outcome::Fail);
    assert_eq!(split.verdict(Some(60)).verdict, Outcome::Fail);
}

#[test]
fn a_broken_split_says_nothing_of_v2() {
    let mut split = Split::new(Some(0.2));
    split.seconds(100, |arms| {
        add(&mut arms[0], 90, 0, 0, 0);
        add(&mut arms[1], 10, 5, 30, 30);
    });
    let verdict = split.verdict(None);
    assert_eq!((verdict.verdict, verdict.reasons.len()), (Outcome::Inconclusive, 1));
    assert!(verdict.reasons[0].contains("10.00% of the requests instead of 20%"), "{:?}", verdict.reasons);
    // Nobody said how many it should get: then it is not held against v2, and what it does is judged.
    let mut unsaid = Split::new(None);
    unsaid.seconds(100, |arms| {
        add(&mut arms[0], 90, 0, 0, 0);
        add(&mut arms[1], 10, 5, 0, 0);
    });
    assert_eq!(unsaid.verdict(None).verdict, Outcome::Fail);
}

#[test]
fn a_window_forgets_what_was_before() {
    let mut split = Split::new(Some(0.1));
    split.seconds(100, |arms| {
        add(&mut arms[0], 90, 0, 0, 0);
        add(&mut arms[1], 10, 3, 0, 0);
    });
    split.seconds(700, same);
    assert_eq!(split.verdict(None).verdict, Outcome::Fail);
    let verdict = split.verdict(Some(600));
    assert_eq!(verdict.verdict, Outcome::Pass, "{verdict:#?}");
    assert_eq!((verdict.span_s, verdict.pairs), (600.0, 60_000));
    assert!(split.judge.verdict("shop", split.now, Some(HISTORY + Duration::from_secs(1))).is_err());
}

#[test]
fn few_requests_and_silence_are_no_pass() {
    let mut split = Split::new(None);
    split.seconds(30, |arms| arms.iter_mut().for_each(|arm| add(arm, 10, 0, 0, 0)));
    let verdict = split.verdict(None);
    assert_eq!(verdict.verdict, Outcome::Inconclusive);
    assert!(verdict.reasons.iter().any(|why| why.contains("it takes 396 answers")), "{:?}", verdict.reasons);
    let mut split = Split::new(Some(0.1));
    split.seconds(600, same);
    split.now = split.now + Duration::from_secs(90);
    assert!(split.verdict(None).reasons[0].contains("no request was compared for 90 s"));
}
