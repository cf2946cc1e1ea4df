//! The judge on observations made by hand: each test moves time itself.

use super::*;
use crate::compare::{Kind, Part};

/// A judge, and the time that it is told.
struct Court {
    judge: Judge,
    now: Nanos,
}

const MS: Duration = Duration::from_millis(1);

fn again(again: Again) -> Settings {
    Settings { again, margin: 0.05, tail: Some(100 * MS), ..Settings::default() }
}

fn field(name: &str, kind: Kind, leaf: bool) -> Field {
    let part = if name == "status" { Part::Status } else { Part::Body };
    Field { part, name: name.to_owned(), kind, leaf }
}

fn leg(ttfb: Duration) -> Leg {
    Leg { is_error: false, ttfb: Some(ttfb) }
}

fn pair(v1: Duration, v2: Duration) -> Pair<'static> {
    Pair { v1: leg(v1), v2: leg(v2), differs: &[], second: None }
}

const FAILED: Leg = Leg { is_error: true, ttfb: None };

impl Court {
    fn new(settings: Settings) -> Court {
        Court { judge: Judge::new(settings, Nanos(0)), now: Nanos(0) }
    }

    /// Past calibration: our own way is 1 ms slower.
    fn calibrated() -> Court {
        let mut court = Court::new(again(Again::V1));
        let mut one = pair(10 * MS, 11 * MS);
        one.second = Some(Second { ttfb: Some(11 * MS), differs: &[] });
        court.seconds(6, 50, &one);
        assert!(!court.judge.wants_calibration());
        court
    }

    /// The same pair `each` times in each of so many seconds.
    fn seconds(&mut self, seconds: u64, each: u32, pair: &Pair<'_>) {
        for _ in 0..seconds {
            (0..each).for_each(|_| self.judge.pair(self.now, pair));
            self.now = self.now + Duration::from_secs(1);
        }
        self.judge.tick(self.now);
    }

    fn verdict(&mut self) -> Verdict {
        self.judge.verdict("shop", self.now, None).unwrap()
    }

    fn claim(&mut self, metric: &str) -> Claim {
        self.verdict().claims.into_iter().find(|claim| claim.metric == metric).unwrap()
    }
}

#[test]
fn no_data_is_no_pass() {
    let mut court = Court::new(again(Again::V1));
    court.now = Nanos(0) + Duration::from_secs(3600);
    let verdict = court.verdict();
    assert_eq!(verdict.verdict, Outcome::Inconclusive);
    assert!(verdict.reasons[0].contains("no data"), "{:?}", verdict.reasons);
}

/// Four families share alpha = 0.01, so evidence of 400 is needed: nine votes make it 0.3 + 0.7 * 2^9 = 359 at
/// most, as 0.3 of the stake is kept back at first and no vote more than doubles the rest.
#[test]
fn ten_seconds_of_nothing_but_failures_are_a_fail() {
    let mut court = Court::new(again(Again::Off));
    let failing = Pair { v1: leg(10 * MS), v2: FAILED, differs: &[], second: None };
    court.seconds(9, 50, &failing);
    assert_eq!(court.verdict().verdict, Outcome::Inconclusive);
    court.seconds(1, 50, &failing);
    let verdict = court.verdict();
    assert_eq!(verdict.verdict, Outcome::Fail);
    assert!(verdict.reasons[0].starts_with("errors: v2 failed 500 requests"), "{:?}", verdict.reasons);
}

#[test]
fn a_second_is_one_vote_however_many_requests_are_in_it() {
    let mut court = Court::new(again(Again::Off));
    let failing = Pair { v1: leg(10 * MS), v2: FAILED, differs: &[], second: None };
    court.seconds(1, 100_000, &failing);
    let claim = court.claim("errors");
    assert_eq!((claim.votes.worse, claim.votes.pairs_worse, claim.finding), (1, 100_000, Finding::Open));
}

#[test]
fn failures_of_both_or_of_v1_do_not_speak_against_v2() {
    let mut court = Court::new(again(Again::Off));
    let both = Pair { v1: FAILED, v2: FAILED, differs: &[], second: None };
    court.seconds(30, 10, &both);
    assert_eq!(court.claim("errors").votes, Votes { pairs: 300, ..Votes::default() });
    court.seconds(30, 10, &Pair { v1: FAILED, v2: leg(MS), differs: &[], second: None });
    assert_eq!(court.claim("errors").votes.better, 30);
    assert_eq!(court.verdict().verdict, Outcome::Inconclusive);
}

