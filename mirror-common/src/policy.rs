//! What the agent tells the programs.

use core::mem::size_of;

use crate::limits::{RULES, THRESHOLDS};
use crate::rule::{REST, Rule};

/// The words that stop and steer every program at once. One entry, mapped into the agent: a store is enough.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Control {
    /// Until when (`CLOCK_MONOTONIC` ns) clones may be made. The agent renews it; it is 0 before the first renewal.
    pub lease_until: u64,
    /// When the agent last renewed the lease (`CLOCK_MONOTONIC` ns): a coarse clock that costs a packet nothing.
    pub renewed: u64,
    /// Rings of which nothing is cloned: bit n is ring n.
    pub rings_killed: u64,
    /// Nothing is cloned while this is not 0. `kill` is a store to this word.
    pub killed: u32,
    /// Index of the shadow interface; 0 is none.
    pub shadow_interface: u32,
    /// Index of the interface that packets without a link header are cloned to; 0 is none.
    pub raw_shadow_interface: u32,
    /// Mark of the agent's own sockets; 0 is none. Those of its probes have [`PROBE_BIT`] the other way round.
    pub own_mark: u32,
    /// Not 0 where endpoints without an address are known, so that both lookups are worth their time.
    pub any_address: u32,
    /// Not 0 where every TCP and UDP packet belongs to service 0 (a capture without a filter).
    pub everything: u32,
    /// Not 0 where more than one interface is tapped, so that a closed connection is worth remembering.
    pub several_interfaces: u32,
    /// Always zero.
    pub zero: u32,
    /// The ports of all endpoints, a bit each (of the port in host order): what has none of them is not looked up.
    pub ports: [u64; PORT_WORDS],
}
const _: () = assert!(size_of::<Control>() == 56 + PORT_WORDS * 8);

/// The bit by which the mark of a probe differs from [`Control::own_mark`].
pub const PROBE_BIT: u32 = 1 << 31;

/// Words of [`Control::ports`].
pub const PORT_WORDS: usize = 65_536 / 64;

impl Control {
    /// Whether an endpoint may have this port (network order).
    #[inline(always)]
    pub fn has_port(&self, port: u16) -> bool {
        let port = u16::from_be(port) as usize;
        self.ports[port / 64 % PORT_WORDS] >> (port % 64) & 1 != 0
    }
}

/// How one service is mirrored. Costs are GCRA increments: nanoseconds of the bucket that one unit uses up, times 1024.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServicePolicy {
    /// Seed of the share's hash.
    pub seed: u32,
    /// Not 0 while the service is paused: a bit for each reason ([`paused`]).
    pub paused: u32,
    /// Which half of [`ServicePolicy::rules`] is in force (bit 0), and whether rules name clients ([`BY_CLIENT`]): then it
    /// is that half's prefixes too. One store replaces all rules at once.
    pub bank: u32,
    /// Mirrored connections at once; 0 is no cap.
    pub max_connections: u32,
    /// Cost of a packet; 0 is no cap.
    pub packet_cost: u64,
    /// Cost of a byte; 0 is no cap.
    pub byte_cost: u64,
    /// Cost of a new mirrored connection; 0 is no cap.
    pub connection_cost: u64,
    /// How far a bucket may run ahead of the clock, in nanoseconds: the burst.
    pub burst: u64,
    /// Durations that are counted exactly, in nanoseconds, upper-inclusive; 0 is none.
    pub thresholds: [u64; THRESHOLDS],
    /// The shares, by half and slot; [`crate::rule::REST`] is the service's own.
    pub rules: [[Rule; RULES]; HALVES],
}
const _: () = assert!(size_of::<ServicePolicy>() == 48 + THRESHOLDS * 8 + HALVES * RULES * 12);

/// Why a service is paused: bits of [`ServicePolicy::paused`], each set and cleared by itself.
pub mod paused {
    /// Somebody said so, or a guard did.
    pub const ASKED: u32 = 1;
    /// v1 is looked at without the mirror for a while.
    pub const SWITCHBACK: u32 = 2;
    /// It is not known yet what must be known before.
    pub const PREFLIGHT: u32 = 4;
}

/// One half of the rules is in force; a change fills the other.
pub const HALVES: usize = 2;
/// Bit of [`ServicePolicy::bank`] that says that rules name clients, so that the prefixes are worth a lookup.
pub const BY_CLIENT: u32 = 2;

