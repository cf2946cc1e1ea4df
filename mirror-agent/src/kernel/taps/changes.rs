//! How often something changed at the taps, by what it was.

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// An interface that was asked for appeared, and was tapped.
    pub interface_new: u64,
    /// A tapped interface went, or got a name that was not asked for.
    pub interface_gone: u64,
    /// Somebody took a tap away.
    pub removed: u64,
    /// Somebody came before a tap.
    pub preceded: u64,
    /// Nobody stands before a tap any more.
    pub first_again: u64,
    /// A tap was put back to where it was.
    pub reattached: u64,
    /// A tap was not put back: that had been done too often.
    pub contested: u64,
    /// An interface was not tapped: its packets have no Ethernet header.
    pub not_ethernet: u64,
    /// An interface was not tapped: another agent has it.
    pub taken: u64,
    /// An interface was not tapped: too many are.
    pub full: u64,
    /// An interface was not tapped, or a tap not put back: the kernel refused.
    pub failed: u64,
    /// The kernel had more news than there was room for, and all interfaces were listed again.
    pub overrun: u64,
}

impl Changes {
    /// Every count with its name in metrics.
    pub fn by_name(&self) -> [(&'static str, u64); 12] {
        [
            ("interface_new", self.interface_new),
            ("interface_gone", self.interface_gone),
            ("removed", self.removed),
            ("preceded", self.preceded),
            ("first_again", self.first_again),
            ("reattached", self.reattached),
            ("contested", self.contested),
            ("not_ethernet", self.not_ethernet),
            ("taken", self.taken),
            ("full", self.full),
            ("failed", self.failed),
            ("overrun", self.overrun),
        ]
    }
}
