//! The tapped interfaces: which are wanted, which are there, and what has become of each tap.

mod attempts;
pub mod changes;
mod entry;
pub mod refusal;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use aya::Ebpf;

use super::attach::{HOOKS, Hook, Mechanism, RAW_HOOKS, Tap, Vantage, attach};
use super::claim::{self, Asked, Claim};
use super::control::Control;
use super::flows::Lost;
use super::links::{self, Framing, Link, framing};
use super::netlink::Netlink;
use super::relay::Relay;
use super::wanted::Wanted;
use super::{interface, leftover, object};
use crate::config::OnDisplaced;
use changes::Changes;
use entry::Entry;
use refusal::{Again, Refusal};

/// Interfaces that are tapped at once. One more costs every host that has them a look twice a second, and a program run a
/// packet; a pattern that matches more is a slip.
pub const TAPPED_MAX: usize = 256;

/// Interfaces that are tapped at one go: the kernel takes milliseconds for each, and others wait for the taps meanwhile.
const AT_ONCE: usize = 8;

/// How an interface is shared with other agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// No other agent taps it.
    Alone,
    /// Beside another agent, where the kernel has chains: a capture.
    Beside,
}

/// Every tap, and what is to be tapped.
pub struct Taps {
    mechanism: Mechanism,
    control: Arc<Control>,
    /// Only where there are interfaces without link headers.
    relay: Option<Relay>,
    wanted: Wanted,
    on_displaced: OnDisplaced,
    /// By interface index.
    entries: BTreeMap<u32, Entry>,
    /// Interfaces that were asked for and refused, by index: with their name, and when to try again.
    refused: BTreeMap<u32, (String, Again)>,
    changes: Changes,
    /// More was new than was tapped at one go.
    has_more: bool,
}

impl Taps {
    /// No taps yet.
    pub fn new(mechanism: Mechanism, control: Arc<Control>) -> Self {
        Taps {
            mechanism,
            control,
            relay: None,
            wanted: Wanted::default(),
            on_displaced: OnDisplaced::Report,
            entries: BTreeMap::new(),
            refused: BTreeMap::new(),
            changes: Changes::default(),
            has_more: false,
        }
    }

    /// Taps one interface by name, which is not watched.
    ///
    /// # Errors
    ///
    /// When it cannot be tapped; it is as it was then.
    pub fn tap(&mut self, object: &mut Ebpf, name: &str, sharing: Sharing) -> Result<()> {
        let links = links::list(&mut Netlink::open()?).context("list the interfaces")?;
        self.tap_named(object, &links, name, sharing)
    }

    /// Taps what is wanted and there. From now on [`Taps::follow`] and [`Taps::check`] keep it so.
    ///
    /// # Errors
    ///
    /// When an interface that was named cannot be tapped, or any belongs to another agent.
    pub fn want(&mut self, object: &mut Ebpf, wanted: Wanted, on_displaced: OnDisplaced) -> Result<()> {
        let links = links::list(&mut Netlink::open()?).context("list the interfaces")?;
        for name in wanted.names() {
            self.tap_named(object, &links, name, Sharing::Alone)?;
        }
        if wanted.patterns().next().is_some() {
            object::load_raw(object)?; // what comes later may need it, when the right to load is gone
        }
        (self.wanted, self.on_displaced) = (wanted, on_displaced);
        for link in self.untapped(&links) {
            match self.add(object, &link, Sharing::Alone) {
                Ok(()) => {}
                Err(Refusal::Taken(owner)) => bail!("{} is tapped already by {owner}", link.name),
                Err(refusal) => self.refuse(&link, &refusal),
            }
        }
        if self.entries.is_empty() {
            let patterns: Vec<_> = self.wanted.patterns().collect();
            tracing::warn!("no interface matches {} yet: nothing is tapped", patterns.join(", "));
        }
        Ok(())
    }

    /// Follows the interfaces that came and went since the last time. Returns the vantages that are no more.
    ///
    /// # Errors
    ///
    /// When the kernel does not say which there are.
    pub fn follow(&mut self, object: &mut Ebpf) -> Result<Vec<Lost>> {
        let links = links::list(&mut Netlink::open()?).context("list the interfaces")?;
        let lost = self.drop_gone(&links);
        let now = Instant::now();
        let new: Vec<_> =
            self.untapped(&links).into_iter().filter(|link| !self.is_refused(link, now)).collect();
        self.has_more = new.len() > AT_ONCE;
        for link in new.into_iter().take(AT_ONCE) {
            match self.add(object, &link, Sharing::Alone) {
                Ok(()) => {
                    self.changes.interface_new += 1;
                    tracing::info!(interface = link.name, index = link.index, "tapped: the interface is new");
                }
                Err(refusal) => self.refuse(&link, &refusal),
            }
        }
        Ok(lost)
    }

    /// Reads back where every tap stands, and does what was asked for where one was displaced. Returns the vantages that
    /// see nothing.
    ///
    /// # Errors
    ///
    /// When no netlink socket can be had.
    pub fn check(&mut self, object: &mut Ebpf) -> Result<Vec<Lost>> {
        let mut netlink = Netlink::open().context("open a netlink socket")?;
        let mut lost = Vec::new();
        for (index, entry) in &mut self.entries {
            lost.extend(entry.check(*index, object, &mut netlink, self.on_displaced, &mut self.changes));
        }
        Ok(lost)
    }

    /// Whether more interfaces are new than were tapped at one go.
    pub fn has_more(&self) -> bool {
        self.has_more
    }

