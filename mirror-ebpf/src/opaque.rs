//! Values that the compiler must not see through, where what it would make of them is hard on the verifier.

use core::arch::asm;

/// The same pointer: what is read through it is read from memory, whatever was written there.
#[inline(always)]
pub fn pointer<T>(mut pointer: *mut T) -> *mut T {
    // SAFETY: it changes nothing.
    unsafe { asm!("{0} += 0", inout(reg) pointer, options(nostack)) }
    pointer
}

/// The same number, computed before any volatile access that comes after it.
#[inline(always)]
pub fn number(mut number: u64) -> u64 {
    // SAFETY: it changes nothing.
    unsafe { asm!("{0} += 0", inout(reg) number, options(nostack)) }
    number
}
