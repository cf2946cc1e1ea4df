//! The journal of a runner.

use std::time::Duration;

use super::{At, Runner};
use crate::chaos::check::Both;
use crate::chaos::experiment::Limit;
use crate::chaos::journal::{Counts, Journal, Phase, State};

impl Runner {
    /// The journal so far. `id` and `began_s` are its own, `faults` what they did since.
    pub fn journal(&self, id: u64, began_s: f64, now: Duration, faults: Counts) -> Journal {
        let phases = [("before", &self.before), ("during", &self.during), ("after", &self.after)];
        let steady = phases.into_iter().filter(|(_, (_, time))| !time.is_zero());
        Journal {
            id,
            title: self.experiment.title.clone(),
            service: self.experiment.service.clone(),
            began_s,
            elapsed_s: if self.is_ended() { self.began } else { now }.as_secs_f64(),
            phase: match self.phase {
                At::Before => Phase::Before,
                At::Step(_) => Phase::Method,
                At::After => Phase::After,
                At::Ended => Phase::Ended,
            },
            ending: self.end.as_ref().filter(|_| self.is_ended()).map(|(ending, _)| *ending),
            why: self.end.as_ref().map_or_else(String::new, |(_, why)| why.clone()),
            steady: steady.map(|(name, state)| (name.to_owned(), figures(state))).collect(),
            hypothesis: self.experiment.hypothesis.iter().map(Limit::to_string).collect(),
            method: self.steps.clone(),
            faults,
        }
    }
}

fn figures((both, time): &(Both, Duration)) -> State {
    State { seconds: time.as_secs_f64(), v1: (&both.v1.all).into(), v2: (&both.v2.all).into() }
}
