//! The guards, the ramp, the budget and the switchback, put together as the agent does.

use std::time::Duration;

use mirror_agent::budget::{Budget, Kept, Standing};
use mirror_agent::config::Slo;
use mirror_agent::guard::process::{self, Process};
use mirror_agent::guard::service::{self, Guard};
use mirror_agent::guard::switchback::Switchback;
use mirror_agent::guard::{Breach, Count, Reason};
use mirror_agent::judge::Outcome;
use mirror_agent::ramp::{Move, Ramp, Seen, State, Step};
use mirror_agent::time::Nanos;

use super::counted::{Counted, Mirrored};
use super::limits::Limits;

/// A million parts are all.
const WHOLE: f64 = 1e6;
/// Budgets are kept by the hour of the Unix epoch; any time will do.
const UNIX: Duration = Duration::from_secs(1_767_225_600);

/// What may stop or raise the mirror.
#[derive(Debug)]
pub(super) struct Brakes {
    told: Told,
    seed: u32,
    process: Process,
    guard: Guard,
    switchback: Option<Switchback>,
    budget: Option<Budget>,
    ramp: Option<Ramp>,
    /// What the ramp waits for.
    pub waits: String,
    pub stopped: Option<Breach>,
    /// v1's events while it was mirrored, and all as of the last look.
    mirrored: Count,
    last: Count,
}

/// What the config says.
#[derive(Debug)]
struct Told {
    process: process::Limits,
    service: service::Limits,
    slo: Option<Slo>,
    switchback: Option<Duration>,
    steps: Vec<Step>,
}

impl Brakes {
    pub(super) fn new(limits: &Limits, now: Nanos, seed: u32) -> Brakes {
        let (slo, guards) = (limits.slo(), limits.guards());
        let told = Told {
            process: limits.process(),
            service: guards.limits(slo.as_ref()),
            slo,
            switchback: guards.switchback,
            steps: limits.steps(),
        };
        Brakes::begin(told, now, seed, (None, Kept::default()))
    }

    /// With what was kept of an earlier run.
    fn begin(told: Told, now: Nanos, seed: u32, (ramp, budget): (Option<State>, Kept)) -> Brakes {
        Brakes {
            process: Process::new(told.process, now),
            guard: Guard::new(told.service, now, &Default::default()),
            switchback: told.switchback.map(|intensive| Switchback::new(intensive, now, seed)),
            budget: told.slo.as_ref().map(|slo| Budget::new(slo.objective(), slo.spend_ratio(), budget)),
            ramp: (!told.steps.is_empty()).then(|| Ramp::new(told.steps.clone(), ramp)),
            waits: String::new(),
            stopped: None,
            mirrored: Count::default(),
            last: Count::default(),
            told,
            seed,
        }
    }

    /// The agent ends and begins: what stopped it is forgotten, where the ramp was and what was spent is not.
    pub(super) fn restart(self, now: Nanos) -> Brakes {
        let ramp = self.ramp.as_ref().map(Ramp::state);
        let budget = self.budget.map(|budget| budget.kept().clone()).unwrap_or_default();
        Brakes::begin(self.told, now, self.seed.wrapping_add(1), (ramp, budget))
    }

    /// Somebody has said that it goes on, and perhaps why more may be spent. A budget that is spent lets nobody.
    pub(super) fn resume(&mut self, now: Nanos, grant: Option<&str>) {
        if let Some(budget) = &mut self.budget {
            grant.iter().for_each(|why| budget.grant(why));
            if budget.standing(unix(now)).is_frozen {
                return;
            }
        }
        if let Some(ramp) = self.ramp.as_mut().filter(|ramp| ramp.state() == State::Fallen) {
            ramp.begin_anew();
        }
        self.switchback = self.told.switchback.map(|intensive| Switchback::new(intensive, now, self.seed));
        self.stopped = None;
    }

    /// The share that is set; 0 while it is stopped.
    pub(super) fn share(&self) -> f64 {
        let set = self.ramp.as_ref().map_or(WHOLE, |ramp| f64::from(ramp.share_ppm()));
        if self.stopped.is_some() { 0.0 } else { set / WHOLE }
    }

    /// What is mirrored: the share, and nothing in a pause of the switchback.
    pub(super) fn mirrors(&self) -> Mirrored {
        let is_on = self.switchback.as_ref().is_none_or(Switchback::is_on);
        if is_on { self.share() } else { 0.0 }
    }

    /// How v1's budget stands.
    pub(super) fn standing(&self, now: Nanos) -> Option<Standing> {
        self.budget.as_ref().map(|budget| budget.standing(unix(now)))
    }

    /// What is done four times a second.
    pub(super) fn look(&mut self, now: Nanos, counted: &Counted) {
        let breach = self.process.look(now, &counted.usage);
        self.stop(breach);
        let breach = self.look_at_service(now, counted);
        self.stop(breach);
    }

    /// What is done once a second: the judge says `verdict` of the step, if it has begun.
    pub(super) fn climb(&mut self, now: Nanos, counted: &Counted, verdict: Outcome) {
        let held = self.stopped.as_ref().map(|_| "a guard has stopped it");
        let Some(ramp) = &mut self.ramp else { return };
        let lasted = ramp.lasted(now).unwrap_or_default();
        let has_begun = !lasted.is_zero();
        let verdict = if has_begun { verdict } else { Outcome::Inconclusive };
        let blocks = if has_begun { counted.blocks(now, lasted) } else { 0 };
        let why = if has_begun { "so says the file" } else { "the step has just begun" };
        match ramp.look(now, &Seen { verdict, why, blocks, held }) {
            Move::Fall(why) => self.stop(Some(Breach::new(Reason::V2Failed, why))),
            Move::Hold(why) => self.waits = why,
            Move::Rise(_) | Move::Done => self.waits.clear(),
        }
    }

    /// The first thing that stops it is what has stopped it.
    fn stop(&mut self, breach: Option<Breach>) {
        self.stopped = self.stopped.take().or(breach);
    }

    fn look_at_service(&mut self, now: Nanos, counted: &Counted) -> Option<Breach> {
        let (mirrors, is_held) = (self.mirrors() > 0.0, self.share() == 0.0);
        let breach = self.guard.look(now, &counted.seen);
        let new = counted.seen.v1.since(std::mem::replace(&mut self.last, counted.seen.v1));
        if mirrors {
            self.mirrored = self.mirrored.plus(new);
        }
        match &mut self.switchback {
            Some(switchback) if is_held => switchback.interrupt(now),
            Some(switchback) => _ = switchback.look(now, &counted.arm),
            None => {}
        }
        let spent = self.spend(now, counted.seen.v1);
        let harm = || self.switchback.as_ref().and_then(Switchback::breach);
        // What is not mirrored is not what harms v1, and is not stopped twice.
        breach.or_else(harm).or(spent).filter(|_| !is_held)
    }

    /// Books what the mirror is to blame for. Without pauses to compare with, that is whatever v1 does not keep.
    fn spend(&mut self, now: Nanos, v1: Count) -> Option<Breach> {
        let budget = self.budget.as_mut()?;
        let measured = self.switchback.as_ref().and_then(|switchback| switchback.excess(self.mirrored.total));
        let excess = measured.unwrap_or_else(|| budget.beyond(self.mirrored));
        budget.look(unix(now), v1, excess);
        let standing = budget.standing(unix(now));
        let why = format!("{} bad events of {:.0}", standing.spent, standing.allowance);
        standing.is_frozen.then(|| Breach::new(Reason::BudgetSpent, why))
    }
}

fn unix(now: Nanos) -> Nanos {
    now + UNIX
}
