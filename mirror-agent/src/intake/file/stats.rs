//! What was counted while a capture file was read.

/// Counts since the file was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Packets.
    pub records: u64,
    /// Bytes of packets that the file holds.
    pub captured_bytes: u64,
    /// Sections of a pcapng file.
    pub sections: u64,
    /// Interfaces that were described in a pcapng file.
    pub interfaces: u64,
    /// Packets said to be shorter on the wire than in the file; the longer is taken.
    pub short_wire_lengths: u64,
    /// Packets whose time is before 1970 or after 2554; the nearest time that can be told is taken.
    pub clamped_times: u64,
    /// Packets without a time (Simple Packet Blocks); they take that of the packet before.
    pub untimed: u64,
    /// Blocks skipped: name resolution.
    pub name_blocks: u64,
    /// Blocks skipped: interface statistics.
    pub statistics_blocks: u64,
    /// Blocks skipped: decryption secrets.
    pub secrets_blocks: u64,
    /// Blocks skipped: custom.
    pub custom_blocks: u64,
    /// Blocks skipped: every other kind.
    pub other_blocks: u64,
}

impl Stats {
    /// Counts a block that is not read; kinds by the pcapng draft, section 10.1.
    pub(super) fn count_skipped(&mut self, kind: u32) {
        *match kind {
            4 => &mut self.name_blocks,
            5 => &mut self.statistics_blocks,
            0x0a => &mut self.secrets_blocks,
            0x0bad | 0x4000_0bad => &mut self.custom_blocks,
            _ => &mut self.other_blocks,
        } += 1;
    }
}
