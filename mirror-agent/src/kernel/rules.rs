//! The rules of every service as the kernel holds them, and how they are replaced while packets pass.
//!
//! A change fills the half that is not in force, and one store puts it in force: a packet sees the old rules or the new.

mod plan;
mod table;

use std::time::Duration;

use anyhow::{Context, Result};
use aya::maps::lpm_trie::Key;
use aya::maps::{LpmTrie, MapData};
use mirror_common::policy::{HALVES, ServicePolicy};
use mirror_common::rule::{Candidates, PrefixKey};

pub use plan::{Write, plan};
pub use table::{Entry, Identity, RingNumbers, Table};

use crate::config::Service;

/// Every program that was running has ended after this time for certain, where the kernel cannot be asked.
const SETTLE: Duration = Duration::from_millis(20);

/// The prefixes of a loaded object, and which rule has which slot.
pub struct Rules {
    prefixes: LpmTrie<MapData, PrefixKey, Candidates>,
    tables: Vec<Table>,
    rings: RingNumbers,
}

impl Rules {
    /// Takes the prefixes' map out of a loaded object.
    ///
    /// # Errors
    ///
    /// When the object does not hold it.
    pub fn new(object: &mut aya::Ebpf) -> Result<Self> {
        let map =
            object.take_map("RULES_BY_PREFIX").context("no kernel map RULES_BY_PREFIX in this build")?;
        Ok(Rules { prefixes: map.try_into()?, tables: Vec::new(), rings: RingNumbers::default() })
    }

    /// The rules of one service now; none before the first [`Rules::replace`].
    pub fn table(&self, service: u8) -> Table {
        self.tables.get(usize::from(service)).cloned().unwrap_or_default()
    }

    /// The number of a ring, by which the programs know it.
    pub fn ring(&self, name: &str) -> Option<u8> {
        self.rings.of(name)
    }

    /// Puts the rules of `services` (by index) in force. `change` writes to the policy of one of them: half, bank word
    /// and whatever else `finish` sets, which comes with the bank word. Returns the numbers of the rings that are gone.
    ///
    /// # Errors
    ///
    /// When the kernel refuses a write: then the old rules stay, of every service.
    pub fn replace(
        &mut self,
        services: &[Service],
        mut change: impl FnMut(u8, &dyn Fn(&mut ServicePolicy)) -> Result<()>,
        finish: impl Fn(&Service, &mut ServicePolicy),
    ) -> Result<Vec<u8>> {
        let (rings, gone) = self.rings.next(services);
        let old: Vec<Table> = (0..services.len()).map(|index| self.table(index as u8)).collect();
        let new_tables: Vec<Table> =
            old.iter().zip(services).map(|(old, service)| old.next(service, &rings)).collect();
        for step in [Step::Fill, Step::Flip, Step::Clear] {
            for ((index, service), (old, new)) in (0u8..).zip(services).zip(old.iter().zip(&new_tables)) {
                let mut change = |act: &dyn Fn(&mut ServicePolicy)| {
                    change(index, &|policy| {
                        act(policy);
                        if step == Step::Flip {
                            finish(service, policy);
                        }
                    })
                };
                match self.take(step, &plan(index, old, new), &mut change) {
                    Err(error) if step == Step::Fill => {
                        self.undo(&new_tables);
                        return Err(error.context("the old rules stay"));
                    }
                    Err(error) => tracing::error!("rules were replaced, but: {error:#}"),
                    Ok(()) => {}
                }
            }
            if step == Step::Flip {
                settle();
            }
        }
        (self.tables, self.rings) = (new_tables, rings);
        Ok(gone)
    }

    /// The writes of one step.
    fn take(&mut self, step: Step, plan: &[Write], change: &mut Change<'_>) -> Result<()> {
        plan.iter().filter(|write| Step::of(write) == step).try_for_each(|write| self.write(write, change))
    }

    fn write(&mut self, write: &Write, change: &mut Change<'_>) -> Result<()> {
        match write {
            Write::Half(bank, rules) => change(&|policy| policy.rules[*bank as usize % HALVES] = *rules),
            Write::Bank(bank) => change(&|policy| policy.bank = *bank),
            Write::Prefix(entry, candidates) => {
                self.prefixes.insert(&key(entry), candidates, 0).context("write a prefix of a rule")
            }
            Write::Remove(entry) => self.remove(entry),
        }
    }

    fn remove(&mut self, entry: &Entry) -> Result<()> {
        self.prefixes.remove(&key(entry)).context("remove a prefix of a rule")
    }

    /// What was filled and will not be put in force.
    fn undo(&mut self, new: &[Table]) {
        for (index, table) in (0u8..).zip(new) {
            for (entry, _) in table.prefixes(index) {
                let _ = self.remove(&entry); // those that were never written too
            }
        }
    }
}

/// Changes the policy of one service.
type Change<'a> = dyn FnMut(&dyn Fn(&mut ServicePolicy)) -> Result<()> + 'a;

/// The order in which all services' writes are made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nobody looks at it.
    Fill,
    /// It is in force.
    Flip,
    /// Nobody looks at it any more.
    Clear,
}

impl Step {
    fn of(write: &Write) -> Step {
        match write {
            Write::Half(..) | Write::Prefix(..) => Step::Fill,
            Write::Bank(_) => Step::Flip,
            Write::Remove(_) => Step::Clear,
        }
    }
}

fn key(entry: &Entry) -> Key<PrefixKey> {
    Key::new(
        entry.bits,
        PrefixKey { scope: entry.scope, address: super::flows::to_address(entry.address.into()) },
    )
}

/// Waits until no program runs that began before: what it may still look at must stay until then.
fn settle() {
    const GLOBAL: libc::c_long = 1; // MEMBARRIER_CMD_GLOBAL: it returns after a grace period, in which every program ends
    // SAFETY: the call takes no pointers.
    if unsafe { libc::syscall(libc::SYS_membarrier, GLOBAL, 0, 0) } != 0 {
        std::thread::sleep(SETTLE);
    }
}

#[cfg(test)]
mod tests;
