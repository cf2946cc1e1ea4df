//! The kernel's token buckets and its count of open mirrored connections, in our memory.

use std::mem::{offset_of, size_of};
use std::sync::atomic::Ordering;

use anyhow::Result;
use aya::maps::MapData;
use mirror_common::limits::SERVICES;
use mirror_common::policy;

use super::mapped::Mapped;

/// The buckets of all services.
pub struct Buckets(Mapped);

impl Buckets {
    /// Maps the buckets.
    ///
    /// # Errors
    ///
    /// When the kernel cannot map arrays (before 5.5).
    pub fn new(map: MapData) -> Result<Self> {
        Ok(Buckets(Mapped::new(map, SERVICES as usize * size_of::<policy::Buckets>())?))
    }

    /// Mirrored connections of a service that are in the flow table.
    pub fn open(&self, service: u8) -> u64 {
        self.0.read(at(service))
    }

    /// Entries of such connections were taken out of the table, not by the programs.
    pub fn release(&self, service: u8, connections: u64) {
        if let Some(word) = self.0.word(at(service)) {
            word.fetch_sub(connections, Ordering::Relaxed);
        }
    }
}

fn at(service: u8) -> usize {
    usize::from(service) * size_of::<policy::Buckets>() + offset_of!(policy::Buckets, open)
}
