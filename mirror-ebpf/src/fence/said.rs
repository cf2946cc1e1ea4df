//! Denials in the agent's log, so few in a second that a version in a loop drowns nothing.

use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::programs::SockAddrContext;
use aya_log_ebpf::debug;
use mirror_common::fence::{DestinationKey, LINES_PER_SECOND};

use crate::atomic::add;
use crate::judge::Call;
use crate::tables::PACE;

const SECOND: u64 = 1_000_000_000;

/// Writes the call into the log, unless enough was written in this second. The agent puts the words before it.
#[inline(always)]
pub fn say(ctx: &SockAddrContext, call: &Call) {
    if !in_pace() {
        return;
    }
    let (protocol, port) = (call.protocol, u16::from_be(call.port));
    if DestinationKey::new(call.address).family == 4 {
        debug!(ctx, "protocol {} to {:i} port {}", protocol, u32::from_be(call.address[3]), port);
    } else {
        debug!(ctx, "protocol {} to {:i} port {}", protocol, bytes(call), port);
    }
}

#[inline(always)]
fn bytes(call: &Call) -> [u8; 16] {
    // SAFETY: sixteen bytes either way, of which any are fine.
    unsafe { core::mem::transmute(call.address) }
}

/// Whether there is room for a line. Processors that ask in the same moment may get one more between them.
#[inline(always)]
fn in_pace() -> bool {
    let Some(pace) = PACE.get_ptr_mut(0) else { return false };
    // SAFETY: the map's value, aligned; a race costs a line more or less.
    unsafe {
        let second = bpf_ktime_get_ns() / SECOND;
        if (&raw const (*pace).second).read_volatile() != second {
            (&raw mut (*pace).second).write_volatile(second);
            (&raw mut (*pace).lines).write_volatile(0);
        }
        let lines = &raw mut (*pace).lines;
        let has_room = lines.read_volatile() < LINES_PER_SECOND;
        if has_room {
            add(lines, 1);
        }
        has_room
    }
}
