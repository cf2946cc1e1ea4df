//! Where the kernel asks the fence: before a socket is connected, and before an unconnected one sends a datagram.
//!
//! A connected UDP socket was asked about when it was connected. An answer on a connection that v2 accepted is no call.

use aya_ebpf::macros::cgroup_sock_addr;
use aya_ebpf::programs::SockAddrContext;
use mirror_common::fence::hook;
use mirror_common::flow::mapped;

use crate::judge::{Call, judge};

/// `connect` to an IPv4 address.
#[cgroup_sock_addr(connect4)]
pub fn fence_connect4(ctx: SockAddrContext) -> i32 {
    judge(&ctx, hook::CONNECT4, &v4(&ctx))
}

/// `connect` to an IPv6 address.
#[cgroup_sock_addr(connect6)]
pub fn fence_connect6(ctx: SockAddrContext) -> i32 {
    judge(&ctx, hook::CONNECT6, &v6(&ctx))
}

/// A datagram to an IPv4 address.
#[cgroup_sock_addr(sendmsg4)]
pub fn fence_sendmsg4(ctx: SockAddrContext) -> i32 {
    judge(&ctx, hook::SENDMSG4, &v4(&ctx))
}

/// A datagram to an IPv6 address.
#[cgroup_sock_addr(sendmsg6)]
pub fn fence_sendmsg6(ctx: SockAddrContext) -> i32 {
    judge(&ctx, hook::SENDMSG6, &v6(&ctx))
}

/// Reads are volatile so that each stays one load of a whole word, as the verifier wants them.
#[inline(always)]
fn v4(ctx: &SockAddrContext) -> Call {
    // SAFETY: the kernel hands the programs a valid context, of which the IPv4 hooks may read this word.
    let address = unsafe { (&raw const (*ctx.sock_addr).user_ip4).read_volatile() };
    call(ctx, mapped(address))
}

#[inline(always)]
fn v6(ctx: &SockAddrContext) -> Call {
    // SAFETY: as above, for the IPv6 hooks; each index is inside the array.
    let word =
        |i: usize| unsafe { (&raw const (*ctx.sock_addr).user_ip6).cast::<u32>().add(i).read_volatile() };
    call(ctx, [word(0), word(1), word(2), word(3)])
}

#[inline(always)]
fn call(ctx: &SockAddrContext, address: [u32; 4]) -> Call {
    // SAFETY: every hook may read these words.
    let (port, protocol) = unsafe {
        let context = ctx.sock_addr;
        ((&raw const (*context).user_port).read_volatile(), (&raw const (*context).protocol).read_volatile())
    };
    Call { address, port: port as u16, protocol: protocol as u8 }
}
