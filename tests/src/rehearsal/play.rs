//! Plays a file and compares what comes of it with what is expected.

use std::time::Duration;

use mirror_agent::time::Nanos;

use super::brakes::Brakes;
use super::counted::{Counted, Timing};
use super::expect::{Expect, Fate, Standings};
use super::phase::{Deed, Phase};
use super::weather::Weather;
use super::{Rehearsal, TICK};

/// Looks from one move of the ramp to the next.
const SLOWLY: u64 = 4;

/// One run.
struct Run<'a> {
    seed: u64,
    now: Nanos,
    looks: u64,
    weather: Weather,
    counted: Counted,
    brakes: Brakes,
    open: Vec<&'a Expect>,
    faults: Vec<String>,
}

impl Rehearsal {
    /// What was not as expected, a line each; empty if all was.
    pub fn faults(&self) -> Vec<String> {
        (1..=self.runs).flat_map(|seed| self.play(seed)).collect()
    }

    fn play(&self, seed: u64) -> Vec<String> {
        let timing = Timing {
            bound: self.limits.slo().and_then(|slo| slo.latency),
            is_compared: self.limits.guards().switchback.is_some(),
        };
        let run = Run {
            seed,
            now: Nanos(0),
            looks: 0,
            weather: Weather::default(),
            counted: Counted::new(timing, seed),
            brakes: Brakes::new(&self.limits, Nanos(0), seed as u32),
            open: self.expect.iter().collect(),
            faults: Vec::new(),
        };
        self.phases.iter().fold(run, Run::phase).end()
    }
}

impl Run<'_> {
    fn phase(mut self, phase: &Phase) -> Self {
        for deed in phase.deeds() {
            self = self.act(&deed);
        }
        phase.change(&mut self.weather);
        self.counted.change(self.now, &self.weather);
        let end = self.now + phase.time();
        while self.now < end {
            self.look();
        }
        self
    }

    fn act(mut self, deed: &Deed) -> Self {
        match deed {
            Deed::Resume(grant) => self.brakes.resume(self.now, grant.as_deref()),
            Deed::Restart => {
                self.brakes = self.brakes.restart(self.now);
                self.counted.restart();
            }
        }
        self
    }

    fn look(&mut self) {
        let next = self.now + TICK;
        self.counted.advance([self.now, next], &self.weather, self.brakes.mirrors());
        (self.now, self.looks) = (next, self.looks + 1);
        self.brakes.look(self.now, &self.counted);
        if self.looks.is_multiple_of(SLOWLY) {
            self.brakes.climb(self.now, &self.counted, self.weather.verdict);
        }
        self.compare();
    }

    fn compare(&mut self) {
        let standings = Standings {
            stopped: self.brakes.stopped.as_ref(),
            share: self.brakes.share(),
            budget: self.brakes.standing(self.now),
            waits: &self.brakes.waits,
        };
        let time = self.now.since(Nanos(0));
        let (seed, faults) = (self.seed, &mut self.faults);
        self.open.retain(|expect| {
            let fate = expect.look(time, &standings);
            if fate == Fate::Broken {
                faults.push(fault(seed, expect, time, &standings));
            }
            fate == Fate::Open
        });
    }

    fn end(mut self) -> Vec<String> {
        let missed = self.open.iter().filter(|expect| !expect.may_stay_open());
        self.faults.extend(missed.map(|expect| format!("seed {}: {expect}: it ended before", self.seed)));
        self.faults
    }
}

fn fault(seed: u64, expect: &Expect, time: Duration, standings: &Standings<'_>) -> String {
    let stopped =
        standings.stopped.map_or("nothing".to_owned(), |breach| format!("{}: {}", breach.reason, breach.why));
    let (share, waits) = (standings.share * 100.0, standings.waits);
    let budget = standings.budget.map_or(String::new(), |budget| {
        let remaining = budget.remaining_ratio * 100.0;
        format!("; {remaining:.1}% of the budget remain, {} of {:.0} spent", budget.spent, budget.allowance)
    });
    format!(
        "seed {seed}: {expect}: at {time:?} the share was {share}%, stopped by {stopped}{budget}; the ramp waited for {waits:?}"
    )
}
