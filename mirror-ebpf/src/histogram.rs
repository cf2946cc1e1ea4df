//! Adds a measured turn to its series.

use core::arch::asm;

use mirror_common::histogram::{series, slot};

use crate::maps::HISTOGRAMS;

/// Adds `value` nanoseconds to the series of one measure and outcome.
#[inline(always)]
pub fn record(service: u8, version: u8, measure: u8, outcome: u8, value: u64) {
    let Some(histogram) = HISTOGRAMS.get_ptr_mut(series(service, version, measure, outcome)) else { return };
    let slot = (slot(value) & 0xff) as usize;
    // SAFETY: the pointer is to a live entry of 256 words, and the index is masked to 0..=255.
    unsafe {
        add((&raw mut (*histogram).slots).cast::<u64>().add(slot), 1);
        add(&raw mut (*histogram).sum, value);
    }
}

/// `lock +=`, which every kernel has. It is written out because the target has no `fetch_add`, and because an atomic
/// whose old value is used would need 5.12.
///
/// # Safety
///
/// `word` must be valid and aligned.
#[inline(always)]
unsafe fn add(word: *mut u64, by: u64) {
    // SAFETY: as the caller promises; every writer of a histogram is atomic.
    unsafe { asm!("lock *(u64 *)({0} + 0) += {1}", in(reg) word, in(reg) by, options(nostack)) }
}