#[test]
fn what_is_proven_stays_proven() {
    let mut court = Court::new(again(Again::Off));
    court.seconds(12, 5, &Pair { v1: leg(MS), v2: FAILED, differs: &[], second: None });
    court.seconds(600, 5, &pair(MS, MS));
    assert_eq!(court.verdict().verdict, Outcome::Fail);
    let window = court.judge.verdict("shop", court.now, Some(Duration::from_secs(300))).unwrap();
    assert_ne!(window.verdict, Outcome::Fail);
    assert_eq!((window.blocks, window.span_s), (300, 300.0));
}

#[test]
fn two_that_are_the_same_pass_and_say_on_what_evidence() {
    let mut court = Court::calibrated();
    let mut same = pair(10 * MS, 11 * MS);
    same.second = Some(Second { ttfb: Some(11 * MS), differs: &[] });
    court.seconds(90, 10, &same);
    assert_eq!(court.verdict().verdict, Outcome::Inconclusive);
    court.seconds(60, 10, &same);
    let verdict = court.verdict();
    assert_eq!(verdict.verdict, Outcome::Pass, "{:?}", verdict.reasons);
    assert!(
        verdict.claims.iter().all(|claim| claim.finding == Finding::Fine && claim.evidence_fine >= 100.0)
    );
    let calibration = verdict.calibration.unwrap();
    assert!((calibration.bias_s - 0.001).abs() < 1e-9 && (calibration.bias_ratio - 0.1).abs() < 1e-9);
    // 11 ms is 0.5 ms over 105 % of 10 ms, and 0.2 ms are always allowed.
    assert!((calibration.allowance_s - 0.0007).abs() < 1e-9, "{calibration:?}");
}

#[test]
fn latency_is_not_judged_before_the_bias_is_known() {
    for (again_by, why) in
        [(Again::V1, "60 more requests"), (Again::V2, "second_answers"), (Again::Off, "second_answers")]
    {
        let mut court = Court::new(again(again_by));
        court.seconds(60, 50, &pair(10 * MS, 50 * MS));
        for metric in ["latency", "tail"] {
            let claim = court.claim(metric);
            assert_eq!((claim.finding, claim.votes.pairs), (Finding::Unjudged, 0), "{metric}");
            assert!(claim.why.contains(why), "{}", claim.why);
        }
        assert_eq!(court.verdict().verdict, Outcome::Inconclusive);
    }
}

#[test]
fn slower_by_more_than_the_bias_and_the_margin_is_a_fail() {
    let mut court = Court::calibrated();
    court.seconds(20, 10, &pair(10 * MS, 11_200 * MS / 1000)); // 11.2 ms are allowed
    assert_eq!(court.claim("latency").finding, Finding::Fine);
    let mut court = Court::calibrated();
    court.seconds(20, 10, &pair(10 * MS, 11_300 * MS / 1000));
    assert_eq!(court.claim("latency").finding, Finding::Worse);
    assert_eq!(court.verdict().verdict, Outcome::Fail);
}

#[test]
fn a_tail_is_seen_where_most_requests_are_fast() {
    let mut court = Court::calibrated();
    for _ in 0..20 {
        (0..50).for_each(|_| court.judge.pair(court.now, &pair(10 * MS, 10 * MS)));
        court.seconds(1, 1, &pair(10 * MS, 200 * MS));
    }
    assert_eq!(court.claim("latency").finding, Finding::Fine);
    assert_eq!(court.claim("tail").finding, Finding::Worse);
}

#[test]
fn a_bound_that_is_not_given_is_learned_from_v1() {
    let mut tail = Tail::new(None);
    let times = (1..=400).map(|n| n * MS).rev();
    assert!(times.into_iter().all(|time| tail.note(time).is_none()));
    assert_eq!(tail.note(MS), Some(2 * 396 * MS));
    assert_eq!(Tail::new(Some(MS)).note(100 * MS), Some(MS));
}

