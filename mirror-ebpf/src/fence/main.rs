//! The kernel programs of the fence, an object of their own. This is the list of them; `calls.rs` has them.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

#[path = "../atomic.rs"]
#[allow(dead_code, reason = "the taps use all of it")]
mod atomic;
mod calls;
mod judge;
mod said;
mod tables;

/// As of the taps: the kernel gives some helpers to GPL-compatible programs only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    // SAFETY: the verifier refuses a program that could reach this, so nothing does.
    unsafe { core::hint::unreachable_unchecked() }
}
