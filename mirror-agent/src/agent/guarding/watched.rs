//! One service as the guards see it: what is remembered from one look to the next.

use crate::budget::{self, Budget};
use crate::config;
use crate::guard::service::{Guard, Limits, Observation};
use crate::guard::switchback::{Arm, Switchback};
use crate::guard::{Breach, Count, Reason};
use crate::ramp::{self, Ramp};
use crate::status::guards::Item;
use crate::time::Nanos;

use super::kept::KeptService;

/// One service.
pub(super) struct Watched {
    limits: Limits,
    /// `None` until the first look.
    guard: Option<Guard>,
    pub(super) switchback: Option<Switchback>,
    intensive: Option<std::time::Duration>,
    pub(super) budget: Option<Budget>,
    pub(super) ramp: Option<Ramp>,
    pub(super) preflight: Preflight,
    /// What the ramp does or waits for.
    pub(super) said: String,
    seed: u32,
    /// v1's events while it was mirrored, and all of them as of the last look.
    mirrored: Count,
    last: Option<Count>,
}

/// What must be known before the first clone.
pub(super) struct Preflight {
    /// v1's turns that it takes; `None`: nothing is asked for.
    pub turns: Option<u32>,
    pub is_over: bool,
    pub items: Vec<Item>,
    pub has_looked: bool,
}

fn not_looked(turns: u32) -> Item {
    Item { name: "baseline".into(), is_met: false, why: format!("0 of {turns} of v1's turns timed") }
}

impl Watched {
    pub fn new(config: &config::Service, preflight: Option<config::Preflight>, kept: KeptService) -> Watched {
        let budget = |slo: &config::Slo| Budget::new(slo.objective(), slo.spend_ratio(), kept.budget.clone());
        let mirrors = config.v2_role == config::Role::Shadow;
        let turns = preflight.filter(|_| mirrors).map(|preflight| preflight.turns);
        let ramp = || Ramp::new(config.ramp.clone(), kept.ramp);
        Watched {
            limits: config.guards.limits(config.slo.as_ref()),
            guard: None,
            switchback: None,
            intensive: config.guards.switchback.filter(|_| mirrors),
            budget: config.slo.as_ref().map(budget),
            ramp: (!config.ramp.is_empty()).then(ramp),
            preflight: Preflight {
                turns,
                is_over: turns.is_none(),
                items: turns.iter().map(|turns| not_looked(*turns)).collect(),
                has_looked: false,
            },
            said: String::new(),
            seed: mirror_common::share::murmur3_32(config.name.as_bytes(), std::process::id()),
            mirrored: Count::default(),
            last: None,
        }
    }

    /// Takes what was counted; says which guard is breached. `mirrors`: something may be cloned now.
    pub fn look(
        &mut self,
        now: Nanos,
        unix: Nanos,
        seen: &Observation,
        arm: &Arm,
        mirrors: bool,
    ) -> Option<Breach> {
        let guard = self.guard.get_or_insert_with(|| Guard::new(self.limits, now, seen));
        let breach = guard.look(now, seen);
        let new = seen.v1.since(self.last.replace(seen.v1).unwrap_or(seen.v1));
        if mirrors && self.wants_mirror() {
            self.mirrored = self.mirrored.plus(new);
        }
        self.switch(now, arm, mirrors);
        let spent = self.spend(unix, seen); // what is spent is booked whatever else is breached
        breach.or_else(|| self.switchback.as_ref()?.breach()).or(spent)
    }

    /// Whether the switchback, if there is one, has the mirror on.
    pub fn wants_mirror(&self) -> bool {
        self.switchback.as_ref().is_none_or(Switchback::is_on)
    }

    /// How fast v1 burns.
    pub fn burns(&self, now: Nanos) -> Vec<crate::guard::burn::Burn> {
        self.guard.as_ref().map(|guard| guard.burns(now)).unwrap_or_default()
    }

    /// What is to be kept.
    pub fn kept(&self) -> KeptService {
        KeptService {
            ramp: self.ramp.as_ref().map(Ramp::state),
            budget: self.budget.as_ref().map_or_else(budget::Kept::default, |budget| budget.kept().clone()),
        }
    }

    /// Somebody has said that it goes on: what had happened is no reason any more.
    pub fn rearm(&mut self, now: Nanos) {
        if let Some(ramp) = self.ramp.as_mut().filter(|ramp| ramp.state() == ramp::State::Fallen) {
            ramp.begin_anew();
        }
        if let (Some(_), Some(intensive)) = (&self.switchback, self.intensive) {
            self.switchback = Some(Switchback::new(intensive, now, self.seed));
        }
    }

    fn switch(&mut self, now: Nanos, arm: &Arm, mirrors: bool) {
        let Some(intensive) = self.intensive else { return };
        let seed = self.seed;
        if !mirrors {
            if let Some(switchback) = &mut self.switchback {
                switchback.interrupt(now);
            }
            return;
        }
        self.switchback.get_or_insert_with(|| Switchback::new(intensive, now, seed)).look(now, arm);
    }

    /// Books what the mirror is to blame for. Without pauses to compare with, that is whatever v1 does not keep.
    fn spend(&mut self, unix: Nanos, seen: &Observation) -> Option<Breach> {
        let budget = self.budget.as_mut()?;
        let measured = self.switchback.as_ref().and_then(|switchback| switchback.excess(self.mirrored.total));
        let excess = measured.unwrap_or_else(|| budget.beyond(self.mirrored));
        budget.look(unix, seen.v1, excess);
        let standing = budget.standing(unix);
        let why = format!(
            "the mirror has spent {} bad events of v1, all of its {:.0}; `resume --spend-budget REASON` grants as many again",
            standing.spent, standing.allowance
        );
        standing.is_frozen.then(|| Breach::new(Reason::BudgetSpent, why))
    }
}