#[test]
fn a_field_that_differs_from_itself_is_noise_and_one_that_does_not_is_a_difference() {
    let mut court = Court::new(again(Again::V1));
    let (stamp, total) = (field("body.at", Kind::Value, true), field("body.total", Kind::Value, true));
    let differs = [stamp.clone(), total.clone()];
    let only_stamp = std::slice::from_ref(&stamp);
    let mut one = pair(10 * MS, 10 * MS);
    (one.differs, one.second) = (&differs, Some(Second { ttfb: None, differs: only_stamp }));
    court.seconds(2, 3, &one);
    assert!(!court.judge.is_noise(&stamp));
    court.seconds(1, 3, &one);
    assert!(court.judge.is_noise(&stamp) && !court.judge.is_noise(&total));
    court.seconds(20, 3, &one);
    let verdict = court.verdict();
    assert_eq!(verdict.verdict, Outcome::Fail);
    assert_eq!(
        verdict.reasons,
        ["differences: v2 differs more than v1 does from itself: body.total (value)"]
    );
    let findings: Vec<_> =
        verdict.fields.iter().map(|one| (one.field.as_str(), one.finding, one.both)).collect();
    assert_eq!(findings, [("body.total", FieldFinding::Differs, 0), ("body.at", FieldFinding::Noise, 69)]);
}

/// Noise is watched on: a field that differs now and then, and with v2 nearly always, is no noise.
#[test]
fn a_noisy_field_that_v2_makes_noisier_is_a_difference() {
    let mut court = Court::new(again(Again::V1));
    let id = field("body.id", Kind::Value, true);
    let ids = std::slice::from_ref(&id);
    let (mut itself, mut v2) = (pair(MS, MS), pair(MS, MS));
    itself.second = Some(Second { ttfb: None, differs: ids });
    (v2.differs, v2.second) = (ids, Some(Second { ttfb: None, differs: &[] }));
    court.seconds(3, 1, &itself);
    assert!(court.judge.is_noise(&id));
    court.seconds(40, 5, &v2);
    assert!(!court.judge.is_noise(&id));
    assert_eq!(court.claim("differences").finding, Finding::Worse);
}

#[test]
fn what_would_hide_too_much_is_never_noise() {
    for broad in [field("body", Kind::Digest, false), field("status", Kind::Value, true)] {
        let mut court = Court::new(again(Again::V1));
        let differs = std::slice::from_ref(&broad);
        let mut one = pair(MS, MS);
        (one.differs, one.second) = (differs, Some(Second { ttfb: None, differs }));
        court.seconds(30, 5, &one);
        assert!(!court.judge.is_noise(&broad));
        assert_eq!(court.verdict().fields[0].finding, FieldFinding::TooBroad);
    }
    let order = field("body.items", Kind::Order, false);
    assert!(fields::may_be_noise(&order));
}

#[test]
fn without_second_answers_a_difference_is_nobodys_fault() {
    let mut court = Court::new(again(Again::Off));
    let total = [field("body.total", Kind::Value, true)];
    let mut one = pair(MS, MS);
    one.differs = &total;
    court.seconds(600, 5, &one);
    assert_eq!(court.claim("differences").finding, Finding::Unjudged);
    let mut court = Court::new(again(Again::Off));
    court.seconds(600, 5, &pair(MS, MS));
    assert_eq!(court.claim("differences").finding, Finding::Fine);
}

#[test]
fn traffic_that_stops_and_losses_take_a_pass_away() {
    let passing = || {
        let mut court = Court::calibrated();
        let mut same = pair(10 * MS, 10 * MS);
        same.second = Some(Second { ttfb: Some(10 * MS), differs: &[] });
        court.seconds(200, 10, &same);
        assert_eq!(court.verdict().verdict, Outcome::Pass);
        court
    };
    let mut court = passing();
    court.now = court.now + Duration::from_secs(61);
    let verdict = court.verdict();
    assert_eq!((verdict.verdict, verdict.reasons.len()), (Outcome::Inconclusive, 1));
    assert!(verdict.reasons[0].contains("no request was compared for 6"), "{:?}", verdict.reasons);

    let mut court = passing();
    court.judge.losses(court.now, 1000, 101);
    court.seconds(1, 1, &pair(10 * MS, 10 * MS));
    let verdict = court.verdict();
    assert_eq!(verdict.verdict, Outcome::Inconclusive);
    assert!(verdict.reasons[0].contains("10.1%"), "{:?}", verdict.reasons);
}

