//! pcapng (IETF draft "PCAP Now Generic Dump File Format"): sections of blocks, in the byte order of each section.

mod clock;
mod interface;

use std::ops::Range;

use super::error::{Fault, Part};
use super::order::Order;
use super::window::Window;
use super::{Found, LONGEST, Stats};
use crate::time::Nanos;

use self::interface::Interface;

/// A Section Header Block's kind: it reads the same in both byte orders.
pub(super) const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
/// The obsolete Packet Block.
const PACKET: u32 = 2;
const SIMPLE: u32 = 3;
const ENHANCED: u32 = 6;

/// Kind, length, and length again; of a section header the byte-order magic instead of the last.
const LEAST: usize = 12;
/// Interfaces that a section may describe: a file of nothing else must not grow us.
const MOST_INTERFACES: usize = 1 << 16;

/// What the blocks so far say of the blocks to come.
#[derive(Debug, Default)]
pub(super) struct Pcapng {
    order: Order,
    /// Those of this section.
    interfaces: Vec<Interface>,
    /// How many the sections before described.
    before: u32,
    /// The time of the last packet.
    last: Nanos,
}

/// A block that is held whole.
#[derive(Clone, Copy, Debug)]
struct Block<'a> {
    kind: u32,
    order: Order,
    /// All of it, lengths included.
    bytes: &'a [u8],
}

impl Pcapng {
    /// The next packet; `None` at the end.
    pub(super) fn next(&mut self, window: &mut Window, stats: &mut Stats) -> Result<Option<Found>, Fault> {
        loop {
            let Some((kind, order, len)) = hold(window, self.order)? else { return Ok(None) };
            let bytes = window.held().get(..len).unwrap_or_default();
            let block = Block { kind, order, bytes };
            let packet = match kind {
                ENHANCED | PACKET => Some(self.packet(block, stats)?),
                SIMPLE => Some(self.simple(block, stats)?),
                _ => {
                    self.note(block, stats)?;
                    None
                }
            };
            let part = packet.as_ref().map_or(0..0, |packet| packet.data.clone());
            let data = window.take(len, part);
            if let Some(packet) = packet {
                self.last = packet.at;
                let interface = self.before.saturating_add(packet.interface);
                return Ok(Some(Found { interface, data, ..packet }));
            }
        }
    }

    /// Takes in a block that is no packet.
    fn note(&mut self, block: Block<'_>, stats: &mut Stats) -> Result<(), Fault> {
        match block.kind {
            SECTION => self.begin_section(block, stats),
            INTERFACE => {
                block.at_least(20)?;
                if self.interfaces.len() == MOST_INTERFACES {
                    return Err(Fault::Interfaces(MOST_INTERFACES));
                }
                self.interfaces.push(Interface::read(block.order, block.body())?);
                stats.interfaces += 1;
                Ok(())
            }
            kind => {
                stats.count_skipped(kind);
                Ok(())
            }
        }
    }

    /// A new section: its byte order, and none of the interfaces of the one before.
    fn begin_section(&mut self, block: Block<'_>, stats: &mut Stats) -> Result<(), Fault> {
        block.at_least(28)?;
        let (major, minor) = (block.order.u16(block.bytes, 12), block.order.u16(block.bytes, 14));
        if major != 1 {
            return Err(Fault::Version { format: "pcapng", major, minor });
        }
        self.order = block.order;
        self.before = self.before.saturating_add(self.interfaces.len() as u32);
        self.interfaces.clear();
        stats.sections += 1;
        Ok(())
    }

    /// An Enhanced Packet Block, or the obsolete one: that has a shorter number of the interface, and the rest in the
    /// same places.
    fn packet(&self, block: Block<'_>, stats: &mut Stats) -> Result<Found, Fault> {
        block.at_least(32)?;
        let number = |at| block.order.u32(block.bytes, at);
        let obsolete = block.kind == PACKET;
        let id = if obsolete { block.order.u16(block.bytes, 8).into() } else { number(8) };
        let interface = self.interface(id)?;
        let ticks = u64::from(number(12)) << 32 | u64::from(number(16));
        let (at, clamped) = interface.clock.at(ticks);
        stats.clamped_times += u64::from(clamped);
        let data = block.data(28, number(20))?;
        Ok(Found { at, linktype: interface.linktype, interface: id, wire_len: number(24), data })
    }

    /// A Simple Packet Block: of the first interface, with no time, and as long as its snap length allows.
    fn simple(&self, block: Block<'_>, stats: &mut Stats) -> Result<Found, Fault> {
        block.at_least(16)?;
        let interface = self.interface(0)?;
        let wire_len = block.order.u32(block.bytes, 8);
        let data = block.data(12, wire_len.min(interface.snaplen))?;
        stats.untimed += 1;
        Ok(Found { at: self.last, linktype: interface.linktype, interface: 0, wire_len, data })
    }

    fn interface(&self, id: u32) -> Result<&Interface, Fault> {
        let unknown = Fault::Interface { id, described: self.interfaces.len() };
        self.interfaces.get(id as usize).ok_or(unknown)
    }
}

impl<'a> Block<'a> {
    /// Refuses a block that has no room for the fixed fields of its kind.
    fn at_least(&self, len: usize) -> Result<(), Fault> {
        let fault = Fault::BlockLength { kind: self.kind, len: self.bytes.len() as u32 };
        if self.bytes.len() < len { Err(fault) } else { Ok(()) }
    }

    /// What is between the lengths.
    fn body(&self) -> &'a [u8] {
        self.bytes.get(8..self.bytes.len() - 4).unwrap_or_default()
    }

    /// Where the packet's bytes are.
    fn data(&self, from: usize, captured: u32) -> Result<Range<usize>, Fault> {
        let room = (self.bytes.len() - 4).saturating_sub(from);
        if captured as usize > room {
            return Err(Fault::CapturedLength { captured, room });
        }
        Ok(from..from + captured as usize)
    }
}

/// Holds the next block whole and returns its kind, byte order and length; `None` at the end.
fn hold(window: &mut Window, order: Order) -> Result<Option<(u32, Order, usize)>, Fault> {
    let cut = |needed, left| Fault::Cut { part: Part::Block, needed, left };
    let left = window.fill(LEAST)?;
    if left < LEAST {
        return if left == 0 { Ok(None) } else { Err(cut(LEAST, left)) };
    }
    let head = window.held();
    let kind = order.u32(head, 0);
    let order = if kind == SECTION { order_of(head)? } else { order };
    let first = order.u32(head, 4);
    let len = first as usize;
    if len < LEAST || !len.is_multiple_of(4) {
        return Err(Fault::BlockLength { kind, len: first });
    }
    if len > LONGEST {
        return Err(Fault::TooLong { part: Part::Block, len: first.into(), most: LONGEST as u64 });
    }
    let left = window.fill(len)?;
    if left < len {
        return Err(cut(len, left));
    }
    let last = order.u32(window.held(), len - 4);
    if first == last { Ok(Some((kind, order, len))) } else { Err(Fault::Trailer { first, last }) }
}

fn order_of(section: &[u8]) -> Result<Order, Fault> {
    match Order::Big.u32(section, 8) {
        0x1a2b_3c4d => Ok(Order::Big),
        0x4d3c_2b1a => Ok(Order::Little),
        other => Err(Fault::ByteOrder(other)),
    }
}
