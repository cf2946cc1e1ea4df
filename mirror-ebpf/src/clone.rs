//! Makes the copy. Its result feeds counters and nothing else.

use aya_ebpf::helpers::bpf_clone_redirect;
use aya_ebpf::programs::TcContext;

/// How a clone went.
pub enum Cloned {
    /// It is on the shadow interface.
    Sent,
    /// The shadow interface refused it, and counts it too: its queue was full (`NET_XMIT_DROP`), or it is down
    /// (`NET_XMIT_CN`, of the queue that a downed interface has).
    LinkRefused,
    /// There is no such interface, or there was no memory.
    Failed,
}

/// Clones the packet to `interface`. The helper's result can be positive, and as a verdict would drop the user's
/// packet; it also invalidates packet pointers, of which we hold none.
#[inline(always)]
pub fn clone(ctx: &TcContext, interface: u32) -> Cloned {
    // SAFETY: `ctx` is the live socket buffer of this run.
    match unsafe { bpf_clone_redirect(ctx.skb.skb, interface, 0) } {
        0 => Cloned::Sent,
        1.. => Cloned::LinkRefused,
        _ => Cloned::Failed,
    }
}
