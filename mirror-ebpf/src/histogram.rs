//! Adds a measured duration to its series.

use mirror_common::histogram::{Histogram, slot};
use mirror_common::policy::ServicePolicy;

use crate::atomic::add;
use crate::maps::HISTOGRAMS;

/// Adds `value` nanoseconds to a series, and to the service's thresholds that it keeps.
#[inline(always)]
pub fn record_under(series: u32, value: u64, policy: &ServicePolicy) {
    let Some(histogram) = record(series, value) else { return };
    for (index, threshold) in policy.thresholds.iter().enumerate() {
        if value <= *threshold && *threshold != 0 {
            // SAFETY: the pointer is to a live entry with as many words as there are thresholds.
            unsafe { add((*histogram).under.as_mut_ptr().add(index), 1) }
        }
    }
}

/// Adds `value` nanoseconds to a series, which it returns.
#[inline(always)]
pub fn record(series: u32, value: u64) -> Option<*mut Histogram> {
    let histogram = HISTOGRAMS.get_ptr_mut(series)?;
    let slot = (slot(value) & 0xff) as usize;
    // SAFETY: the pointer is to a live entry of 256 words, and the index is masked to 0..=255.
    unsafe {
        add((&raw mut (*histogram).slots).cast::<u64>().add(slot), 1);
        add(&raw mut (*histogram).sum, value);
    }
    Some(histogram)
}
