//! The steps of an experiment, one by one.

use std::time::Duration;

use crate::chaos::{Counts, Ending, Experiment, Journal, Kind, Phase, Runner, Sample, Totals};

/// Made-up traffic, a second at a time, and an experiment on it.
pub struct Scene {
    pub runner: Runner,
    pub totals: Totals,
    pub now: Duration,
    /// Requests that meet a fault in each second of one.
    pub meets: u64,
}

/// What one second brings: requests, errors among them, and how long each takes in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Second {
    pub requests: u64,
    pub errors: u64,
    pub micros: u64,
    /// Of every hundred, so many take a hundred times as long.
    pub slow: u64,
}

pub const CALM: Second = Second { requests: 200, errors: 0, micros: 3_000, slow: 0 };

pub fn experiment(more: &str) -> Experiment {
    let text = format!(
        "title: t\nblast_radius: {{share: 50%}}\nbaseline: 5s\n{more}\nabort_conditions: [{{v1_errors: {{above: 10%}}}}]\n"
    );
    Experiment::parse("e.yaml", &text, &["a"]).unwrap_or_else(|errors| panic!("{errors}"))
}

impl Scene {
    pub fn new(experiment: Experiment) -> Scene {
        let runner = Runner::new(experiment, Totals::default());
        Scene { runner, totals: Totals::default(), now: Duration::ZERO, meets: 40 }
    }

    /// A second of traffic, and a tick each tenth of it. Gives the kind of the fault in force at its end.
    pub fn second(&mut self, v1: Second, v2: Second) -> Option<Kind> {
        record(&mut self.totals.v1, v1);
        record(&mut self.totals.v2, v2);
        self.totals.met += u64::from(self.runner.in_force().is_some()) * self.meets;
        for _ in 0..10 {
            self.now += Duration::from_millis(100);
            self.runner.tick(self.now, || self.totals);
        }
        self.runner.in_force().map(|(_, fault, _)| fault.kind)
    }

    pub fn journal(&self) -> Journal {
        self.runner.journal(1, 0.0, self.now, Counts::default())
    }

    pub fn ending(&self) -> (Option<Ending>, String) {
        let journal = self.journal();
        (journal.ending, journal.why)
    }
}

fn record(sample: &mut Sample, second: Second) {
    sample.requests += second.requests;
    sample.errors += second.errors;
    for nth in 0..second.requests - second.errors {
        // Spread over some buckets, as times are.
        let micros = second.micros + second.micros * (nth % 10) / 10;
        let times = if nth % 100 < second.slow { 100 } else { 1 };
        sample.latency.record(Duration::from_micros(micros * times));
    }
}

const STEPS: &str = "method: [{fault: abort, share: 20%, duration: 4s}, {fault: blackhole, share: 5%, duration: 3s}]\nrollback: {wait: 6s}";

#[test]
fn steps_follow_each_other_and_end_when_their_time_is_over() {
    let mut scene = Scene::new(experiment(STEPS));
    let faults: Vec<_> = (0..20).map(|_| scene.second(CALM, CALM)).collect();
    let expected: Vec<_> = [(None, 4), (Some(Kind::Abort), 4), (Some(Kind::Blackhole), 3), (None, 9)]
        .into_iter()
        .flat_map(|(kind, seconds)| std::iter::repeat_n(kind, seconds))
        .collect();
    assert_eq!(faults, expected);
    let journal = scene.journal();
    assert_eq!((journal.ending, journal.phase), (Some(Ending::Completed), Phase::Ended), "{journal:#?}");
    let times: Vec<_> = journal.method.iter().map(|step| (step.began_s, step.ended_s.unwrap())).collect();
    assert_eq!(times, [(5.0, 9.0), (9.0, 12.0)]);
    assert_eq!(journal.elapsed_s, 18.0);
    let seconds = |name: &str| journal.steady[name].seconds;
    assert_eq!((seconds("before"), seconds("during")), (5.0, 7.0));
    // The first half of the wait is not held against anybody.
    assert_eq!(journal.steady["after"].seconds, 3.0);
    assert_eq!(journal.steady["before"].v1.requests, 5 * 200);
    assert_eq!(journal.steady["after"].v1.requests, 3 * 200);
}

#[test]
fn a_stop_ends_the_fault_at_once_and_says_who() {
    let mut scene = Scene::new(experiment(STEPS));
    (0..6).for_each(|_| _ = scene.second(CALM, CALM));
    assert!(scene.runner.in_force().is_some());
    scene.runner.stop(scene.now, "stopped by hand");
    assert!(scene.runner.in_force().is_none() && scene.runner.is_ended());
    scene.runner.stop(scene.now, "again");
    assert_eq!(scene.second(CALM, CALM), None);
    assert_eq!(scene.ending(), (Some(Ending::Aborted), "stopped by hand".to_owned()));
    assert_eq!(scene.journal().method[0].ended_s, Some(6.0));
}

#[test]
fn a_late_look_ends_a_fault_late_but_never_keeps_it() {
    let mut scene = Scene::new(experiment(STEPS));
    (0..5).for_each(|_| _ = scene.second(CALM, CALM));
    scene.now += Duration::from_secs(1000);
    scene.runner.tick(scene.now, || scene.totals);
    assert_eq!(scene.runner.in_force().map(|(_, fault, _)| fault.kind), Some(Kind::Blackhole));
    scene.now += Duration::from_secs(1000);
    scene.runner.tick(scene.now, || scene.totals);
    assert!(scene.runner.in_force().is_none());
}

#[test]
fn a_journal_is_read_as_it_was_written() {
    let mut scene = Scene::new(experiment(STEPS));
    (0..20).for_each(|_| _ = scene.second(CALM, CALM));
    let journal = scene.journal();
    let text = serde_json::to_string(&journal).unwrap();
    assert_eq!(serde_json::from_str::<Journal>(&text).unwrap(), journal);
    assert!(text.contains(r#""ending":"completed""#), "{text}");
}
