//! What the programs tell the agent at once, over a ring buffer. A full ring loses the event, and it is counted.

use core::mem::size_of;

use crate::flow::FlowKey;

/// Bytes of the ring. 1,170 events; the agent empties it several times a second.
pub const RING_BYTES: u32 = 65_536;

/// What happened.
pub mod kind {
    /// A cap cut a mirrored connection in the middle: no further packet of it is cloned.
    pub const CUT: u32 = 1;
}

/// Something that happened to one connection.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which connection.
    pub key: FlowKey,
    /// When (`CLOCK_MONOTONIC` ns).
    pub at: u64,
    /// A [`kind`].
    pub kind: u32,
    /// Index of the service.
    pub service: u32,
}
const _: () = assert!(size_of::<Event>() == 56);
