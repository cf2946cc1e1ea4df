//! The flow table: a connection's entry is made at its first packet that says something, and holds what was decided.

use core::mem::{size_of, transmute};

use mirror_common::count::{Skip, side};
use mirror_common::flow::{Closed, Flow, FlowKey, TCP, decision, known, mark};

use crate::caps;
use crate::decide::decide;
use crate::maps::{CLOSED_BY_KEY, FLOWS_BY_KEY, turn_count};
use crate::opaque;
use crate::packet::{Packet, tcp};
use crate::subject::{Decided, Sighting};
use crate::turn;

/// The connection's entry, unless this packet starts another connection on the same addresses.
#[inline(always)]
pub fn find(key: &FlowKey, from_low: bool, packet: &Packet) -> Found {
    let Some(flow) = FLOWS_BY_KEY.get_ptr_mut(key) else { return Found::None };
    // SAFETY: the kernel keeps the entry alive for this run. Another processor may hold the same connection's other
    // direction: each direction writes its own fields but for the turn's, where a torn turn reads as a doubtful one.
    let entry = unsafe { &mut *flow };
    if starts_anew(entry, from_low, packet) { Found::Old(entry) } else { Found::Live(entry) }
}

/// What the table holds for a packet.
pub enum Found {
    /// Its connection.
    Live(&'static mut Flow),
    /// An earlier connection between the same ends.
    Old(&'static mut Flow),
    /// Nothing.
    None,
}

/// A SYN so many bytes behind what the client has sent is its own, sent again: late, or without the data that it had
/// (RFC 7413, section 4.2.2). Another connection's looks so once in 65,536 times.
const SYN_AGAIN: u32 = 1 << 16;

/// A SYN with another initial sequence number is a new connection on old addresses.
#[inline(always)]
fn starts_anew(flow: &Flow, from_low: bool, packet: &Packet) -> bool {
    let segment = &packet.segment;
    segment.tcp_flags & tcp::SYN != 0
        && (flow.marks & mark::CLIENT_IS_LOW != 0) == from_low
        && (flow.known & known::REQUEST_NEXT == 0
            || flow.request_next.wrapping_sub(segment.sequence.wrapping_add(1)) >= SYN_AGAIN)
}

/// Whether a packet without an entry is to have one: not a bare ACK, not a late FIN or RST.
#[inline(always)]
pub fn is_worth_an_entry(packet: &Packet) -> bool {
    let flags = packet.segment.tcp_flags;
    packet.protocol != TCP
        || flags & tcp::RST == 0 && flags & tcp::SYN != 0
        || flags & (tcp::RST | tcp::FIN) == 0 && packet.segment.payload > 0
}

/// Makes the connection's entry; the share and the caps on connections are decided here, once.
#[inline(always)]
pub fn open(
    key: &FlowKey,
    from_low: bool,
    seen: &Sighting,
    own: u8,
    old: Option<&Flow>,
) -> Result<&'static mut Flow, Skip> {
    if let Some(old) = old {
        turn::abandon(old);
        leave(old.service, old.version, old.marks);
    }
    let flow = fresh(key, from_low, seen, own);
    if FLOWS_BY_KEY.insert(key, flow, 0).is_err() {
        if flow.marks & mark::COUNTED != 0 {
            caps::release(flow.service);
        }
        return Err(Skip::FlowTableFull);
    }
    if let Some(count) = turn_count(flow.service, flow.version) {
        // SAFETY: a live entry of this processor's own array.
        unsafe { (*count).opened += 1 };
    }
    let flow = FLOWS_BY_KEY.get_ptr_mut(key).ok_or(Skip::FlowTableFull)?;
    // SAFETY: as in `find`.
    Ok(unsafe { &mut *flow })
}

#[inline(always)]
fn fresh(key: &FlowKey, from_low: bool, seen: &Sighting, own: u8) -> Flow {
    let client_is_low = from_low == (seen.subject.side == side::CLIENT);
    let decided = decide(key, seen, own);
    let mut flow = empty();
    flow.last_seen = seen.now;
    flow.service = seen.subject.service;
    flow.version = seen.subject.version;
    flow.role = seen.subject.role;
    flow.decision = decided.decision;
    flow.rule = decided.rule;
    flow.generation = decided.generation;
    flow.ring = decided.ring;
    flow.marks = if client_is_low { mark::CLIENT_IS_LOW } else { 0 };
    if seen.subject.is_primary() {
        admit(&mut flow, seen);
    }
    flow
}

/// All zeros, word by word: the compiler would clear it by a call, byte by byte.
#[inline(always)]
fn empty() -> Flow {
    let words = [opaque::number(0); size_of::<Flow>() / size_of::<u64>()];
    // SAFETY: integers only, without padding, and as long as the words.
    unsafe { transmute(words) }
}

/// Lets a new connection of v1 through the caps, or leaves it out whole.
#[inline(always)]
fn admit(flow: &mut Flow, seen: &Sighting) {
    let mut capped = false;
    if flow.decision == decision::MIRROR {
        if caps::admit_connection(seen) {
            flow.marks |= mark::COUNTED;
        } else {
            flow.decision = decision::CAPPED;
            capped = true;
        }
    }
    let mirrored = flow.decision == decision::MIRROR || capped;
    caps::count_connection(flow, mirrored, capped);
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

/// The same for a connection that has closed a moment ago, and what was decided for it.
#[inline(always)]
pub fn closed(key: &FlowKey, from: u8, interface: u32, hook: u8) -> Option<(bool, Decided)> {
    let closed = CLOSED_BY_KEY.get_ptr_mut(key)?;
    // SAFETY: the kernel keeps the entry alive for this run; its writers write it whole.
    let closed = unsafe { &mut *closed };
    let from = (from & 1) as usize;
    if closed.interface[from] == 0 {
        closed.interface[from] = interface;
        closed.hook[from] = hook;
    }
    let decided = Decided {
        decision: closed.decision,
        rule: closed.rule,
        generation: closed.generation,
        ring: closed.ring,
    };
    Some((closed.interface[from] == interface && closed.hook[from] == hook, decided))
}

/// Takes a connection that is over out of the table.
#[inline(always)]
pub fn close(key: &FlowKey, flow: &Flow, remember: bool) {
    // Another connection may have the entry as soon as it is out.
    let (service, version, marks) = (flow.service, flow.version, flow.marks);
    if remember {
        let closed = Closed {
            interface: flow.interface,
            hook: flow.hook,
            decision: flow.decision,
            rule: flow.rule,
            generation: flow.generation,
            ring: flow.ring,
            zero: 0,
        };
        let _ = CLOSED_BY_KEY.insert(key, closed, 0); // an LRU table makes room
    }
    // Both directions may come here at once; one of them takes it out.
    if FLOWS_BY_KEY.remove(key).is_ok() {
        leave(service, version, marks);
    }
}

/// What the books say when an entry goes.
#[inline(always)]
fn leave(service: u8, version: u8, marks: u8) {
    if marks & mark::COUNTED != 0 {
        caps::release(service);
    }
    if let Some(count) = turn_count(service, version) {
        // SAFETY: a live entry of this processor's own array.
        unsafe { (*count).closed += 1 };
    }
}
