//! One run of a case, looked at again and again.

use std::time::Duration;

use mirror_agent::judge::{Outcome, Settings};

use super::super::{Simulation, Traffic};
use super::{Case, Plan};

/// What happens in a run.
#[derive(Clone, Debug)]
pub struct Course {
    before: Traffic,
    after: Option<Traffic>,
    lead_in: u64,
    /// All of it, in seconds.
    length: u64,
    every: u64,
    settings: Settings,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct End {
    /// Seconds until v2 was first said to be worse, from its change on, or from the start if it does not change.
    pub fail: Option<u64>,
    /// Whether it was said to be worse before it was.
    pub is_false: bool,
    /// Seconds from the start until it was first said to be no worse.
    pub pass: Option<u64>,
    /// The last word.
    pub last: Option<Outcome>,
}

impl Course {
    /// The course of a case.
    pub fn new(case: &Case, rate: f64, plan: &Plan) -> Course {
        let at_rate = |traffic: &Traffic| Traffic { rate, ..traffic.clone() };
        let lead_in = if case.after.is_some() { plan.lead_in } else { 0 };
        Course {
            before: at_rate(&case.before),
            after: case.after.as_ref().map(at_rate),
            lead_in,
            length: lead_in + plan.length,
            every: plan.every.max(1),
            settings: plan.settings.clone(),
        }
    }

    /// Runs until v2 is said to be worse, or the end.
    pub fn run(&self, seed: u64) -> End {
        let mut simulation = Simulation::new(self.settings.clone(), self.before.clone(), seed);
        let mut end = End::default();
        for second in 0..=self.length {
            if second == self.lead_in
                && let Some(after) = &self.after
            {
                simulation.change(after.clone());
            }
            simulation.run_until(Duration::from_secs(second));
            if second % self.every != 0 {
                continue;
            }
            let verdict = simulation.verdict().verdict;
            end.last = Some(verdict);
            match verdict {
                Outcome::Pass => end.pass = end.pass.or(Some(second)),
                Outcome::Fail => {
                    end.fail = Some(second.saturating_sub(self.lead_in));
                    end.is_false = self.after.is_none() || second <= self.lead_in;
                    break;
                }
                Outcome::Inconclusive => {}
            }
        }
        end
    }
}
