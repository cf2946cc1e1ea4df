//! Frames become packet blocks: with their interface, direction and connection, and the VLAN tag they had on the wire.

use std::borrow::Cow;

use anyhow::Result;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};

use super::asked::Wanted;
use super::connections::{Connection, Connections, Meeting};
use super::output::Output;
use super::pcapng::{Blocks, Statistics, comment, since_epoch};
use super::vantage::{Direction, Vantage, place};
use crate::packet::{FlowKey, Frame, Side, parse};
use crate::time::Nanos;

/// Where the VLAN tag stands: behind the two addresses.
const TAG_AT: usize = 12;

/// A VLAN tag that the kernel took out of a frame: protocol and control information.
pub(super) type Tag = Option<(u16, u16)>;

/// Asks the kernel for the owners of a connection's directions, the client's first; 0 is not known.
pub(super) type Owners<'a> = &'a dyn Fn(&FlowKey) -> [u32; 2];

/// Writes frames to the file.
pub(super) struct Recorder {
    blocks: Blocks,
    wanted: Wanted,
    vantages: Vec<Vantage>,
    connections: Connections,
    /// Packets in the file by interface; the last is for those whose interface is not known.
    written: Vec<u64>,
    bytes: u64,
    met: u64,
    full: bool,
    scratch: Vec<u8>,
}

impl Recorder {
    /// A recorder of these interfaces. With several, the file's last interface is for frames of unknown origin.
    pub(super) fn new(blocks: Blocks, wanted: Wanted, vantages: Vec<Vantage>) -> Recorder {
        let interfaces = if vantages.len() == 1 { 1 } else { vantages.len() + 1 };
        let written = vec![0; interfaces];
        let connections = Connections::default();
        Recorder {
            blocks,
            wanted,
            vantages,
            connections,
            written,
            bytes: 0,
            met: 0,
            full: false,
            scratch: Vec::new(),
        }
    }

    /// Writes a frame. After the first that does not fit, none is written any more.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(super) fn record(&mut self, frame: &Frame<'_>, tag: Tag, owners: Owners<'_>) -> Result<()> {
        if self.full {
            return Ok(());
        }
        let notes = self.note(frame, owners);
        let tag_len = restore_tag(frame.data, tag, &mut self.scratch);
        let block = EnhancedPacketBlock {
            interface_id: notes.interface as u32,
            timestamp: since_epoch(frame.at),
            original_len: frame.wire_len.max(frame.data.len() as u32).saturating_add(tag_len),
            data: Cow::Borrowed(if tag_len > 0 { &self.scratch } else { frame.data }),
            options: notes.options,
        };
        let bytes = u64::from(block.original_len);
        self.full = !self.blocks.packet(block)?;
        if !self.full {
            self.bytes += bytes;
            self.met += u64::from(notes.begins);
            self.written.iter_mut().skip(notes.interface).take(1).for_each(|count| *count += 1);
        }
        Ok(())
    }

    /// Hands over to the file what is still held here.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.blocks.flush()
    }

    /// Writes the statistics and ends the file. `totals` go to the only interface, or else to the one of unknown origin.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(super) fn end(self, totals: Statistics, now: Nanos) -> Result<Output> {
        let last = self.written.len() - 1;
        let of = |at| if at == last { totals } else { Statistics::default() };
        let with = |(at, written): (usize, &u64)| Statistics { written: Some(*written), ..of(at) };
        let statistics: Vec<Statistics> = self.written.iter().enumerate().map(with).collect();
        self.blocks.end(&statistics, now)
    }

    /// Whether the file has reached its limit.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Packets in the file.
    pub(super) fn packets(&self) -> u64 {
        self.written.iter().sum()
    }

    /// Their bytes on the wire.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Connections of which a packet is in the file.
    pub(super) fn connections(&self) -> u64 {
        self.met
    }

    /// Connections that were forgotten because too many others came, and counted again if they went on.
    pub(super) fn forgotten(&self) -> u64 {
        self.connections.stats().forgotten
    }

    /// What stands beside the frame in its block.
    fn note(&mut self, frame: &Frame<'_>, owners: Owners<'_>) -> Notes {
        let mut options = Vec::new();
        let (mut side, mut owner, mut begins) = (None, 0, false);
        if let Ok(segment) = parse(frame) {
            let sender = self.wanted.sender(&segment);
            let (client, server) = match sender {
                Side::Client => (segment.from, segment.to),
                Side::Server => (segment.to, segment.from),
            };
            let key = FlowKey { client, server };
            let (connection, meeting) = self.connections.meet(key, sender, &segment);
            if self.vantages.len() > 1 {
                owner = owner_of(connection, sender, || owners(&key));
            }
            options.extend(
                words(connection.number, meeting).map(|text| EnhancedPacketOption::Common(comment(text))),
            );
            side = Some(sender);
            begins = meeting != Meeting::Again;
        }
        let at = place(&self.vantages, owner, frame.data);
        if let Some(direction) = self.direction(at, side, frame.data) {
            options.push(EnhancedPacketOption::Flags(flags(direction)));
        }
        Notes { interface: at.unwrap_or(self.vantages.len()), begins, options }
    }

    /// As the interface sees it. Where it is no station of the frame, as on loopback or a port of a bridge, towards the
    /// service is in.
    fn direction(&self, at: Option<usize>, side: Option<Side>, frame: &[u8]) -> Option<Direction> {
        let seen = at.and_then(|at| self.vantages.get(at)?.direction(frame));
        seen.or_else(|| match side.filter(|_| self.wanted != Wanted::Everything)? {
            Side::Client => Some(Direction::Inbound),
            Side::Server => Some(Direction::Outbound),
        })
    }
}

/// See [`Recorder::note`].
struct Notes {
    interface: usize,
    begins: bool,
    options: Vec<EnhancedPacketOption<'static>>,
}

/// The owner of one direction, asked for until it is known.
fn owner_of(connection: &mut Connection, sender: Side, ask: impl Fn() -> [u32; 2]) -> u32 {
    let of = |owners: [u32; 2]| if sender == Side::Client { owners[0] } else { owners[1] };
    if of(connection.owners) == 0 {
        connection.owners = ask();
    }
    of(connection.owners)
}

/// The comment on a connection's first packet.
fn words(number: u64, meeting: Meeting) -> Option<String> {
    match meeting {
        Meeting::Start => Some(format!("connection {number}")),
        Meeting::Joined => Some(format!("connection {number}, joined after its start")),
        Meeting::Again => None,
    }
}

/// `epb_flags`, bits 0 and 1.
fn flags(direction: Direction) -> u32 {
    match direction {
        Direction::Inbound => 1,
        Direction::Outbound => 2,
    }
}

/// Puts the tag that the kernel took out of the frame back, in `tagged`; returns how many bytes that adds.
fn restore_tag(frame: &[u8], tag: Tag, tagged: &mut Vec<u8>) -> u32 {
    let Some((protocol, control)) = tag else { return 0 };
    let Some((addresses, rest)) = frame.split_at_checked(TAG_AT) else { return 0 };
    tagged.clear();
    tagged.extend(addresses);
    tagged.extend(protocol.to_be_bytes());
    tagged.extend(control.to_be_bytes());
    tagged.extend(rest);
    4
}

#[cfg(test)]
mod tests;
