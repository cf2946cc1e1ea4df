//! What a service's policy says beside its rules: caps, burst and thresholds; and its open mirrored connections.

use std::mem::{offset_of, size_of};
use std::sync::atomic::Ordering;

use anyhow::Result;
use aya::maps::MapData;
use mirror_common::limits::SERVICES;
use mirror_common::policy::{self, ServicePolicy, cost};

use super::mapped::Mapped;
use crate::config::Service;

/// Writes a service's caps and thresholds into its policy.
pub fn set(service: &Service, policy: &mut ServicePolicy) {
    let caps = &service.caps;
    policy.max_connections = caps.connections.unwrap_or(0);
    policy.packet_cost = caps.packets_per_second.map_or(0, cost);
    policy.byte_cost = caps.bytes_per_second.map_or(0, cost);
    policy.connection_cost = caps.connections_per_second.map_or(0, cost);
    policy.burst = u64::try_from(caps.burst.as_nanos()).unwrap_or(u64::MAX);
    policy.thresholds = Default::default();
    for (to, threshold) in policy.thresholds.iter_mut().zip(&service.thresholds) {
        *to = u64::try_from(threshold.as_nanos()).unwrap_or(u64::MAX);
    }
}

/// The kernel's buckets, in our memory.
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

    /// Mirrored connections of a service in the flow table.
    pub fn open(&self, service: u8) -> u64 {
        self.0.read(open_at(service))
    }

    /// One of them was taken out of the table.
    pub fn release(&self, service: u8) {
        if let Some(open) = self.0.word(open_at(service)) {
            let _ = open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| open.checked_sub(1));
        }
    }
}

fn open_at(service: u8) -> usize {
    usize::from(service) * size_of::<policy::Buckets>() + offset_of!(policy::Buckets, open)
}
