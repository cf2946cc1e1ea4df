//! The caps, which hold when user space hangs.

use aya_ebpf::programs::TcContext;
use mirror_common::event::{Event, kind};
use mirror_common::flow::{Flow, FlowKey, decision, mark};
use mirror_common::limits::RULES;
use mirror_common::policy::admit;

use crate::atomic::{add, subtract_one};
use crate::maps::{BUCKETS, EVENTS, RULE_COUNTS, SIDE_COUNTS};
use crate::subject::{Decided, Sighting};

/// Whether a packet that is to be cloned stays within the packets and bytes a second; what stays takes its tokens.
#[inline(always)]
pub fn admit_packet(ctx: &TcContext, seen: &Sighting) -> bool {
    let policy = seen.policy;
    if policy.packet_cost == 0 && policy.byte_cost == 0 {
        return true;
    }
    let Some(buckets) = BUCKETS.get_ptr_mut(seen.subject.service as u32) else { return false };
    // SAFETY: a live array entry; racing writers are accepted, see `Buckets`.
    let buckets = unsafe { &mut *buckets };
    let packets = admit(buckets.packets, seen.now, 1, policy.packet_cost, policy.burst);
    let bytes = admit(buckets.bytes, seen.now, ctx.len() as u64, policy.byte_cost, policy.burst);
    match (packets, bytes) {
        (Some(packets), Some(bytes)) => {
            buckets.packets = packets;
            buckets.bytes = bytes;
            true
        }
        _ => false,
    }
}

/// Whether a new connection stays within those a second and those at once; one that stays is counted as open.
#[inline(always)]
pub fn admit_connection(seen: &Sighting) -> bool {
    let policy = seen.policy;
    let Some(buckets) = BUCKETS.get_ptr_mut(seen.subject.service as u32) else { return false };
    // SAFETY: a live array entry; racing writers are accepted, see `Buckets`.
    unsafe {
        if policy.max_connections != 0 && (*buckets).open >= policy.max_connections as u64 {
            return false;
        }
        if policy.connection_cost != 0 {
            match admit((*buckets).connections, seen.now, 1, policy.connection_cost, policy.burst) {
                Some(next) => (*buckets).connections = next,
                None => return false,
            }
        }
        add(&raw mut (*buckets).open, 1);
    }
    true
}

/// A counted connection is mirrored no more.
#[inline(always)]
pub fn release(service: u8) {
    if let Some(buckets) = BUCKETS.get_ptr_mut(service as u32) {
        // SAFETY: a live array entry.
        unsafe { subtract_one(&raw mut (*buckets).open) }
    }
}

/// Cuts a mirrored connection for good: half a stream helps nobody. The agent is told, and drops what it has of it.
#[inline(always)]
pub fn cut(key: &FlowKey, flow: &mut Flow, seen: &Sighting) {
    flow.decision = decision::CAPPED;
    if flow.marks & mark::COUNTED != 0 {
        release(flow.service);
    }
    flow.marks = flow.marks & !mark::COUNTED | mark::CUT;
    if let Some(count) = RULE_COUNTS.get_ptr_mut(rule_index(flow)) {
        // SAFETY: a live entry of this processor's own array.
        unsafe { (*count).cut += 1 };
    }
    tell(key, flow, seen);
}

/// Writes the event into the ring itself: on the stack it would be the drop too much.
#[inline(always)]
fn tell(key: &FlowKey, flow: &Flow, seen: &Sighting) {
    if let Some(mut entry) = EVENTS.reserve::<Event>(0) {
        let event = entry.as_mut_ptr();
        // SAFETY: room for one event, all of which is written before it is submitted.
        unsafe {
            key.write_to(&raw mut (*event).key);
            (*event).at = seen.now;
            (*event).kind = kind::CUT;
            (*event).service = flow.service as u32;
        }
        entry.submit(0);
    } else if let Some(counts) = SIDE_COUNTS.get_ptr_mut(seen.subject.side_index()) {
        // SAFETY: a live entry of this processor's own array.
        unsafe { (*counts).events_lost += 1 };
    }
}

/// Counts a new connection of v1 by the rule that decided.
#[inline(always)]
pub fn count_connection(flow: &Flow, mirrored: bool, capped: bool) {
    let Some(count) = RULE_COUNTS.get_ptr_mut(rule_index(flow)) else { return };
    // SAFETY: a live entry of this processor's own array.
    let count = unsafe { &mut *count };
    count.named += 1;
    count.mirrored += mirrored as u64;
    count.capped += capped as u64;
}

#[inline(always)]
fn rule_index(flow: &Flow) -> u32 {
    flow.service as u32 * RULES as u32 + flow.rule as u32
}

/// Whether a connection's rule has no share (any more): then nothing of it is cloned, whatever was decided.
#[inline(always)]
pub fn is_share_gone(decided: Decided, seen: &Sighting) -> bool {
    let rule = seen.policy.rule(seen.policy.bank, decided.rule);
    rule.share_ppm == 0 || rule.generation != decided.generation
}
