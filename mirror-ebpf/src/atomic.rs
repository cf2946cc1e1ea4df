//! Words that several processors change at once.

use core::arch::asm;

/// `lock +=`, which every kernel has. It is written out because the target has no `fetch_add`, and because an atomic
/// whose old value is used would need 5.12.
///
/// # Safety
///
/// `word` must be valid and aligned.
#[inline(always)]
pub unsafe fn add(word: *mut u64, by: u64) {
    // SAFETY: as the caller promises; every other writer of the word is atomic too.
    unsafe { asm!("lock *(u64 *)({0} + 0) += {1}", in(reg) word, in(reg) by, options(nostack)) }
}

/// The same by minus one.
///
/// # Safety
///
/// As of [`add`].
#[inline(always)]
pub unsafe fn subtract_one(word: *mut u64) {
    // SAFETY: as the caller promises.
    unsafe { add(word, u64::MAX) }
}
