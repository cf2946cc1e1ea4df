//! pcap (IETF draft "PCAP Capture File Format"): a header, then records.

use super::error::{Fault, Part};
use super::order::Order;
use super::window::Window;
use super::{Found, LONGEST, Stats};
use crate::time::Nanos;

/// Bytes of the file's header.
const HEADER: usize = 24;
/// Bytes of a record's header.
const RECORD: usize = 16;
/// What a record may hold whatever the snap length says; a few writers leave that too small, and libpcap takes as much.
const USUAL: u32 = 256 << 10;

/// What the header says of all records.
#[derive(Debug)]
pub(super) struct Pcap {
    order: Order,
    /// Nanoseconds of one unit of a time's fraction.
    unit: u64,
    linktype: u32,
    /// The most bytes that a record may hold.
    longest: u32,
}

impl Pcap {
    /// Reads the header; `None` if `magic` is that of another format.
    pub(super) fn open(magic: [u8; 4], window: &mut Window) -> Result<Option<Pcap>, Fault> {
        let (order, unit) = match u32::from_be_bytes(magic) {
            0xa1b2_c3d4 => (Order::Big, 1000),
            0xd4c3_b2a1 => (Order::Little, 1000),
            0xa1b2_3c4d => (Order::Big, 1),
            0x4d3c_b2a1 => (Order::Little, 1),
            _ => return Ok(None),
        };
        let left = window.fill(HEADER)?;
        if left < HEADER {
            return Err(Fault::Cut { part: Part::Header, needed: HEADER, left });
        }
        let header = window.held();
        let (major, minor) = (order.u16(header, 4), order.u16(header, 6));
        if major != 2 {
            return Err(Fault::Version { format: "pcap", major, minor });
        }
        let snaplen = order.u32(header, 16);
        // Above the link type are bits about frame check sequences.
        let linktype = order.u32(header, 20) & 0xffff;
        window.take(HEADER, 0..0);
        let longest = snaplen.clamp(USUAL, (LONGEST - RECORD) as u32);
        Ok(Some(Pcap { order, unit, linktype, longest }))
    }

    /// The next record; `None` at the end.
    pub(super) fn next(&self, window: &mut Window, _: &mut Stats) -> Result<Option<Found>, Fault> {
        let left = window.fill(RECORD)?;
        if left < RECORD {
            let cut = Fault::Cut { part: Part::Record, needed: RECORD, left };
            return if left == 0 { Ok(None) } else { Err(cut) };
        }
        let header = window.held();
        let number = |at| self.order.u32(header, at);
        let (seconds, fraction, captured, wire_len) = (number(0), number(4), number(8), number(12));
        let len = RECORD + captured as usize;
        if captured > self.longest {
            let most = (RECORD as u64) + u64::from(self.longest);
            return Err(Fault::TooLong { part: Part::Record, len: len as u64, most });
        }
        let left = window.fill(len)?;
        if left < len {
            return Err(Fault::Cut { part: Part::Record, needed: len, left });
        }
        // Two u32, so no sum of them overflows; a fraction of more than a second is carried over.
        let at = Nanos(u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * self.unit);
        let data = window.take(len, RECORD..len);
        Ok(Some(Found { at, linktype: self.linktype, interface: 0, wire_len, data }))
    }
}
