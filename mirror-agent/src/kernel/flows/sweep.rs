//! Which entries of the flow table go, and what that does to the books.

use std::collections::BTreeMap;

use mirror_common::flow::{Flow, FlowKey, mark};

use super::{IDLE, open_turns};

/// Why an entry was taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its connection fell silent.
    Expired,
    /// The table was crowded, and it was among the longest silent.
    Evicted,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Entries in the table before it.
    pub entries: usize,
    /// Entries that were taken out because their connections were silent.
    pub expired: usize,
    /// Entries that were taken out to make room.
    pub evicted: usize,
}

impl Swept {
    pub(super) fn note(&mut self, why: Why) {
        match why {
            Why::Expired => self.expired += 1,
            Why::Evicted => self.evicted += 1,
        }
    }
}

/// What all sweeps took out, by service and version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    entries: u64,
    turns: BTreeMap<(u8, u8), [u64; 2]>,
}

impl Gone {
    pub(super) fn note(&mut self, flow: &Flow, why: Why) {
        self.entries += 1;
        self.turns.entry((flow.service, flow.version)).or_default()[why as usize] += open_turns(flow);
    }

    /// Entries that were taken out.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Turns of one version that will never be recorded because their connection fell silent.
    pub fn expired_turns(&self, service: u8, version: u8) -> u64 {
        self.of(service, version)[Why::Expired as usize]
    }

    /// Turns of one version that will never be recorded because their entry had to make room.
    pub fn evicted_turns(&self, service: u8, version: u8) -> u64 {
        self.of(service, version)[Why::Evicted as usize]
    }

    fn of(&self, service: u8, version: u8) -> [u64; 2] {
        self.turns.get(&(service, version)).copied().unwrap_or_default()
    }
}

/// What a sweep is to take out.
#[derive(Debug, Default)]
pub struct Plan {
    /// Entries that were looked at.
    pub entries: usize,
    /// What goes, and why.
    pub out: Vec<(FlowKey, Flow, Why)>,
}

/// Plans a sweep over the entries of the table at `now` (`CLOCK_MONOTONIC` ns).
pub fn plan(table: impl Iterator<Item = (FlowKey, Flow)>, now: u64, crowded: usize, roomy: usize) -> Plan {
    let mut plan = Plan::default();
    let mut live = Vec::new();
    for (key, flow) in table {
        plan.entries += 1;
        if now.saturating_sub(flow.last_seen) > IDLE.as_nanos() as u64 {
            plan.out.push((key, flow, Why::Expired));
        } else {
            live.push((key, flow));
        }
    }
    if live.len() > crowded {
        live.sort_unstable_by_key(|(_, flow)| flow.last_seen);
        live.truncate(live.len().saturating_sub(roomy));
        plan.out.extend(live.into_iter().map(|(key, flow)| (key, flow, Why::Evicted)));
    }
    plan
}

/// Whether an entry counts among the mirrored connections that are open.
pub fn is_counted(flow: &Flow) -> bool {
    flow.marks & mark::COUNTED != 0
}

#[cfg(test)]
mod tests {
    use mirror_common::flow::{TCP, phase};

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// The n-th connection was last seen at second n.
    fn table(entries: u16) -> impl Iterator<Item = (FlowKey, Flow)> {
        (0..entries).map(|n| {
            let flow = Flow { last_seen: u64::from(n) * SECOND, phase: phase::REQUEST, ..Flow::default() };
            (FlowKey::new(&[1; 4], n, &[2; 4], 80, TCP), flow)
        })
    }

    fn counts(plan: &Plan) -> [usize; 2] {
        [Why::Expired, Why::Evicted].map(|why| plan.out.iter().filter(|(.., of)| *of == why).count())
    }

    #[test]
    fn only_the_silent_go_from_a_table_with_room() {
        assert_eq!(counts(&plan(table(100), 320 * SECOND, 100, 10)), [20, 0]);
        assert_eq!(counts(&plan(table(100), 99 * SECOND, 100, 10)), [0, 0]);
    }

    #[test]
    fn the_longest_silent_of_the_others_make_room() {
        let plan = plan(table(100), 320 * SECOND, 79, 60);
        assert_eq!((plan.entries, counts(&plan)), (100, [20, 20]));
        let evicted = plan.out.iter().filter(|(.., why)| *why == Why::Evicted);
        assert!(evicted.map(|(_, flow, _)| flow.last_seen / SECOND).eq(20..40));
    }

    #[test]
    fn turns_are_booked_by_why_their_entry_went() {
        let mut gone = Gone::default();
        for (_, flow, why) in plan(table(100), 320 * SECOND, 79, 60).out {
            gone.note(&flow, why);
        }
        assert_eq!((gone.entries(), gone.expired_turns(0, 0), gone.evicted_turns(0, 0)), (40, 20, 20));
        assert_eq!(gone.expired_turns(0, 1), 0);
    }
}
