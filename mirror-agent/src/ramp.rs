//! How the share rises: a step at a time, each after enough time *and* evidence; to 0 when v2 is found worse. Pure.
//!
//! Protective moves go first and need no patience; holds are advisory (GrowthBook's `rampScheduleEvaluator.ts`, which has
//! its timers before its guardrails; here guardrails go before everything).

mod state;

use std::time::Duration;

pub use state::State;

use crate::judge::Outcome;
use crate::time::Nanos;

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The share of connections, in parts per million.
    pub share_ppm: u32,
    /// How long it lasts at least.
    pub lasts: Duration,
    /// Seconds with requests that it needs at least.
    pub blocks: u64,
}

/// What is known of a service at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen<'a> {
    /// What the judge says of the time since the step began.
    pub verdict: Outcome,
    /// Why.
    pub why: &'a str,
    /// Seconds with requests since the step began.
    pub blocks: u64,
    /// Why nothing may be mirrored now, if something says so: a preflight that has not ended, a guard, a pause.
    pub held: Option<&'a str>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Nothing: this is what it waits for.
    Hold(String),
    /// Go to this step.
    Rise(usize),
    /// To 0, and stay there: v2 was found worse.
    Fall(String),
    /// Nothing more: the last step has had all it needs.
    Done,
}

/// The ramp of one service.
#[derive(Clone, Debug)]
pub struct Ramp {
    steps: Vec<Step>,
    state: State,
    /// When the step began; not while it is held.
    begun: Option<Nanos>,
}

impl Ramp {
    /// Before its first step, or at the step before the one that `kept` names: a restart never begins above where it was.
    pub fn new(steps: Vec<Step>, kept: Option<State>) -> Ramp {
        let state = match kept {
            None => State::Waiting,
            Some(State::Step(0)) => State::Waiting,
            Some(State::Step(step)) => State::Step((step - 1).min(steps.len().saturating_sub(1))),
            Some(other) => other,
        };
        Ramp { steps, state, begun: None }
    }

    /// Where it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// How many steps it has.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// The share that holds now, in parts per million.
    pub fn share_ppm(&self) -> u32 {
        match self.state {
            State::Step(step) => self.steps.get(step).map_or(0, |step| step.share_ppm),
            State::Waiting | State::Fallen => 0,
        }
    }

    /// How long the step has lasted; `None` before the first, after a fall, and while it is held.
    pub fn lasted(&self, now: Nanos) -> Option<Duration> {
        self.begun.map(|begun| now.since(begun))
    }

    /// Takes what is known; does what it answers, but for the share itself.
    pub fn look(&mut self, now: Nanos, seen: &Seen<'_>) -> Move {
        let next = self.next(now, seen);
        match &next {
            Move::Fall(_) => (self.state, self.begun) = (State::Fallen, None),
            Move::Rise(step) => (self.state, self.begun) = (State::Step(*step), Some(now)),
            Move::Hold(_) | Move::Done => {}
        }
        next
    }

    /// Begins anew after a fall: an operator's word.
    pub fn begin_anew(&mut self) {
        (self.state, self.begun) = (State::Waiting, None);
    }

    fn next(&mut self, now: Nanos, seen: &Seen<'_>) -> Move {
        if self.state == State::Fallen {
            return Move::Hold("v2 was found worse; `resume` begins anew".to_owned());
        }
        if let Some(why) = seen.held {
            self.begun = None; // what passes meanwhile is no evidence: the step begins again
            return Move::Hold(why.to_owned());
        }
        let State::Step(index) = self.state else { return Move::Rise(0) };
        let begun = *self.begun.get_or_insert(now);
        if seen.verdict == Outcome::Fail {
            return Move::Fall(seen.why.to_owned());
        }
        let Some(step) = self.steps.get(index) else { return Move::Done };
        let lasted = now.since(begun);
        if lasted < step.lasts {
            let left = step.lasts.saturating_sub(lasted).as_secs_f64().ceil();
            return Move::Hold(format!("{left} s more at this step"));
        }
        if seen.blocks < step.blocks {
            return Move::Hold(format!("{} of {} seconds with requests", seen.blocks, step.blocks));
        }
        if seen.verdict != Outcome::Pass {
            return Move::Hold(format!("v2 is not shown to be fine: {}", seen.why));
        }
        if index + 1 < self.steps.len() { Move::Rise(index + 1) } else { Move::Done }
    }
}

#[cfg(test)]
mod tests;
