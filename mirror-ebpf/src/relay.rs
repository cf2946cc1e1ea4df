//! Between the taps of interfaces without link headers and the shadow interface, whose frames have one.
//!
//! ```text
//! tun0 ─ tap ─ clone ─► shadow-raw0, itself a tun ─ relay: puts a header before it ─► shadow0
//! ```
//!
//! The header may only be put before the clone: the tap itself must not touch the packet.

use aya_ebpf::bindings::TC_ACT_SHOT;
use aya_ebpf::helpers::bpf_redirect;
use aya_ebpf::helpers::generated::bpf_skb_change_head;
use aya_ebpf::macros::classifier;
use aya_ebpf::programs::TcContext;

use crate::maps::control;
use crate::packet::ETHERNET;

/// What leaves by the relay's interface. It is ours alone, and so is every packet on it.
#[classifier]
#[inline(always)]
pub fn mirror_relay(ctx: TcContext) -> i32 {
    relay(&ctx).unwrap_or(TC_ACT_SHOT)
}

#[inline(always)]
fn relay(ctx: &TcContext) -> Option<i32> {
    let control = control()?;
    // SAFETY: `ctx` is the live socket buffer of this run.
    let ethertype = unsafe { (*ctx.skb.skb).protocol } as u16;
    // SAFETY: as above; the helper checks what it is asked for.
    if unsafe { bpf_skb_change_head(ctx.skb.skb, ETHERNET, 0) } != 0 {
        return None;
    }
    ctx.store(ETHERNET as usize - 2, &ethertype, 0).ok()?;
    // SAFETY: the helper has no preconditions; where the interface is gone, the packet goes too.
    Some(unsafe { bpf_redirect(control.shadow_interface, 0) } as i32)
}
