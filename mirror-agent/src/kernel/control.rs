//! The words that steer every program at once. A store takes effect with the next packet.

use std::mem::{offset_of, size_of};
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result};
use aya::maps::MapData;
use mirror_common::policy;

use super::mapped::Mapped;
use crate::kernel::clock;

/// How long a tap goes on cloning after the last renewal. Half of it is missed renewals, half is a busy machine.
pub const LEASE: Duration = Duration::from_secs(2);
/// How often the lease is renewed.
pub const RENEWAL: Duration = Duration::from_millis(500);

/// The kernel's control words, in our memory.
pub struct Control(Mapped);

impl Control {
    /// Maps the control words.
    ///
    /// # Errors
    ///
    /// When the kernel cannot map arrays (before 5.5).
    pub fn new(map: MapData) -> Result<Self> {
        Ok(Control(Mapped::new(map, size_of::<policy::Control>())?))
    }

    /// Lets the taps clone for another [`LEASE`].
    pub fn renew_lease(&self) {
        let now = clock::monotonic();
        self.set_word(offset_of!(policy::Control, renewed), now);
        self.set_lease(now.saturating_add(LEASE.as_nanos() as u64));
    }

    /// Whether the lease is over.
    pub fn has_lapsed(&self) -> bool {
        self.0.read(offset_of!(policy::Control, lease_until)) <= clock::monotonic()
    }

    /// Ends the lease at once.
    pub fn end_lease(&self) {
        self.set_lease(0);
    }

    fn set_lease(&self, until: u64) {
        self.set_word(offset_of!(policy::Control, lease_until), until);
    }

    fn set_word(&self, offset: usize, value: u64) {
        if let Some(word) = self.0.word(offset) {
            word.store(value, Ordering::Release);
        }
    }

    /// Stops (or lets go on) every clone of every service. One store.
    pub fn set_killed(&self, killed: bool) {
        self.set_half(offset_of!(policy::Control, killed), killed.into());
    }

    /// Whether everything is killed.
    pub fn is_killed(&self) -> bool {
        self.0.half(offset_of!(policy::Control, killed)).is_some_and(|word| word.load(Ordering::Relaxed) != 0)
    }

    /// Stops (or lets go on) every clone of a ring, 1 to 63, of every service. One store.
    pub fn set_ring_killed(&self, ring: u8, killed: bool) {
        let Some(word) = self.0.word(offset_of!(policy::Control, rings_killed)) else { return };
        let bit = 1u64.checked_shl(ring.into()).unwrap_or(0);
        if killed {
            word.fetch_or(bit, Ordering::Release);
        } else {
            word.fetch_and(!bit, Ordering::Release);
        }
    }

    /// How much of the lease is left, in nanoseconds.
    pub fn lease_left(&self) -> u64 {
        self.0.read(offset_of!(policy::Control, lease_until)).saturating_sub(clock::monotonic())
    }

    /// Names the shadow interface by index.
    pub fn set_shadow_interface(&self, index: u32) {
        self.set_half(offset_of!(policy::Control, shadow_interface), index);
    }

    /// Says whether several interfaces are tapped.
    pub fn set_several_interfaces(&self, several: bool) {
        self.set_half(offset_of!(policy::Control, several_interfaces), several.into());
    }

    /// Names the interface that gets the clones of packets without link headers, by index.
    pub fn set_raw_shadow_interface(&self, index: u32) {
        self.set_half(offset_of!(policy::Control, raw_shadow_interface), index);
    }

    /// Names the mark of our own sockets.
    pub fn set_own_mark(&self, mark: u32) {
        self.set_half(offset_of!(policy::Control, own_mark), mark);
    }

    /// Says that endpoints without an address are known.
    pub fn set_any_address(&self, any: bool) {
        self.set_half(offset_of!(policy::Control, any_address), any.into());
    }

    /// Makes every TCP and UDP packet belong to service 0.
    pub fn set_everything(&self, everything: bool) {
        if everything {
            (0..=u16::MAX).for_each(|port| self.add_port(port));
        }
        self.set_half(offset_of!(policy::Control, everything), everything.into());
    }

    /// Says that an endpoint may have this port.
    pub fn add_port(&self, port: u16) {
        let word = offset_of!(policy::Control, ports) + usize::from(port) / 64 * 8;
        if let Some(word) = self.0.word(word) {
            word.fetch_or(1 << (port % 64), Ordering::Release);
        }
    }

    fn set_half(&self, offset: usize, value: u32) {
        if let Some(word) = self.0.half(offset) {
            word.store(value, Ordering::Release);
        }
    }
}

/// The control map of a loaded object, for [`Control::new`].
///
/// # Errors
///
/// When the object does not hold it.
pub fn take_map(object: &mut aya::Ebpf, name: &str) -> Result<MapData> {
    match object.take_map(name).with_context(|| format!("no kernel map {name} in this build"))? {
        aya::maps::Map::Array(data) => Ok(data),
        other => anyhow::bail!("kernel map {name} is not an array: {other:?}"),
    }
}
