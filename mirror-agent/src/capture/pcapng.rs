//! Blocks of a pcapng file (IETF draft "pcapng"), under a limit that no block is cut at.

use std::borrow::Cow;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::pcapng::blocks::interface_statistics::{InterfaceStatisticsBlock, InterfaceStatisticsOption};
use pcap_file::pcapng::blocks::opt_common::CommonOption;
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::{DataLink, Endianness};

use super::output::Output;
use super::vantage::Mac;
use crate::time::Nanos;

/// Blocks go to the file in pieces of about this size.
const PIECE: usize = 256 * 1024;

/// What one interface description says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    /// Its name.
    pub(super) name: String,
    /// What it stands for.
    pub(super) description: String,
    /// Its hardware address.
    pub(super) mac: Option<Mac>,
    /// What was asked of it, as libpcap would write it.
    pub(super) filter: String,
}

/// What the statistics block of an interface says at the end; `None` where only another interface knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Statistics {
    /// Packets that matched what was asked for.
    pub(super) matched: Option<u64>,
    /// Those of them that are in the share.
    pub(super) sampled: Option<u64>,
    /// Copies that the shadow link or its ring dropped.
    pub(super) dropped: Option<u64>,
    /// Packets that the kernel could not copy.
    pub(super) not_cloned: Option<u64>,
    /// Packets in the file.
    pub(super) written: Option<u64>,
}

/// The file, block by block.
pub(super) struct Blocks {
    writer: PcapNgWriter<Vec<u8>>,
    output: Output,
    /// Bytes that packets may fill; the rest is for the statistics.
    room: u64,
    started: Nanos,
}

impl Blocks {
    /// Empties the file and writes its header: `comment` says what was asked.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or `limit` bytes do not hold the header and the statistics.
    pub(super) fn begin(
        output: Output,
        limit: Option<u64>,
        comment: &str,
        interfaces: &[Interface],
        now: Nanos,
    ) -> Result<Blocks> {
        let mut writer = PcapNgWriter::with_section_header(Vec::new(), section(comment))?;
        for interface in interfaces {
            writer.write_pcapng_block(description(interface))?;
        }
        let mut blocks = Blocks { writer, room: u64::MAX, started: now, output };
        if let Some(limit) = limit {
            let least = blocks.len() + blocks.closing_len(interfaces.len())?;
            if least > limit {
                bail!("--max-size {limit}B is too small: the header alone takes {least} bytes");
            }
            blocks.room = limit - blocks.closing_len(interfaces.len())?;
        }
        blocks.output.begin()?;
        blocks.flush()?;
        Ok(blocks)
    }

    /// Writes a packet, unless it would take the file over its limit: then nothing is written, and `false` is the answer.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(super) fn packet(&mut self, packet: EnhancedPacketBlock<'_>) -> Result<bool> {
        let before = self.writer.get_ref().len();
        self.writer.write_pcapng_block(packet)?;
        if self.len() > self.room {
            self.writer.get_mut().truncate(before);
            return Ok(false);
        }
        if self.writer.get_ref().len() >= PIECE {
            self.flush()?;
        }
        Ok(true)
    }

    /// Hands over to the file what is still held here.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.output.append(self.writer.get_ref())?;
        self.writer.get_mut().clear();
        Ok(())
    }

    /// Bytes of the file so far.
    pub(super) fn len(&self) -> u64 {
        self.output.len() + self.writer.get_ref().len() as u64
    }

    /// Writes the statistics of each interface, and all that is left.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(super) fn end(mut self, statistics: &[Statistics], now: Nanos) -> Result<Output> {
        self.write_statistics(statistics, now)?;
        self.flush()?;
        Ok(self.output)
    }

    fn write_statistics(&mut self, statistics: &[Statistics], now: Nanos) -> Result<()> {
        for (id, statistics) in (0..).zip(statistics) {
            let block = closing(id, statistics, self.started, now);
            self.writer.write_pcapng_block(block).context("encode the statistics of an interface")?;
        }
        Ok(())
    }

    /// The most that the statistics of so many interfaces take: every number has its full length.
    fn closing_len(&mut self, interfaces: usize) -> Result<u64> {
        let before = self.writer.get_ref().len();
        let all = Some(0);
        let full = Statistics { matched: all, sampled: all, dropped: all, not_cloned: all, written: all };
        self.write_statistics(&vec![full; interfaces], self.started)?;
        let len = self.writer.get_ref().len() - before;
        self.writer.get_mut().truncate(before);
        Ok(len as u64)
    }
}

/// A comment, for any block.
pub(super) fn comment(text: String) -> CommonOption<'static> {
    CommonOption::Comment(Cow::Owned(text))
}

/// A time as the blocks have it.
pub(super) fn since_epoch(at: Nanos) -> Duration {
    Duration::from_nanos(at.0)
}

fn section(text: &str) -> SectionHeaderBlock<'static> {
    let mut options = vec![SectionHeaderOption::Common(comment(text.into()))];
    if let Ok(release) = std::fs::read_to_string("/proc/sys/kernel/osrelease") {
        options.push(SectionHeaderOption::OS(Cow::Owned(format!("Linux {}", release.trim()))));
    }
    let us = concat!("mirror-agent ", env!("CARGO_PKG_VERSION"));
    options.push(SectionHeaderOption::UserApplication(Cow::Borrowed(us)));
    SectionHeaderBlock { endianness: Endianness::native(), options, ..SectionHeaderBlock::default() }
}

fn description(interface: &Interface) -> InterfaceDescriptionBlock<'_> {
    let mut block = InterfaceDescriptionBlock::new(DataLink::ETHERNET, 0);
    let filter = [b"\0", interface.filter.as_bytes()].concat(); // the zero says: a libpcap expression
    block.options = vec![
        InterfaceDescriptionOption::IfName(Cow::Borrowed(&interface.name)),
        InterfaceDescriptionOption::IfDescription(Cow::Borrowed(&interface.description)),
        InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO),
        InterfaceDescriptionOption::IfFilter(Cow::Owned(filter)),
    ];
    if let Some(mac) = &interface.mac {
        block.options.push(InterfaceDescriptionOption::IfMacAddr(Cow::Borrowed(mac)));
    }
    block
}

fn closing(
    id: u32,
    statistics: &Statistics,
    started: Nanos,
    now: Nanos,
) -> InterfaceStatisticsBlock<'static> {
    use InterfaceStatisticsOption as Number;
    let counts = [
        statistics.matched.map(Number::IsbIfRecv),
        statistics.dropped.map(Number::IsbIfDrop),
        statistics.sampled.map(Number::IsbFilterAccept),
        statistics.not_cloned.map(Number::IsbOsDrop),
        statistics.written.map(Number::IsbUsrDeliv),
    ];
    let times = [Number::IsbStartTime(since_epoch(started)), Number::IsbEndTime(since_epoch(now))];
    let options = times.into_iter().chain(counts.into_iter().flatten()).collect();
    InterfaceStatisticsBlock { interface_id: id, timestamp: since_epoch(now), options }
}

#[cfg(test)]
mod tests;
