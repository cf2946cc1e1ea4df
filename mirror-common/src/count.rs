//! Every counter of the kernel: one list, both sides.

use core::mem::size_of;

/// How a matched packet ended. Their sum, `Matched` apart, is `Matched`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Packet {
    /// It belongs to a primary endpoint.
    Matched = 0,
    /// Copied to the shadow interface.
    Cloned = 1,
    /// Its connection is outside the share.
    ShareOut = 2,
    /// A cap left it out.
    Capped = 3,
    /// The service is paused, or everything is killed.
    Paused = 4,
    /// The agent has not renewed its lease.
    LeaseExpired = 5,
    /// The kernel could not make or send the copy.
    CloneFailed = 6,
    /// Another interface or hook owns its connection.
    DuplicateVantage = 7,
}

impl Packet {
    /// How many there are.
    pub const COUNT: usize = 8;
    /// Their names in the ledger, by value.
    pub const NAMES: [&'static str; 8] = [
        "matched",
        "cloned",
        "share_out",
        "capped",
        "paused",
        "lease_expired",
        "clone_failed",
        "duplicate_vantage",
    ];
}

/// Why a packet was passed without being matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Skip {
    /// Neither IPv4 nor IPv6.
    NotIp = 0,
    /// Neither TCP nor UDP.
    OtherProtocol = 1,
    /// A fragment that does not hold the ports.
    LaterFragment = 2,
    /// Shorter than its headers claim, or headers that cannot be.
    Malformed = 3,
    /// More IPv6 extension headers or VLAN tags than are followed.
    TooDeep = 4,
    /// No endpoint of ours at either end.
    Unmatched = 5,
    /// The agent's own traffic to a primary endpoint.
    Own = 6,
    /// The flow table is full.
    FlowTableFull = 7,
}

impl Skip {
    /// How many there are.
    pub const COUNT: usize = 8;
    /// Their names, by value.
    pub const NAMES: [&'static str; 8] = [
        "not_ip",
        "other_protocol",
        "later_fragment",
        "malformed",
        "too_deep",
        "unmatched",
        "own",
        "flow_table_full",
    ];
}

/// Which end sent a packet; also the index of [`SideCount`] within its service.
pub mod side {
    /// From the client.
    pub const CLIENT: u8 = 0;
    /// From the server.
    pub const SERVER: u8 = 1;
}

/// One side of one service.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SideCount {
    /// Packets by [`Packet`].
    pub packets: [u64; Packet::COUNT],
    /// Their bytes, from the link header on.
    pub bytes: [u64; Packet::COUNT],
    /// Clones that the shadow interface itself refused: a part of `CloneFailed` that its own drop counter holds too.
    pub link_refused: u64,
    /// When the last clone was made (`CLOCK_MONOTONIC` ns).
    pub last_clone: u64,
    /// Events that did not fit into the ring.
    pub events_lost: u64,
}
const _: () = assert!(size_of::<SideCount>() == 19 * 8);

/// The turns of one version of one service.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TurnCount {
    /// Turns that began.
    pub started: u64,
    /// Turns whose latencies are in the histograms.
    pub recorded: u64,
    /// Turns that are not certain, by [`crate::turn::Ambiguous`].
    pub ambiguous: [u64; 16],
    /// Segments whose bytes had been sent before, by [`side`] of the sender.
    pub retransmits: [u64; 2],
    /// Resets, by [`side`] of the sender.
    pub resets: [u64; 2],
    /// Entries that were made in the flow table.
    pub opened: u64,
    /// Entries that ended with their connection.
    pub closed: u64,
}
const _: () = assert!(size_of::<TurnCount>() == 24 * 8);

/// The new connections that one rule of a service decided.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleCount {
    /// Connections it named.
    pub named: u64,
    /// Those inside its share.
    pub mirrored: u64,
    /// Those inside its share that a cap left out whole.
    pub capped: u64,
    /// Those that a cap cut in the middle.
    pub cut: u64,
}
const _: () = assert!(size_of::<RuleCount>() == 4 * 8);

/// Packets that were passed without being matched, by [`Skip`].
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SkipCount {
    /// Packets by reason.
    pub packets: [u64; Skip::COUNT],
}
const _: () = assert!(size_of::<SkipCount>() == 8 * 8);
