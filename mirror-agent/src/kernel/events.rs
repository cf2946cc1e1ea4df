//! What the programs tell at once, over a ring buffer.

use std::mem::size_of;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use aya::maps::{MapData, RingBuf};
use mirror_common::event::{Event, kind};

use super::flows::to_ends;

/// A mirrored connection that a cap has cut in the middle: the clones of it end where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Index of the service.
    pub service: usize,
    /// The connection's two ends; which one is the client is not said.
    pub ends: [SocketAddr; 2],
}

/// The ring of a loaded object.
pub struct Events(RingBuf<MapData>);

impl Events {
    /// Takes the ring out of a loaded object.
    ///
    /// # Errors
    ///
    /// When the object does not hold it.
    pub fn new(object: &mut aya::Ebpf) -> Result<Self> {
        let map = object.take_map("EVENTS").context("no kernel map EVENTS in this build")?;
        Ok(Events(map.try_into()?))
    }

    /// The next cut connection that was told, if any.
    pub fn next_cut(&mut self) -> Option<Cut> {
        while let Some(bytes) = self.0.next() {
            if let Some(event) = read(&bytes)
                && event.kind == kind::CUT
            {
                return Some(Cut { service: event.service as usize, ends: to_ends(&event.key) });
            }
        }
        None
    }
}

fn read(bytes: &[u8]) -> Option<Event> {
    // SAFETY: `Event` is plain integers, any bytes of its length are one; nothing is assumed of the alignment.
    (bytes.len() >= size_of::<Event>()).then(|| unsafe { bytes.as_ptr().cast::<Event>().read_unaligned() })
}
