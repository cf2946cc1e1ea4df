//! The tap: times what it knows, clones what it was asked to, and always lets the packet go on.

use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::macros::classifier;
use aya_ebpf::programs::TcContext;
use mirror_common::count::{Packet as Ending, Skip};
use mirror_common::flow::{Flow, FlowKey, TCP, decision, role};
use mirror_common::policy::{Control, ServicePolicy, admit};

use crate::clone::{Cloned, clone};
use crate::endpoint::{Match, find};
use crate::flow::{self, Sighting};
use crate::maps::{BUCKETS, FLOWS_BY_KEY, POLICIES, SIDE_COUNTS, SKIP_COUNTS, control};
use crate::packet::parse;
use crate::turn;

/// `TCX_NEXT` and `TC_ACT_UNSPEC` alike: go on with the next program. There is no other verdict here.
const NEXT: i32 = -1;

const INGRESS: u8 = 1;
const EGRESS: u8 = 2;

/// The tap on packets that come in through an interface.
#[classifier]
pub fn mirror_ingress(ctx: TcContext) -> i32 {
    tap(&ctx, INGRESS)
}

/// The same on packets that go out.
#[classifier]
pub fn mirror_egress(ctx: TcContext) -> i32 {
    tap(&ctx, EGRESS)
}

#[inline(always)]
fn tap(ctx: &TcContext, hook: u8) -> i32 {
    if let Err(skip) = observe(ctx, hook) {
        count_skip(skip);
    }
    NEXT
}

#[inline(always)]
fn observe(ctx: &TcContext, hook: u8) -> Result<(), Skip> {
    let control = control().ok_or(Skip::Unmatched)?;
    let packet = parse(ctx)?;
    let matched = find(packet, control)?;
    let policy = POLICIES.get(matched.endpoint.service as u32).ok_or(Skip::Unmatched)?;
    // SAFETY: the helper has no preconditions.
    let now = unsafe { bpf_ktime_get_ns() };
    let own = is_own(ctx, control);
    let seen = Sighting { now, packet, matched: &matched, policy, own };
    let key =
        FlowKey::new(&packet.source, packet.source_port, &packet.target, packet.target_port, packet.protocol);
    // SAFETY: the kernel keeps the entry alive for this run. Another processor may hold the same connection's other
    // direction: each direction writes its own fields but for the turn's, where a torn turn reads as a doubtful one.
    let mut entry = flow::entry(&key, &seen)?.map(|flow| unsafe { &mut *flow });
    // Without an entry the share's hash still gives the connection's answer.
    let decided = entry.as_ref().map_or_else(|| flow::decide(&key, &seen), |flow| flow.decision);
    if decided == decision::OWN && matched.endpoint.role == role::PRIMARY {
        return Err(Skip::Own);
    }
    let mut over = false;
    if let Some(flow) = &mut entry {
        flow.last_seen = now;
        // SAFETY: `ctx` is the live socket buffer of this run.
        let interface = unsafe { (*ctx.skb.skb).ifindex };
        if !flow::owns(flow, matched.side, interface, hook) {
            count(ctx, &matched, Ending::DuplicateVantage);
            return Ok(());
        }
        over = packet.protocol == TCP && turn::follow(ctx, packet.segment, matched.side, flow, now);
    }
    let decided = admit_packet(ctx, decided, entry, &seen);
    count(ctx, &matched, mirror(ctx, control, decided, &seen));
    if over {
        let _ = FLOWS_BY_KEY.remove(key);
    }
    Ok(())
}

#[inline(always)]
fn is_own(ctx: &TcContext, control: &Control) -> bool {
    // SAFETY: `ctx` is the live socket buffer of this run.
    control.own_mark != 0 && unsafe { (*ctx.skb.skb).mark } == control.own_mark
}

