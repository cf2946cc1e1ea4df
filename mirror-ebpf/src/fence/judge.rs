//! Whether a call may go where it wants to, and what is written down of it.

use aya_ebpf::bindings::BPF_NOEXIST;
use aya_ebpf::maps::lpm_trie::Key;
use aya_ebpf::programs::SockAddrContext;
use mirror_common::fence::{Count, DestinationKey, Settings, UnknownKey, mode, slot};
use mirror_common::flow::Address;

use crate::atomic::add;
use crate::said::say;
use crate::tables::{COUNTS, DESTS_BY_PORT, DESTS_BY_PREFIX, SETTINGS, UNKNOWN_CALLS};

/// The caller gets `EPERM`.
const DENY: i32 = 0;
/// The call goes on.
const PASS: i32 = 1;

/// Where a call wants to go. Address and port in network order.
pub struct Call {
    pub address: Address,
    pub port: u16,
    pub protocol: u8,
}

/// The verdict.
#[inline(always)]
pub fn judge(ctx: &SockAddrContext, hook: u32, call: &Call) -> i32 {
    let named = destinations(call);
    if named != 0 {
        // The first of the list, should several name it.
        count(named.trailing_zeros(), true);
        return PASS;
    }
    let settings = SETTINGS.load();
    if settings.is_probe(&call.address, call.port) {
        count(slot::PROBES + hook, false);
        return DENY;
    }
    unknown(ctx, &settings, call)
}

/// The destinations that cover the call, as bits.
#[inline(always)]
fn destinations(call: &Call) -> u64 {
    let key = Key::new(DestinationKey::BITS, DestinationKey::new(call.address));
    let of_address = DESTS_BY_PREFIX.get(key).copied().unwrap_or(0);
    let of_port = DESTS_BY_PORT.get(u16::from_be(call.port) as u32).copied().unwrap_or(0);
    of_address & of_port
}

#[inline(always)]
fn unknown(ctx: &SockAddrContext, settings: &Settings, call: &Call) -> i32 {
    count(slot::OTHER, settings.mode == mode::COUNT);
    remember(call);
    if settings.mode == mode::COUNT {
        return PASS;
    }
    say(ctx, call);
    if settings.mode == mode::REPORT { PASS } else { DENY }
}

/// One more call, by its slot.
#[inline(always)]
fn count(slot: u32, allowed: bool) {
    let Some(count) = COUNTS.get_ptr_mut(slot) else { return };
    let count: *mut Count = count;
    // SAFETY: the map's value, aligned, and written by atomics alone: the program may be preempted.
    unsafe {
        let word = if allowed { &raw mut (*count).allowed } else { &raw mut (*count).denied };
        add(word, 1);
    }
}

/// One more call to a destination that no list names.
#[inline(always)]
fn remember(call: &Call) {
    let key = UnknownKey { address: call.address, port: call.port, protocol: call.protocol, zero: 0 };
    if let Some(calls) = UNKNOWN_CALLS.get_ptr_mut(key) {
        // SAFETY: as above.
        unsafe { add(calls, 1) };
    } else {
        let _ = UNKNOWN_CALLS.insert(key, 1, BPF_NOEXIST as u64);
    }
}
