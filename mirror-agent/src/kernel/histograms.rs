//! The kernel's latency histograms, read without a system call.

use std::mem::{offset_of, size_of};

use anyhow::Result;
use aya::maps::MapData;
use mirror_common::histogram::{Histogram, SERIES, SLOTS, series};

use super::mapped::Mapped;
use crate::latency::Latency;

/// All series.
pub struct Histograms(Mapped);

impl Histograms {
    /// Maps the series.
    ///
    /// # Errors
    ///
    /// When the kernel cannot map arrays (before 5.5).
    pub fn new(map: MapData) -> Result<Self> {
        Ok(Histograms(Mapped::new(map, SERIES as usize * size_of::<Histogram>())?))
    }

    /// A copy of one series.
    pub fn read(&self, service: u8, version: u8, measure: u8, outcome: u8) -> Latency {
        let at = series(service, version, measure, outcome) as usize * size_of::<Histogram>();
        let mut latency = Latency::default();
        for (slot, count) in latency.slots.iter_mut().enumerate().take(SLOTS) {
            *count = self.0.read(at + offset_of!(Histogram, slots) + slot * 8);
        }
        latency.sum_ns = self.0.read(at + offset_of!(Histogram, sum));
        latency
    }
}
