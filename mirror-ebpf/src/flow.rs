//! The flow table: a connection's entry is made at its first packet that says something, and holds what was decided.

use mirror_common::count::{Skip, side};
use mirror_common::flow::{Flow, FlowKey, TCP, decision, known, role};
use mirror_common::policy::{ServicePolicy, admit};
use mirror_common::share;

use crate::endpoint::Match;
use crate::maps::{BUCKETS, FLOWS_BY_KEY};
use crate::packet::{Packet, tcp};
use crate::turn;

/// What is known when a packet has been matched.
pub struct Sighting<'a> {
    pub now: u64,
    pub packet: &'a Packet,
    pub matched: &'a Match,
    pub policy: &'a ServicePolicy,
    /// The packet carries the mark of the agent's own sockets.
    pub own: bool,
}

/// The entry of the packet's connection; none where the packet is not worth one (a bare ACK, a late FIN or RST).
#[inline(always)]
pub fn entry(key: &FlowKey, seen: &Sighting) -> Result<Option<*mut Flow>, Skip> {
    let existing = FLOWS_BY_KEY.get_ptr_mut(key);
    if let Some(flow) = existing {
        // SAFETY: the kernel keeps the entry alive for the length of this program run.
        let flow = unsafe { &*flow };
        if !starts_anew(flow, seen) {
            return Ok(existing);
        }
        turn::abandon(flow);
    } else if !is_worth_an_entry(seen.packet) {
        return Ok(None);
    }
    let flow = open(key, seen);
    if FLOWS_BY_KEY.insert(key, flow, 0).is_err() {
        return Err(Skip::FlowTableFull);
    }
    FLOWS_BY_KEY.get_ptr_mut(key).map(Some).ok_or(Skip::FlowTableFull)
}

/// A SYN with another initial sequence number is a new connection on old addresses.
#[inline(always)]
fn starts_anew(flow: &Flow, seen: &Sighting) -> bool {
    let segment = &seen.packet.segment;
    segment.tcp_flags & tcp::SYN != 0
        && seen.matched.side == side::CLIENT
        && (flow.known & known::START == 0
            || flow.request_next != segment.sequence.wrapping_add(1 + segment.payload))
}

#[inline(always)]
fn is_worth_an_entry(packet: &Packet) -> bool {
    let flags = packet.segment.tcp_flags;
    packet.protocol != TCP
        || flags & tcp::RST == 0 && flags & tcp::SYN != 0
        || flags & (tcp::RST | tcp::FIN) == 0 && packet.segment.payload > 0
}

/// A fresh entry; the share and the cap on new connections are decided here, once.
#[inline(always)]
fn open(key: &FlowKey, seen: &Sighting) -> Flow {
    let mut flow = Flow {
        last_seen: seen.now,
        service: seen.matched.endpoint.service,
        version: seen.matched.endpoint.version,
        ..Flow::default()
    };
    flow.decision = decide(key, seen);
    if flow.decision == decision::MIRROR && !admit_connection(seen) {
        flow.decision = decision::CAPPED;
    }
    flow
}

/// The share's decision, without the flow table: also for packets that have no entry.
#[inline(always)]
pub fn decide(key: &FlowKey, seen: &Sighting) -> u8 {
    if seen.own {
        decision::OWN
    } else if share::is_in(key.hash(seen.policy.seed), seen.policy.share_ppm) {
        decision::MIRROR
    } else {
        decision::SHARE_OUT
    }
}

#[inline(always)]
fn admit_connection(seen: &Sighting) -> bool {
    let policy = seen.policy;
    if policy.connection_cost == 0 || seen.matched.endpoint.role != role::PRIMARY {
        return true;
    }
    let Some(buckets) = BUCKETS.get_ptr_mut(seen.matched.endpoint.service as u32) else { return false };
    // SAFETY: a live array entry; racing writers are accepted, see `Buckets`.
    unsafe {
        match admit((*buckets).connections, seen.now, 1, policy.connection_cost, policy.burst) {
            Some(next) => {
                (*buckets).connections = next;
                true
            }
            None => false,
        }
    }
}

/// Whether this interface and hook own the packet's direction; the first that sees it does.
#[inline(always)]
pub fn owns(flow: &mut Flow, from: u8, interface: u32, hook: u8) -> bool {
    let from = (from & 1) as usize;
    if flow.interface[from] == 0 {
        flow.interface[from] = interface;
        flow.hook[from] = hook;
    }
    flow.interface[from] == interface && flow.hook[from] == hook
}
