//! The kernel programs of mirror-agent. This is the list of them; each has its file.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod atomic;
mod caps;
mod clone;
mod decide;
mod drain;
mod endpoint;
mod flow;
mod histogram;
mod maps;
mod opaque;
mod packet;
mod relay;
mod round_trip;
mod scan;
mod sequence;
mod subject;
mod tap;
mod turn;

/// The programs call helpers that the kernel gives to GPL-compatible programs only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    // SAFETY: the verifier refuses a program that could reach this, so nothing does.
    unsafe { core::hint::unreachable_unchecked() }
}
