//! Where the packets went: each one is in the file, or is counted here by what became of it.

use mirror_common::count::{Packet, SideCount};

/// Packets since the capture began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Belong to what was asked for.
    pub(super) matched: u64,
    /// Belong to connections outside the share.
    pub(super) share_out: u64,
    /// Were seen on another tapped interface already.
    pub(super) duplicate: u64,
    /// Were copied to the shadow interface.
    pub(super) cloned: u64,
    /// Read from the ring.
    pub(super) read: u64,
    /// Why packets of the sample are not in the file.
    pub(super) lost: Lost,
}

/// Losses by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lost {
    /// The kernel could not make or send the copy.
    pub(super) clone_failed: u64,
    /// We were too late to renew the lease.
    pub(super) lease_expired: u64,
    /// The flow table was full.
    pub(super) flow_table_full: u64,
    /// The shadow link dropped the copy.
    pub(super) link: u64,
    /// The packet ring was full.
    pub(super) ring: u64,
}

impl Tally {
    /// Puts the kernel's counters in their places. `link_dropped` is the shadow interface's own counter, which holds the
    /// refused copies too.
    pub(super) fn count(&mut self, counts: &SideCount, link_dropped: u64, flow_table_full: u64) {
        let of = |packet: Packet| counts.packets[packet as usize];
        self.matched = of(Packet::Matched);
        self.share_out = of(Packet::ShareOut);
        self.duplicate = of(Packet::DuplicateVantage);
        self.cloned = of(Packet::Cloned);
        self.lost.clone_failed = of(Packet::CloneFailed);
        self.lost.lease_expired = of(Packet::LeaseExpired);
        self.lost.link = link_dropped.saturating_sub(counts.link_refused);
        self.lost.flow_table_full = flow_table_full;
    }

    /// Packets of the share, captured or lost.
    pub(super) fn sampled(&self) -> u64 {
        self.matched.saturating_sub(self.share_out + self.duplicate)
    }

    /// Copies that were neither read nor dropped: on their way, or else unaccounted for.
    pub(super) fn outstanding(&self) -> u64 {
        self.cloned.saturating_sub(self.read + self.lost.link + self.lost.ring)
    }
}

impl Lost {
    /// All of them.
    pub(super) fn sum(&self) -> u64 {
        self.reasons().iter().map(|(_, count)| count).sum()
    }

    /// Those that happened, in words.
    pub(super) fn explain(&self) -> String {
        let happened = self.reasons().into_iter().filter(|(_, count)| *count > 0);
        happened.map(|(reason, count)| format!("{count} {reason}")).collect::<Vec<_>>().join(", ")
    }

    fn reasons(&self) -> [(&'static str, u64); 5] {
        [
            ("could not be copied", self.clone_failed),
            ("came while the agent was held up", self.lease_expired),
            ("found the kernel's flow table full", self.flow_table_full),
            ("were dropped by the shadow link", self.link),
            ("found the packet ring full", self.ring),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts() -> SideCount {
        // matched, cloned, share_out, capped, paused, lease_expired, clone_failed, duplicate_vantage
        SideCount {
            packets: [100, 60, 20, 0, 0, 3, 7, 10],
            bytes: [0; 8],
            link_refused: 5,
            last_clone: 0,
            events_lost: 0,
        }
    }

    #[test]
    fn every_packet_has_one_place() {
        let mut tally = Tally { read: 50, ..Tally::default() };
        tally.lost.ring = 4;
        tally.count(&counts(), 9, 2);
        assert_eq!(tally.sampled(), 70);
        assert_eq!(tally.lost.link, 4, "five of the nine were never cloned");
        assert_eq!(tally.outstanding(), 60 - 50 - 4 - 4);
        assert_eq!(tally.lost.sum(), 7 + 3 + 2 + 4 + 4);
        let missing_of_sample = tally.lost.sum() - tally.lost.flow_table_full;
        assert_eq!(tally.read + tally.outstanding() + missing_of_sample, tally.sampled());
    }

    #[test]
    fn only_what_happened_is_explained() {
        let lost = Lost { ring: 3, clone_failed: 1, ..Lost::default() };
        assert_eq!(lost.explain(), "1 could not be copied, 3 found the packet ring full");
        assert_eq!(Lost::default().explain(), "");
    }
}