impl ServicePolicy {
    /// A service of which this share of the connections is mirrored, whoever the client is.
    pub const fn of_share(share_ppm: u32) -> Self {
        let none =
            Rule { share_ppm: 0, lowest_port: 0, highest_port: 0, ring: 0, generation: 0, zero: [0; 2] };
        let mut rules = [[none; RULES]; HALVES];
        rules[0][REST as usize].share_ppm = share_ppm;
        ServicePolicy {
            seed: 0,
            paused: 0,
            bank: 0,
            max_connections: 0,
            packet_cost: 0,
            byte_cost: 0,
            connection_cost: 0,
            burst: 0,
            thresholds: [0; THRESHOLDS],
            rules,
        }
    }

    /// The rule in a slot, in the half that `bank` names.
    #[inline(always)]
    pub const fn rule(&self, bank: u32, slot: u8) -> &Rule {
        &self.rules[bank as usize % HALVES][slot as usize % RULES]
    }

    /// The rules in force.
    pub const fn rules_in_force(&mut self) -> &mut [Rule; RULES] {
        &mut self.rules[self.bank as usize % HALVES]
    }

    /// The share of the connections that no other rule names.
    pub const fn share_ppm(&self) -> u32 {
        self.rule(self.bank, REST).share_ppm
    }

    /// Changes that share.
    pub const fn set_share_ppm(&mut self, share_ppm: u32) {
        self.rules_in_force()[REST as usize].share_ppm = share_ppm;
    }
}

/// Theoretical arrival times of one service's three buckets, in nanoseconds, and its open connections.
///
/// Updated without a lock (the floor of 5.10 has no compare-and-swap): two processors that race may admit one
/// packet each on one increment, never more.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buckets {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
    /// New mirrored connections.
    pub connections: u64,
    /// Mirrored connections in the flow table: no time, but changed in the same places. Added to and taken from
    /// atomically, by the programs and by the agent's sweep.
    pub open: u64,
}
const _: () = assert!(size_of::<Buckets>() == 32);

/// Fixed-point scale of the costs.
pub const COST_SHIFT: u32 = 10;

/// No cost is higher, so that the bytes of a packet (fewer than 2^17) times it fit: 19 hours a unit.
const HIGHEST_COST: u64 = 1 << 56;

/// The cost of one unit at a rate of `per_second`; 0 (no cap) for a rate of 0.
pub const fn cost(per_second: u64) -> u64 {
    if per_second == 0 {
        return 0;
    }
    let cost = (1_000_000_000u64 << COST_SHIFT) / per_second;
    if cost == 0 { 1 } else { cost }
}

/// One step of the generic cell rate algorithm: the bucket after `units` at `now`, or `None` when over the rate.
#[inline(always)]
pub fn admit(bucket: u64, now: u64, units: u64, cost: u64, burst: u64) -> Option<u64> {
    let start = if bucket > now { bucket } else { now };
    if start - now > burst {
        return None;
    }
    let cost = if cost > HIGHEST_COST { HIGHEST_COST } else { cost };
    // In two parts, so that it fits: the whole nanoseconds, and the rest.
    let rest = cost & ((1 << COST_SHIFT) - 1);
    Some(start.saturating_add(units * (cost >> COST_SHIFT) + ((units * rest) >> COST_SHIFT)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_admits_its_rate_and_its_burst() {
        let (cost, burst) = (cost(1000), 100_000_000);
        let mut bucket = 0;
        let mut admitted = 0;
        for ms in 0..1000u64 {
            for _ in 0..10 {
                if let Some(next) = admit(bucket, 1 << 40 | (ms * 1_000_000), 1, cost, burst) {
                    (bucket, admitted) = (next, admitted + 1);
                }
            }
        }
        assert!((1000..=1102).contains(&admitted), "{admitted}");
    }

    #[test]
    fn the_edges_of_time_do_not_overflow() {
        assert_eq!(admit(u64::MAX, u64::MAX, 1, cost(1), 0), Some(u64::MAX));
        assert_eq!(admit(u64::MAX, 0, 1, cost(1), 5), None);
        assert_eq!(cost(u64::MAX), 1);
    }
}
