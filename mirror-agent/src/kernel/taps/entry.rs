//! One tapped interface, and what is done when somebody displaces its taps.

use std::time::Instant;

use aya::Ebpf;

use super::attempts::Attempts;
use super::changes::Changes;
use crate::config::OnDisplaced;
use crate::kernel::attach::{Tap, Vantage};
use crate::kernel::claim::Claim;
use crate::kernel::flows::Lost;
use crate::kernel::netlink::Netlink;
use crate::status::Condition;

/// A tapped interface.
pub struct Entry {
    name: String,
    taps: Vec<Watched>,
    _claim: Option<Claim>,
}

/// A tap, and how often it was put back.
struct Watched {
    tap: Tap,
    attempts: Attempts,
    /// It was put back too often; said once until it stands well again.
    is_contested: bool,
}

impl Entry {
    /// An interface whose taps are attached.
    pub fn new(name: String, claim: Option<Claim>, taps: Vec<Tap>) -> Self {
        let watched = |tap| Watched { tap, attempts: Attempts::default(), is_contested: false };
        Entry { name, taps: taps.into_iter().map(watched).collect(), _claim: claim }
    }

    /// The interface's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its taps are.
    pub fn vantages(&self) -> impl Iterator<Item = Vantage> + '_ {
        self.taps.iter().map(|watched| watched.tap.vantage.clone())
    }

    /// Takes a new name of the same interface.
    pub fn rename(&mut self, name: &str) {
        if self.name == name {
            return;
        }
        tracing::info!(interface = name, before = self.name, "a tapped interface has a new name");
        name.clone_into(&mut self.name);
        for watched in &mut self.taps {
            name.clone_into(&mut watched.tap.vantage.interface);
        }
    }

    /// At the start: says who may keep packets from the taps.
    pub fn warn_of_neighbours(&self, changes: &mut Changes) {
        for watched in &self.taps {
            watched.tell(changes);
        }
    }

    /// Reads back where each tap stands. Returns those that see nothing any more.
    pub fn check(
        &mut self,
        index: u32,
        object: &mut Ebpf,
        netlink: &mut Netlink,
        on_displaced: OnDisplaced,
        changes: &mut Changes,
    ) -> Vec<Lost> {
        let mut lost = Vec::new();
        for watched in &mut self.taps {
            if watched.check(netlink, changes) {
                lost.push(Lost { interface: index, hook: Some(watched.tap.hook.number) });
            }
            if on_displaced == OnDisplaced::Reattach {
                watched.put_back(object, netlink, changes);
            }
        }
        lost
    }
}

impl Watched {
    /// Says what has changed; returns whether the tap has just been removed.
    fn check(&mut self, netlink: &mut Netlink, changes: &mut Changes) -> bool {
        let before = self.tap.vantage.condition;
        let now = match self.tap.look(netlink) {
            Ok(now) => now,
            Err(error) => {
                // The interface goes, which the list of interfaces will say.
                tracing::debug!(interface = self.tap.vantage.interface, "a tap cannot be read back: {error}");
                return false;
            }
        };
        if now == before {
            return false;
        }
        self.tell(changes);
        if now == Condition::First {
            changes.first_again += 1;
            self.is_contested = false;
            let Vantage { interface, hook, .. } = &self.tap.vantage;
            tracing::info!(interface, hook, "nobody stands before the tap any more");
        }
        now == Condition::Removed
    }

    /// Warns and counts if somebody stands before the tap, or has taken it away.
    fn tell(&self, changes: &mut Changes) {
        let Vantage { interface, hook, condition, position, .. } = &self.tap.vantage;
        match condition {
            Condition::First => {}
            Condition::Preceded => {
                changes.preceded += 1;
                tracing::warn!(
                    interface,
                    hook,
                    before = position,
                    "somebody stands before the tap, and may keep packets from it: it may be blind"
                );
            }
            Condition::Removed => {
                changes.removed += 1;
                tracing::warn!(interface, hook, "somebody removed the tap: it sees nothing");
            }
        }
    }

    fn put_back(&mut self, object: &mut Ebpf, netlink: &mut Netlink, changes: &mut Changes) {
        let can_help = match self.tap.vantage.condition {
            Condition::First => return,
            Condition::Preceded => self.tap.can_move(),
            Condition::Removed => true,
        };
        if !can_help || self.is_contested_now(changes) {
            return;
        }
        let Vantage { interface, hook, .. } = self.tap.vantage.clone();
        match self.tap.attach_again(object) {
            Ok(()) => {
                changes.reattached += 1;
                tracing::warn!(interface, hook, "the tap is attached again");
            }
            Err(error) => {
                changes.failed += 1;
                tracing::warn!(interface, hook, "the tap cannot be attached again: {error:#}");
            }
        }
        if let Err(error) = self.tap.look(netlink) {
            tracing::debug!(interface, hook, "a tap cannot be read back: {error}");
        }
    }

    fn is_contested_now(&mut self, changes: &mut Changes) -> bool {
        if self.attempts.allow(Instant::now()) {
            self.is_contested = false;
            return false;
        }
        if !std::mem::replace(&mut self.is_contested, true) {
            changes.contested += 1;
            let Vantage { interface, hook, .. } = &self.tap.vantage;
            tracing::warn!(interface, hook, "the tap was put back too often: somebody else wants its place");
        }
        true
    }
}
