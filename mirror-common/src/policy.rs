//! What the agent tells the programs.

use core::mem::size_of;

/// The words that stop and steer every program at once. One entry, mapped into the agent: a store is enough.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// Until when (`CLOCK_MONOTONIC` ns) clones may be made. The agent renews it; it is 0 before the first renewal.
    pub lease_until: u64,
    /// Nothing is cloned while this is not 0. `kill` is a store to this word.
    pub killed: u32,
    /// Index of the shadow interface; 0 is none.
    pub shadow_interface: u32,
    /// Mark of the agent's own sockets; 0 is none.
    pub own_mark: u32,
    /// Not 0 where endpoints without an address are known, so that both lookups are worth their time.
    pub any_address: u32,
    /// Not 0 where every TCP and UDP packet belongs to service 0 (a capture without a filter).
    pub everything: u32,
    /// Always zero.
    pub zero: u32,
}
const _: () = assert!(size_of::<Control>() == 32);

/// How one service is mirrored. Costs are GCRA increments: nanoseconds of the bucket that one unit uses up, times 1024.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServicePolicy {
    /// Share of connections to mirror, in parts per million.
    pub share_ppm: u32,
    /// Seed of the share's hash.
    pub seed: u32,
    /// Not 0 while the service is paused.
    pub paused: u32,
    /// Always zero.
    pub zero: u32,
    /// Cost of a packet; 0 is no cap.
    pub packet_cost: u64,
    /// Cost of a byte; 0 is no cap.
    pub byte_cost: u64,
    /// Cost of a new mirrored connection; 0 is no cap.
    pub connection_cost: u64,
    /// How far a bucket may run ahead of the clock, in nanoseconds: the burst.
    pub burst: u64,
}
const _: () = assert!(size_of::<ServicePolicy>() == 48);

/// Theoretical arrival times of one service's three buckets, in nanoseconds.
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
}
const _: () = assert!(size_of::<Buckets>() == 24);

/// Fixed-point scale of the costs.
pub const COST_SHIFT: u32 = 10;

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
    Some(start.saturating_add((units * cost) >> COST_SHIFT))
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