/// A connection over a packet or byte cap is cut for good: half a stream helps nobody.
#[inline(always)]
fn admit_packet(ctx: &TcContext, decided: u8, entry: Option<&mut Flow>, seen: &Sighting) -> u8 {
    let primary = seen.matched.endpoint.role == role::PRIMARY;
    if !primary || decided != decision::MIRROR || !is_over_cap(ctx, seen.policy, seen) {
        return decided;
    }
    if let Some(flow) = entry {
        flow.decision = decision::CAPPED;
    }
    decision::CAPPED
}

#[inline(always)]
fn is_over_cap(ctx: &TcContext, policy: &ServicePolicy, seen: &Sighting) -> bool {
    if policy.packet_cost == 0 && policy.byte_cost == 0 {
        return false;
    }
    let Some(buckets) = BUCKETS.get_ptr_mut(seen.matched.endpoint.service as u32) else { return true };
    // SAFETY: a live array entry; racing writers are accepted, see `Buckets`.
    let buckets = unsafe { &mut *buckets };
    let packets = admit(buckets.packets, seen.now, 1, policy.packet_cost, policy.burst);
    let bytes = admit(buckets.bytes, seen.now, ctx.len() as u64, policy.byte_cost, policy.burst);
    match (packets, bytes) {
        (Some(packets), Some(bytes)) => {
            buckets.packets = packets;
            buckets.bytes = bytes;
            false
        }
        _ => true,
    }
}

/// Whether and how the packet was cloned. The order of the reasons is the order in which an operator would ask.
#[inline(always)]
fn mirror(ctx: &TcContext, control: &Control, decided: u8, seen: &Sighting) -> Ending {
    if seen.matched.endpoint.role != role::PRIMARY {
        return Ending::Matched; // timed only; not counted
    }
    if decided == decision::SHARE_OUT || seen.policy.share_ppm == 0 {
        return Ending::ShareOut;
    }
    if control.killed != 0 || seen.policy.paused != 0 {
        return Ending::Paused;
    }
    if seen.now >= control.lease_until {
        return Ending::LeaseExpired;
    }
    if decided == decision::CAPPED {
        return Ending::Capped;
    }
    match clone(ctx, control.shadow_interface) {
        Cloned::Sent => {
            note_clone(seen);
            Ending::Cloned
        }
        Cloned::LinkRefused => {
            note_link_refused(seen);
            Ending::CloneFailed
        }
        Cloned::Failed => Ending::CloneFailed,
    }
}

#[inline(always)]
fn side_index(matched: &Match) -> u32 {
    matched.endpoint.service as u32 * 2 + matched.side as u32
}

#[inline(always)]
fn note_clone(seen: &Sighting) {
    if let Some(counts) = SIDE_COUNTS.get_ptr_mut(side_index(seen.matched)) {
        // SAFETY: a live entry of this processor's own array.
        unsafe { (*counts).last_clone = seen.now };
    }
}

#[inline(always)]
fn note_link_refused(seen: &Sighting) {
    if let Some(counts) = SIDE_COUNTS.get_ptr_mut(side_index(seen.matched)) {
        // SAFETY: a live entry of this processor's own array.
        unsafe { (*counts).link_refused += 1 };
    }
}

/// Counts a primary's packet as matched and by how it ended.
#[inline(always)]
fn count(ctx: &TcContext, matched: &Match, ending: Ending) {
    if matched.endpoint.role != role::PRIMARY {
        return;
    }
    let Some(counts) = SIDE_COUNTS.get_ptr_mut(side_index(matched)) else { return };
    let len = ctx.len() as u64;
    // SAFETY: a live entry of this processor's own array.
    let counts = unsafe { &mut *counts };
    for index in [Ending::Matched as usize, ending as usize & 7] {
        counts.packets[index] += 1;
        counts.bytes[index] += len;
    }
}

#[inline(always)]
fn count_skip(skip: Skip) {
    if let Some(counts) = SKIP_COUNTS.get_ptr_mut(0) {
        // SAFETY: a live entry of this processor's own array.
        unsafe { (*counts).packets[skip as usize & 7] += 1 };
    }
}
