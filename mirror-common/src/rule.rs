//! Targeting: which share a connection falls under. First match wins, in the order of the list.

use core::mem::size_of;

use crate::flow::Address;
use crate::limits::RULES;

/// The slot of the rule that holds for whoever no other rule names: the service's own share.
pub const REST: u8 = 0;

/// One rule of a service, in a slot that it keeps as long as it stands in the config.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Share of the connections it names, in parts per million.
    pub share_ppm: u32,
    /// The lowest port of the client that it names, in host order.
    pub lowest_port: u16,
    /// The highest.
    pub highest_port: u16,
    /// The ring it speaks for, 1 to [`crate::limits::RINGS`]; 0 is none. A bit of [`crate::policy::Control::rings_killed`].
    pub ring: u8,
    /// Changes when another rule takes the slot: connections of the old one are not the new one's.
    pub generation: u8,
    /// Always zero.
    pub zero: [u8; 2],
}
const _: () = assert!(size_of::<Rule>() == 12);

impl Rule {
    /// Whether it names a client of this port (network order).
    #[inline(always)]
    pub fn has_port(&self, port: u16) -> bool {
        let port = u16::from_be(port);
        self.lowest_port <= port && port <= self.highest_port
    }
}

/// A prefix of clients of one service, as the longest-prefix map's data; the length in bits counts these 32 too.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixKey {
    /// Bank and service: [`PrefixKey::scope`].
    pub scope: u32,
    /// The address, IPv4 in its mapped form: a prefix of /24 has 96 + 24 bits.
    pub address: Address,
}
const _: () = assert!(size_of::<PrefixKey>() == 20);

impl PrefixKey {
    /// Bits before the address: two addresses of different scopes share no prefix.
    pub const SCOPE_BITS: u32 = 32;
    /// All bits: the length to look an address up with.
    pub const BITS: u32 = Self::SCOPE_BITS + 128;

    /// Rules are replaced by filling the other bank and then changing one word, [`crate::policy::ServicePolicy::bank`].
    #[inline(always)]
    pub fn scope(bank: u32, service: u8) -> u32 {
        bank << 8 | service as u32
    }
}

/// The slots of the rules that name all clients of a prefix, in the order in which they are tried. It ends with
/// [`REST`], which every client falls under at last.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Slots, then [`REST`].
    pub slots: [u8; RULES],
}
const _: () = assert!(size_of::<Candidates>() == RULES);