    /// Whether an interface that was refused is to be tried again.
    pub fn is_due(&self) -> bool {
        let now = Instant::now();
        self.refused.values().any(|(_, again)| matches!(again, Again::At(again) if *again <= now))
    }

    /// Where each tap is.
    pub fn vantages(&self) -> Vec<Vantage> {
        self.entries.values().flat_map(Entry::vantages).collect()
    }

    /// How many interfaces are tapped.
    pub fn interfaces(&self) -> usize {
        self.entries.len()
    }

    /// What has changed so far.
    pub fn changes(&self) -> Changes {
        self.changes
    }

    /// Counts a loss of news.
    pub fn note_overrun(&mut self) {
        self.changes.overrun += 1;
    }

    /// Takes every tap off, and wants none.
    pub fn clear(&mut self) {
        self.wanted = Wanted::default();
        self.entries.clear();
    }

    fn tap_named(&mut self, object: &mut Ebpf, links: &[Link], name: &str, sharing: Sharing) -> Result<()> {
        let link = links.iter().find(|link| link.name == name);
        let link = link.with_context(|| format!("no such interface: {name}"))?;
        if self.entries.contains_key(&link.index) {
            return Ok(());
        }
        match self.add(object, link, sharing) {
            Ok(()) => Ok(()),
            Err(Refusal::Failed(error)) => Err(error),
            Err(refusal) => bail!("{name} cannot be tapped: {refusal}"),
        }
    }

    fn untapped(&self, links: &[Link]) -> Vec<Link> {
        let wanted = self.wanted.among(links).into_iter();
        wanted.filter(|link| !self.entries.contains_key(&link.index)).cloned().collect()
    }

    fn add(&mut self, object: &mut Ebpf, link: &Link, sharing: Sharing) -> Result<(), Refusal> {
        if self.entries.len() >= TAPPED_MAX {
            return Err(Refusal::Full);
        }
        let hooks = match framing(link) {
            Framing::Ethernet => &HOOKS,
            Framing::RawIp => self.raw_hooks(object).map_err(Refusal::Failed)?,
            other => return Err(Refusal::Framing(other)),
        };
        let (claim, taps) = claim_and_attach(object, link, (self.mechanism, hooks), sharing)?;
        let entry = Entry::new(link.name.clone(), claim, taps);
        entry.warn_of_neighbours(&mut self.changes);
        self.entries.insert(link.index, entry);
        self.refused.remove(&link.index);
        Ok(())
    }

    /// For interfaces without link headers: what their clones need comes with the first of them.
    fn raw_hooks(&mut self, object: &mut Ebpf) -> Result<&'static [Hook; 2]> {
        object::load_raw(object)?;
        if self.relay.is_none() {
            let relay = Relay::create(object, self.mechanism)?;
            self.control.set_raw_shadow_interface(relay.index);
            self.relay = Some(relay);
        }
        Ok(&RAW_HOOKS)
    }

    fn drop_gone(&mut self, links: &[Link]) -> Vec<Lost> {
        let there: BTreeMap<u32, &Link> =
            self.wanted.among(links).into_iter().map(|link| (link.index, link)).collect();
        self.refused.retain(|index, _| there.contains_key(index));
        let mut lost = Vec::new();
        let changes = &mut self.changes;
        self.entries.retain(|index, entry| {
            if let Some(link) = there.get(index) {
                entry.rename(&link.name);
                return true;
            }
            changes.interface_gone += 1;
            tracing::warn!(interface = entry.name(), index, "a tapped interface is gone");
            lost.push(Lost { interface: *index, hook: None });
            false
        });
        lost
    }

    fn is_refused(&self, link: &Link, now: Instant) -> bool {
        let Some((name, again)) = self.refused.get(&link.index) else { return false };
        let is_early = match again {
            Again::Never => true,
            Again::At(again) => now < *again,
            Again::WithRoom => self.entries.len() >= TAPPED_MAX,
        };
        is_early && *name == link.name
    }

    /// Said and counted once, however often it is tried.
    fn refuse(&mut self, link: &Link, refusal: &Refusal) {
        let before = self.refused.insert(link.index, (link.name.clone(), refusal.again()));
        if before.is_none_or(|(name, _)| name != link.name) {
            refusal.count(&mut self.changes);
            tracing::warn!(interface = link.name, "not tapped: {refusal}");
        }
    }
}

/// The claim comes first: only then is a filter that is there nobody's. A chain has room for two, a filter's place has not.
fn claim_and_attach(
    object: &mut Ebpf,
    link: &Link,
    (mechanism, hooks): (Mechanism, &'static [Hook; 2]),
    sharing: Sharing,
) -> Result<(Option<Claim>, Vec<Tap>), Refusal> {
    let failed = |error: anyhow::Error| Refusal::Failed(error);
    let beside = sharing == Sharing::Beside && mechanism == Mechanism::Tcx;
    let asked = claim::ask(link.index).with_context(|| format!("claim {}", link.name)).map_err(failed)?;
    let claim = match asked {
        Asked::Ours(claim) => {
            leftover::sweep(&link.name).map_err(failed)?;
            (!beside).then_some(claim)
        }
        Asked::Taken(_) if beside => None,
        Asked::Taken(owner) => return Err(Refusal::Taken(owner)),
    };
    let taps = attach(object, &link.name, mechanism, hooks).map_err(failed)?;
    // The name may have passed to another interface since it was listed.
    match interface::index(&link.name) {
        Ok(index) if index == link.index => Ok((claim, taps)),
        _ => Err(Refusal::Failed(anyhow::anyhow!("{} changed while it was tapped", link.name))),
    }
}
