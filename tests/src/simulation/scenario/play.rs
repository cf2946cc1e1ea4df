//! Plays a scenario and compares what is said with what is expected.

use std::time::Duration;

use mirror_agent::judge::Verdict;

use super::super::Simulation;
use super::Scenario;
use super::expect::{Expect, State};

impl Scenario {
    /// What was not as expected, a line each; empty if all was.
    pub fn faults(&self) -> Vec<String> {
        (1..=self.runs).flat_map(|seed| self.play(seed)).collect()
    }

    fn play(&self, seed: u64) -> Vec<String> {
        let phases = self.traffic();
        let mut phases = phases.iter().peekable();
        let Some((_, first)) = phases.peek() else { return Vec::new() };
        let mut simulation = Simulation::new(self.settings(), first.clone(), seed);
        let mut open: Vec<&Expect> = self.expect.iter().collect();
        let mut faults = Vec::new();
        for second in 1..=self.seconds() {
            simulation.run_until(Duration::from_secs(second));
            let verdict = simulation.verdict();
            open.retain(|expect| {
                let state = expect.look(second, &verdict);
                if state == State::Broken {
                    faults.push(fault(seed, expect, second, &verdict));
                }
                state == State::Open
            });
            if phases.next_if(|(end, _)| *end == second).is_some()
                && let Some((_, next)) = phases.peek()
            {
                simulation.change(next.clone());
            }
        }
        let missed = open.iter().filter(|expect| !expect.may_stay_open());
        faults.extend(missed.map(|expect| format!("seed {seed}: {expect}: it ended before")));
        faults
    }
}

fn fault(seed: u64, expect: &Expect, second: u64, verdict: &Verdict) -> String {
    let fields = verdict.fields.iter().map(|field| format!("{} {:?}", field.field, field.finding));
    let fields = fields.collect::<Vec<_>>().join(", ");
    let (word, reasons) = (verdict.verdict, verdict.reasons.join("; "));
    format!("seed {seed}: {expect}: at {second}s it was {word}: {reasons} (fields: {fields})")
}
