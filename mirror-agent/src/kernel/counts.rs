//! The kernel's counters, summed over processors.

use anyhow::{Context, Result};
use aya::maps::{MapData, PerCpuArray};
use mirror_common::count::{Packet, RuleCount, SideCount, SkipCount, TurnCount, side};
use mirror_common::limits::{RULES, SERVICES, VERSIONS};

/// Tries to read a ledger between two packets before it is believed to be out of balance.
const TRIES: usize = 8;

/// The per-processor counters of a loaded object.
pub struct Counts {
    sides: PerCpuArray<MapData, SideCount>,
    turns: PerCpuArray<MapData, TurnCount>,
    skips: PerCpuArray<MapData, SkipCount>,
    rules: PerCpuArray<MapData, RuleCount>,
}

impl Counts {
    /// Takes the counters' maps out of a loaded object.
    ///
    /// # Errors
    ///
    /// When the object does not hold them.
    pub fn new(object: &mut aya::Ebpf) -> Result<Self> {
        let mut take =
            |name: &str| object.take_map(name).with_context(|| format!("no kernel map {name} in this build"));
        Ok(Counts {
            sides: take("SIDE_COUNTS")?.try_into()?,
            turns: take("TURN_COUNTS")?.try_into()?,
            skips: take("SKIP_COUNTS")?.try_into()?,
            rules: take("RULE_COUNTS")?.try_into()?,
        })
    }

    /// One side of one service.
    ///
    /// A packet that is counted while we read shows as matched and not yet as ended, so a ledger that does not balance
    /// is read again: a true imbalance stays, a moment's does not.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn side(&self, service: u8, side: u8) -> Result<SideCount> {
        let mut sum = self.read_side(service, side)?;
        for _ in 1..TRIES {
            if imbalance(&sum) == 0 {
                break;
            }
            sum = self.read_side(service, side)?;
        }
        Ok(sum)
    }

    /// Both sides of one service, added up.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn service(&self, service: u8) -> Result<SideCount> {
        let mut sum = self.side(service, side::CLIENT)?;
        add(&mut sum, &self.side(service, side::SERVER)?);
        Ok(sum)
    }

    fn read_side(&self, service: u8, side: u8) -> Result<SideCount> {
        let mut sum = EMPTY;
        let index = u32::from(service) * 2 + u32::from(side);
        for count in self.sides.get(&index, 0).context("read the kernel's packet counters")?.iter() {
            add(&mut sum, count);
        }
        Ok(sum)
    }

    /// The turns of one version.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn turns(&self, service: u8, version: u8) -> Result<TurnCount> {
        let mut sum = TurnCount::default();
        let index = u32::from(service) * VERSIONS + u32::from(version);
        for count in self.turns.get(&index, 0).context("read the kernel's turn counters")?.iter() {
            add_turns(&mut sum, count);
        }
        Ok(sum)
    }

    /// Entries of the flow table that the programs made, and those that they took out again, of all services.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn entries(&self) -> Result<(u64, u64)> {
        let mut sum = TurnCount::default();
        for index in 0..SERVICES * VERSIONS {
            let counts = self.turns.get(&index, 0).context("read the kernel's turn counters")?;
            counts.iter().for_each(|count| add_turns(&mut sum, count));
        }
        Ok((sum.opened, sum.closed))
    }

    /// The connections that the rules in one slot have decided, whichever rules those were.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn rule(&self, service: u8, slot: u8) -> Result<RuleCount> {
        let mut sum = RuleCount::default();
        let index = u32::from(service) * RULES as u32 + u32::from(slot);
        for count in self.rules.get(&index, 0).context("read the kernel's connection counters")?.iter() {
            sum.named += count.named;
            sum.mirrored += count.mirrored;
            sum.capped += count.capped;
            sum.cut += count.cut;
        }
        Ok(sum)
    }

    /// Packets that were passed without being matched.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn skips(&self) -> Result<SkipCount> {
        let mut sum = SkipCount::default();
        for count in self.skips.get(&0, 0).context("read the kernel's skip counters")?.iter() {
            sum.packets.iter_mut().zip(count.packets).for_each(|(to, from)| *to += from);
        }
        Ok(sum)
    }
}

const EMPTY: SideCount = SideCount {
    packets: [0; Packet::COUNT],
    bytes: [0; Packet::COUNT],
    link_refused: 0,
    last_clone: 0,
    events_lost: 0,
};

/// Matched packets that no bucket holds; 0 in a balanced ledger.
pub fn imbalance(count: &SideCount) -> i64 {
    let [matched, ended @ ..] = count.packets;
    matched.wrapping_sub(ended.iter().sum()) as i64
}

fn add(to: &mut SideCount, from: &SideCount) {
    to.packets.iter_mut().zip(from.packets).for_each(|(to, from)| *to += from);
    to.bytes.iter_mut().zip(from.bytes).for_each(|(to, from)| *to += from);
    to.link_refused += from.link_refused;
    to.events_lost += from.events_lost;
    to.last_clone = to.last_clone.max(from.last_clone);
}

fn add_turns(to: &mut TurnCount, from: &TurnCount) {
    to.started += from.started;
    to.recorded += from.recorded;
    to.ambiguous.iter_mut().zip(from.ambiguous).for_each(|(to, from)| *to += from);
    to.retransmits.iter_mut().zip(from.retransmits).for_each(|(to, from)| *to += from);
    to.resets.iter_mut().zip(from.resets).for_each(|(to, from)| *to += from);
    to.opened += from.opened;
    to.closed += from.closed;
}
