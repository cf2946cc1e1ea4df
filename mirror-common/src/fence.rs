//! The fence: where a fenced version may call, and what its calls came to.

use core::mem::size_of;

use crate::flow::{Address, mapped};

/// Destinations of one fence: a bit each of a mask. A config with more is refused.
pub const DESTINATIONS: usize = 64;
/// Destinations that no allow list names and that are remembered for a proposal. The least used lately goes.
pub const UNKNOWN: u32 = 1024;
/// Ports, each with the mask of the destinations that name it.
pub const PORTS: u32 = 1 << 16;
/// Lines of denials that one fence writes in a second; what is over is counted, but not said.
pub const LINES_PER_SECOND: u64 = 10;

/// What is done about a call that the allow list does not cover.
pub mod mode {
    /// It fails with `EPERM`.
    pub const DENY: u32 = 0;
    /// It passes, and is counted as denied.
    pub const REPORT: u32 = 1;
    /// It passes, and is counted as allowed: the calls of a version that is not fenced.
    pub const COUNT: u32 = 2;
}

/// Where the kernel asks the fence, by number.
pub mod hook {
    /// `connect` of an IPv4 socket, TCP or UDP.
    pub const CONNECT4: u32 = 0;
    /// `connect` of an IPv6 socket.
    pub const CONNECT6: u32 = 1;
    /// A datagram of an IPv4 socket that is not connected.
    pub const SENDMSG4: u32 = 2;
    /// A datagram of an IPv6 socket that is not connected.
    pub const SENDMSG6: u32 = 3;
    /// How many there are.
    pub const COUNT: usize = 4;
    /// Their names, which are the kernel's.
    pub const NAMES: [&str; COUNT] = ["connect4", "connect6", "sendmsg4", "sendmsg6"];
}

/// The slots of [`Count`]: one for each destination, then these.
pub mod slot {
    /// What no destination of the list covers.
    pub const OTHER: u32 = super::DESTINATIONS as u32;
    /// The probes of the self-test that were denied: one slot for each hook.
    pub const PROBES: u32 = OTHER + 1;
    /// How many there are.
    pub const COUNT: u32 = PROBES + super::hook::COUNT as u32;
}

/// What a fence is told before its programs are loaded.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// One of [`mode`].
    pub mode: u32,
    /// The port of the probes, in network order.
    pub probe_port: u32,
    /// Where the self-test calls, of each family: denied in every mode but [`mode::COUNT`], so that no probe ever leaves.
    pub probes: [Address; 2],
}
const _: () = assert!(size_of::<Settings>() == 40);

impl Settings {
    /// Whether a call is the self-test's.
    #[inline(always)]
    pub fn is_probe(&self, address: &Address, port: u16) -> bool {
        self.mode != mode::COUNT
            && self.probe_port == port as u32
            && (same(&self.probes[0], address) || same(&self.probes[1], address))
    }
}

/// Word by word: the compiler would make a call of it.
#[inline(always)]
fn same(a: &Address, b: &Address) -> bool {
    (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) == 0
}

/// A prefix of destinations, as the longest-prefix map's data; the length in bits counts the family's 32 too.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DestinationKey {
    /// 4 or 6: an IPv6 prefix names no IPv4 destination, however short it is.
    pub family: u32,
    /// The address, IPv4 in its mapped form: a prefix of /24 has 96 + 24 bits.
    pub address: Address,
}
const _: () = assert!(size_of::<DestinationKey>() == 20);

impl DestinationKey {
    /// Bits before the address.
    pub const FAMILY_BITS: u32 = 32;
    /// All bits: the length to look an address up with.
    pub const BITS: u32 = Self::FAMILY_BITS + 128;

    /// Of an address as a call names it. An IPv4-mapped one is the IPv4 destination that it leads to.
    #[inline(always)]
    pub fn new(address: Address) -> Self {
        let prefix = mapped(0);
        let is_v4 = address[0] == prefix[0] && address[1] == prefix[1] && address[2] == prefix[2];
        DestinationKey { family: if is_v4 { 4 } else { 6 }, address }
    }
}

/// A destination that no allow list names.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnknownKey {
    /// Its address.
    pub address: Address,
    /// Its port, in network order.
    pub port: u16,
    /// The protocol's number.
    pub protocol: u8,
    /// Always zero.
    pub zero: u8,
}
const _: () = assert!(size_of::<UnknownKey>() == 20);

/// What the calls to one destination came to: connections, and datagrams of sockets that are not connected.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Those that were let through.
    pub allowed: u64,
    /// Those that were denied; in [`mode::REPORT`], that would have been.
    pub denied: u64,
}
const _: () = assert!(size_of::<Count>() == 16);

/// How many lines were written in the second that runs.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// The second, by the kernel's monotonic clock.
    pub second: u64,
    /// Lines in it.
    pub lines: u64,
}
const _: () = assert!(size_of::<Pace>() == 16);
