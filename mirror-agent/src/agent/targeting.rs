//! Whom the mirror takes: the config in force, shares that were changed since, and rings that were stopped.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use mirror_common::count::RuleCount;
use mirror_common::rule::REST;

use super::Agent;
use crate::config::{self, Config, Errors};
use crate::kernel::rules::Table;
use crate::service::Service;
use crate::status::{self, RingState};

/// Reads the flags and the file again.
pub type Load = Box<dyn Fn() -> Result<Config, Errors> + Send + Sync>;

/// The config that runs, and what has happened to it.
pub struct Targeting {
    /// As it holds now: with the shares that were set since it was read.
    config: Mutex<Config>,
    /// Held while shares or rules are changed, and never while somebody asks.
    pub(super) change: Mutex<()>,
    /// `None`: there is no file.
    pub(super) load: Option<Load>,
    /// Rings that are paused or killed.
    stopped: Mutex<BTreeMap<String, RingState>>,
    /// What a slot had counted before its rule came, by service and slot.
    before: Mutex<BTreeMap<(u8, u8), RuleCount>>,
    pub(super) reloads: Reloads,
}

/// Reloads so far.
#[derive(Default)]
pub(super) struct Reloads {
    pub success: AtomicU64,
    pub refused: AtomicU64,
    pub last_refused: AtomicBool,
}

impl Targeting {
    /// With the config that the kernel already has, and how to read it again.
    pub fn new(config: Config, load: Option<Load>) -> Self {
        Targeting {
            config: Mutex::new(config),
            change: Mutex::default(),
            load,
            stopped: Mutex::default(),
            before: Mutex::default(),
            reloads: Reloads::default(),
        }
    }

    /// The config in force. To be held briefly: whoever asks for the status waits.
    pub fn config(&self) -> MutexGuard<'_, Config> {
        lock(&self.config)
    }

    pub(super) fn stopped(&self) -> MutexGuard<'_, BTreeMap<String, RingState>> {
        lock(&self.stopped)
    }

    /// One change of shares or rules at a time.
    pub(super) fn begin_change(&self) -> MutexGuard<'_, ()> {
        lock(&self.change)
    }

    /// Keeps what a slot has counted for the rule that had it.
    pub(super) fn begin_slot(&self, service: u8, slot: u8, count: RuleCount) {
        lock(&self.before).insert((service, slot), count);
    }

    fn before(&self, service: u8, slot: u8) -> RuleCount {
        lock(&self.before).get(&(service, slot)).copied().unwrap_or_default()
    }

    /// What the status says of reloads.
    pub(super) fn reloads(&self) -> status::Reloads {
        status::Reloads {
            success: self.reloads.success.load(Ordering::Relaxed),
            refused: self.reloads.refused.load(Ordering::Relaxed),
            last_successful: !self.reloads.last_refused.load(Ordering::Relaxed),
        }
    }
}

impl Agent {
    /// Every ring that a rule names, and whether it is stopped.
    pub(super) fn rings(&self) -> Vec<status::Ring> {
        let stopped = self.targeting.stopped();
        let config = self.targeting.config();
        let is_named = |ring: &&config::Ring| {
            let mut rules = config.services.iter().flat_map(|service| &service.rules);
            rules.any(|rule| rule.ring.as_ref() == Some(&ring.name))
        };
        let rings = config.rings.iter().filter(is_named).map(|ring| status::Ring {
            name: ring.name.clone(),
            state: stopped.get(&ring.name).copied().unwrap_or(RingState::On),
            prefixes: ring.clients.len(),
        });
        rings.collect()
    }

    /// The rules of a service with what they have decided; the rest is the last.
    pub(super) fn rules(&self, service: &Service) -> Result<Vec<status::Rule>> {
        let Some(config) = self.targeting.config().services.get(usize::from(service.index)).cloned() else {
            return Ok(Vec::new());
        };
        let table = self.kernel.rules().table(service.index);
        let indices = (0..config.rules.len()).map(Some).chain([None]);
        indices.map(|index| self.rule(service.index, &config, &table, index)).collect()
    }

    fn rule(
        &self,
        service: u8,
        config: &config::Service,
        table: &Table,
        index: Option<usize>,
    ) -> Result<status::Rule> {
        let rule = index.and_then(|index| config.rules.get(index));
        let mut status = status::Rule {
            rule: config.rule_name(index),
            ring: rule.and_then(|rule| rule.ring.clone()),
            share: rule.map_or(config.share, |rule| rule.share).to_string(),
            named: 0,
            mirrored: 0,
            share_out: 0,
            capped: 0,
            cut: 0,
        };
        for slot in slots(table, index) {
            let (count, before) =
                (self.kernel.counts.rule(service, slot)?, self.targeting.before(service, slot));
            let named = count.named.saturating_sub(before.named);
            let inside = count.mirrored.saturating_sub(before.mirrored);
            let capped = count.capped.saturating_sub(before.capped);
            status.named += named;
            status.share_out += named.saturating_sub(inside);
            status.mirrored += inside.saturating_sub(capped);
            status.capped += capped;
            status.cut += count.cut.saturating_sub(before.cut);
        }
        Ok(status)
    }
}

/// The slots of one rule; of the rest, its own.
pub(super) fn slots(table: &Table, index: Option<usize>) -> Vec<u8> {
    match index {
        None => vec![REST],
        Some(_) => (1..table.slots.len() as u8).filter(|slot| table.index(*slot) == index).collect(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