#[test]
fn a_window_beyond_the_history_is_refused() {
    let mut court = Court::calibrated();
    let window = HISTORY + Duration::from_secs(1);
    let error = court.judge.verdict("shop", court.now, Some(window)).unwrap_err();
    assert_eq!(error.to_string(), "a window of 1801s is longer than the history, which goes back 1800s");
    assert_eq!(court.judge.verdict("shop", court.now, Some(HISTORY)).unwrap().blocks, 6);
}

/// A service whose answers are made up anew each time must not make the judge grow.
#[test]
fn many_fields_and_long_times_are_bounded() {
    let mut court = Court::new(again(Again::V1));
    for n in 0..5000_u32 {
        let differs = [field(&format!("body.x{n}"), Kind::Value, true)];
        let mut one = pair(MS, MS);
        (one.differs, one.second) = (&differs, Some(Second { ttfb: None, differs: &[] }));
        court.seconds(1, 1, &one);
    }
    let judge = &court.judge;
    assert_eq!(judge.history.len(), HISTORY.as_secs() as usize);
    assert_eq!((judge.fields.all().count(), judge.fields.other), (128, 2 * (5000 - 128)));
    assert!(court.verdict().fields.len() <= 64);
}

/// A canary without pods has failed nobody; one that was there and is gone has.
#[test]
fn a_version_that_was_never_there_is_not_judged() {
    let mut court = Court::new(again(Again::Off));
    let gone = |court: &mut Court, seconds: u64| {
        for _ in 0..seconds {
            court.judge.unreached(court.now, leg(MS));
            court.now = court.now + Duration::from_secs(1);
        }
    };
    gone(&mut court, 60);
    let verdict = court.verdict();
    assert_eq!(verdict.verdict, Outcome::Inconclusive);
    let errors = court.claim("errors");
    assert_eq!((errors.finding, errors.votes.worse), (Finding::Unjudged, 60));
    assert_eq!(errors.why, "v2 accepted no connection for any of 60 requests");
    court.seconds(1, 1, &pair(MS, MS));
    assert_eq!(court.verdict().verdict, Outcome::Fail);
}

#[test]
fn a_verdict_reads_back_as_it_was_said() {
    let mut court = Court::calibrated();
    court.seconds(2000, 1, &pair(10 * MS, 10 * MS));
    let verdict = court.verdict();
    let text = serde_json::to_string(&verdict).unwrap();
    assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict);
}

mod unpaired;

/// One request in a thousand is no reason to stop a rollout, however sure it is.
#[test]
fn a_negligible_harm_is_neither_a_fail_nor_in_the_way_of_a_pass() {
    let failing = |one_in: u64| {
        let mut court = Court::new(again(Again::Off));
        for second in 0..3000_u64 {
            court.judge.pair(court.now, &pair(MS, MS));
            let v2 = if second.is_multiple_of(10) { FAILED } else { leg(MS) };
            court.judge.pair(court.now, &Pair { v1: leg(MS), v2, differs: &[], second: None });
            court.seconds(1, u32::try_from(one_in / 10).unwrap() - 2, &pair(MS, MS));
        }
        court.claim("errors").finding
    };
    assert_eq!(failing(1000), Finding::Fine); // the margin is 5%, so 1.25% are the least that counts
    assert_eq!(failing(50), Finding::Worse);
}

/// Our own way is in the tail now and then, with v1 as with v2: that is not v2's fault.
#[test]
fn what_our_own_way_does_to_the_tail_is_not_held_against_v2() {
    let tail = |way_too: bool| {
        let mut court = Court::calibrated();
        let late = if way_too { 200 * MS } else { 10 * MS };
        let mut slow = pair(10 * MS, 200 * MS);
        slow.second = Some(Second { ttfb: Some(late), differs: &[] });
        let mut usual = pair(10 * MS, 10 * MS);
        usual.second = Some(Second { ttfb: Some(10 * MS), differs: &[] });
        for _ in 0..60 {
            court.judge.pair(court.now, &slow);
            court.seconds(1, 49, &usual);
        }
        court.claim("tail").finding
    };
    assert_eq!((tail(false), tail(true)), (Finding::Worse, Finding::Open));
}
