//! The kernel's latency histograms, read without a system call.

use std::mem::{offset_of, size_of};

use anyhow::Result;
use aya::maps::MapData;
use mirror_common::histogram::{Histogram, SERIES, SLOTS, round_trip_series, series};
use mirror_common::limits::THRESHOLDS;

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
        self.series(series(service, version, measure, outcome))
    }

    /// A copy of the round trips of one kind between the tap and one side.
    pub fn round_trips(&self, service: u8, version: u8, kind: u8, side: u8) -> Latency {
        self.series(round_trip_series(service, version, kind, side))
    }

    /// How many values of one series are at or under each of the service's thresholds.
    pub fn under(&self, service: u8, version: u8, measure: u8, outcome: u8) -> [u64; THRESHOLDS] {
        let at = series(service, version, measure, outcome) as usize * size_of::<Histogram>();
        std::array::from_fn(|index| self.0.read(at + offset_of!(Histogram, under) + index * 8))
    }

    fn series(&self, series: u32) -> Latency {
        let at = series as usize * size_of::<Histogram>();
        let mut latency = Latency::default();
        for (slot, count) in latency.slots.iter_mut().enumerate().take(SLOTS) {
            *count = self.0.read(at + offset_of!(Histogram, slots) + slot * 8);
        }
        latency.sum_ns = self.0.read(at + offset_of!(Histogram, sum));
        latency
    }
}
