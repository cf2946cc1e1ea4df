//! The end of the shadow interface: drops what the agent's packet socket has already seen.

use aya_ebpf::bindings::TC_ACT_SHOT;
use aya_ebpf::macros::classifier;
use aya_ebpf::programs::TcContext;

/// Packet sockets see a packet before this hook does, so nothing is lost by not letting it climb the stack.
#[classifier]
pub fn mirror_drain(_ctx: TcContext) -> i32 {
    TC_ACT_SHOT
}
