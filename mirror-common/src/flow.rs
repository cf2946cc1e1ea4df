//! Who talks to whom, and what the kernel remembers of it.

use core::mem::size_of;

use crate::share::murmur3_32;

/// IPv6, or IPv4 as an IPv4-mapped address (RFC 4291, section 2.5.5.2): the 16 bytes in network order, held as four
/// words so that the kernel program loads words and not bytes.
pub type Address = [u32; 4];

/// An address from its bytes.
#[inline(always)]
pub fn address(bytes: [u8; 16]) -> Address {
    let word = |i: usize| u32::from_ne_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]);
    [word(0), word(4), word(8), word(12)]
}

/// The IPv4-mapped form of an IPv4 address, given as it stands in the packet.
#[inline(always)]
pub fn mapped(v4: u32) -> Address {
    [0, 0, 0xffffu32.to_be(), v4]
}

/// TCP's protocol number.
pub const TCP: u8 = 6;
/// UDP's protocol number.
pub const UDP: u8 = 17;

/// One connection, the same for both of its directions: the lower end (by address, then port) is `low`.
///
/// Its first 37 bytes are the *canonical 5-tuple* that the share hashes: lower address, higher address, port of the
/// lower, port of the higher (all in network order), protocol.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowKey {
    low: Address,
    high: Address,
    low_port: u16,
    high_port: u16,
    /// The protocol's byte, then three zeros. One word: the compiler would clear three bytes by a call.
    protocol: u32,
}
const _: () = assert!(size_of::<FlowKey>() == 40);

const CANONICAL: usize = 37;

impl FlowKey {
    /// The key of a packet between two ends, in either order; ports in network order.
    #[inline(always)]
    pub fn new(a: &Address, a_port: u16, b: &Address, b_port: u16, protocol: u8) -> Self {
        Self::directed(a, a_port, b, b_port, protocol).0
    }

    /// The same, and whether `a` is the lower end.
    #[inline(always)]
    pub fn directed(a: &Address, a_port: u16, b: &Address, b_port: u16, protocol: u8) -> (Self, bool) {
        let a_is_low = is_lower(a, a_port, b, b_port);
        let (low, low_port, high, high_port) =
            if a_is_low { (a, a_port, b, b_port) } else { (b, b_port, a, a_port) };
        (
            FlowKey { low: *low, high: *high, low_port, high_port, protocol: u32::to_le(protocol as u32) },
            a_is_low,
        )
    }

    /// Copies it without a call, which the compiler would make of a plain copy.
    ///
    /// # Safety
    ///
    /// `to` must be valid for a write, and aligned.
    #[inline(always)]
    pub unsafe fn write_to(&self, to: *mut FlowKey) {
        let (from, to) = ((&raw const *self).cast::<u32>(), to.cast::<u32>());
        for i in 0..size_of::<FlowKey>() / size_of::<u32>() {
            // SAFETY: inside both keys; words are as aligned as they are.
            unsafe { to.add(i).write_volatile(from.add(i).read_volatile()) }
        }
    }

    /// The lower end and the higher one: address, and port in network order.
    pub fn ends(&self) -> [(Address, u16); 2] {
        [(self.low, self.low_port), (self.high, self.high_port)]
    }

    /// TCP or UDP.
    pub fn protocol(&self) -> u8 {
        u32::from_le(self.protocol) as u8
    }

    /// MurmurHash3 of the canonical 5-tuple.
    #[inline(always)]
    pub fn hash(&self, seed: u32) -> u32 {
        // SAFETY: the struct is `repr(C)` and 40 bytes long, without padding.
        let tuple = unsafe { core::slice::from_raw_parts((&raw const *self).cast::<u8>(), CANONICAL) };
        murmur3_32(tuple, seed)
    }
}

#[inline(always)]
fn is_lower(a: &Address, a_port: u16, b: &Address, b_port: u16) -> bool {
    let (a_high, a_low) = halves(a);
    let (b_high, b_low) = halves(b);
    if a_high != b_high {
        a_high < b_high
    } else if a_low != b_low {
        a_low < b_low
    } else {
        u16::from_be(a_port) <= u16::from_be(b_port)
    }
}

/// Two integers, because the kernel has no `memcmp`.
#[inline(always)]
fn halves(a: &Address) -> (u64, u64) {
    let half = |i: usize| (u32::from_be(a[i]) as u64) << 32 | u32::from_be(a[i + 1]) as u64;
    (half(0), half(2))
}

/// One end that belongs to a service. An address of all zeros means any address.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EndpointKey {
    /// The address.
    pub address: Address,
    /// The port, in network order.
    pub port: u16,
    /// TCP or UDP.
    pub protocol: u8,
    /// Always zero.
    pub zero: u8,
}
const _: () = assert!(size_of::<EndpointKey>() == 20);

/// What an endpoint is.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Index of the service, below [`crate::limits::SERVICES`].
    pub service: u8,
    /// Index of the version, below [`crate::limits::VERSIONS`].
    pub version: u8,
    /// A [`role`].
    pub role: u8,
    /// Always zero.
    pub zero: u8,
}
const _: () = assert!(size_of::<Endpoint>() == 4);

/// What a version is to its service.
pub mod role {
    /// v1: real traffic, mirrored by share.
    pub const PRIMARY: u8 = 0;
    /// v2: gets the copy; timed, never cloned.
    pub const SHADOW: u8 = 1;
    /// Carries real traffic, is only timed.
    pub const OBSERVED: u8 = 2;
}

/// What was decided for a connection when it was first seen.
pub mod decision {
    /// Outside the share.
    pub const SHARE_OUT: u8 = 0;
    /// Inside the share: every packet is cloned.
    pub const MIRROR: u8 = 1;
    /// Left out, or cut in the middle, by a cap.
    pub const CAPPED: u8 = 2;
    /// The agent's own traffic: never cloned, so that a mirror cannot feed itself.
    pub const OWN: u8 = 3;
    /// The agent's own probe: besides, it is not timed, so that no version's statistics have it among those of users.
    pub const PROBE: u8 = 4;
}

/// Where a connection's turn stands.
pub mod phase {
    /// No request is outstanding.
    pub const IDLE: u8 = 0;
    /// Request bytes were seen, no response byte yet.
    pub const REQUEST: u8 = 1;
    /// Response bytes were seen.
    pub const RESPONSE: u8 = 2;
}

/// What is known of a connection, as bits of [`Flow::known`].
pub mod known {
    /// [`super::Flow::request_next`] is set.
    pub const REQUEST_NEXT: u8 = 1;
    /// [`super::Flow::response_next`] is set.
    pub const RESPONSE_NEXT: u8 = 2;
    /// The client's SYN or a request was seen, so the next bytes without a request outstanding are the start of one.
    pub const START: u8 = 4;
    /// The client has sent FIN.
    pub const CLIENT_FIN: u8 = 8;
    /// The server has sent FIN.
    pub const SERVER_FIN: u8 = 16;
    /// A measured turn waits for the proof that its response had ended.
    pub const PENDING: u8 = 32;
    /// The request in flight has no body by its method, so its head is its end.
    pub const BODILESS: u8 = 64;
    /// The head of the request in flight has ended.
    pub const HEAD_DONE: u8 = 128;
}

/// More of it, as bits of [`Flow::marks`].
pub mod mark {
    /// The client is the lower end of the key.
    pub const CLIENT_IS_LOW: u8 = 1;
    /// It counts in [`crate::policy::Buckets::open`].
    pub const COUNTED: u8 = 2;
    /// A cap cut it in the middle.
    pub const CUT: u8 = 4;
    /// The client has not answered the SYN-ACK yet.
    pub const HANDSHAKE: u8 = 8;
    /// The head of the request in flight has come as far as a line feed: a blank line may end it.
    pub const AFTER_LF: u8 = 16;
    /// And one more byte, a carriage return.
    pub const AFTER_LF_CR: u8 = 32;
}

/// What the kernel remembers of one connection. Times are `CLOCK_MONOTONIC` nanoseconds.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// When a packet of it was last seen.
    pub last_seen: u64,
    /// First byte of the request in flight.
    pub request_first: u64,
    /// Last byte of the request in flight.
    pub request_last: u64,
    /// First byte of its response.
    pub response_first: u64,
    /// Last byte of its response, so far.
    pub response_last: u64,
    /// Time to first byte of the turn that waits to be recorded.
    pub pending_ttfb: u64,
    /// Whole duration of the turn that waits to be recorded.
    pub pending_total: u64,
    /// When the segment passed whose echo is awaited from the client, and from the server; 0 is none.
    pub echo_since: [u64; 2],
    /// The time stamp value of that segment; a handshake's has none.
    pub echo_of: [u32; 2],
    /// The newest time stamp value seen towards the client, and towards the server.
    pub newest_stamp: [u32; 2],
    /// Next sequence number expected from the client.
    pub request_next: u32,
    /// Next sequence number expected from the server.
    pub response_next: u32,
    /// Interface that owns the client's direction and the server's; 0 is none yet.
    pub interface: [u32; 2],
    /// Hook that owns the client's direction and the server's.
    pub hook: [u8; 2],
    /// A [`decision`].
    pub decision: u8,
    /// A [`phase`].
    pub phase: u8,
    /// Bits of [`known`].
    pub known: u8,
    /// Why the turn in flight cannot be certain; 0 is certain, else a [`crate::turn::Ambiguous`].
    pub doubt: u8,
    /// Why no later turn of this connection can be certain; 0 or a [`crate::turn::Ambiguous`].
    pub poison: u8,
    /// A [`crate::turn::outcome`] of the turn in flight.
    pub outcome: u8,
    /// A [`crate::turn::outcome`] of the turn that waits.
    pub pending_outcome: u8,
    /// Index of the service.
    pub service: u8,
    /// Index of the version.
    pub version: u8,
    /// A [`role`].
    pub role: u8,
    /// Bits of [`mark`].
    pub marks: u8,
    /// The slot of the rule that decided.
    pub rule: u8,
    /// That rule's generation.
    pub generation: u8,
    /// That rule's ring.
    pub ring: u8,
}
const _: () = assert!(size_of::<Flow>() == 120);

/// What is remembered of a connection that has closed: who owned it, and what was decided.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closed {
    /// As [`Flow::interface`].
    pub interface: [u32; 2],
    /// As [`Flow::hook`].
    pub hook: [u8; 2],
    /// A [`decision`].
    pub decision: u8,
    /// As [`Flow::rule`].
    pub rule: u8,
    /// As [`Flow::generation`].
    pub generation: u8,
    /// As [`Flow::ring`].
    pub ring: u8,
    /// Always zero.
    pub zero: u16,
}
const _: () = assert!(size_of::<Closed>() == 16);

#[cfg(test)]
mod tests {
    use super::*;

    extern crate std;

    const A: [u8; 4] = [10, 0, 0, 1];
    const B: [u8; 4] = [10, 0, 0, 2];

    fn key(a: [u8; 4], a_port: u16, b: [u8; 4], b_port: u16) -> FlowKey {
        let (a, b) = (mapped(u32::from_ne_bytes(a)), mapped(u32::from_ne_bytes(b)));
        FlowKey::new(&a, a_port.to_be(), &b, b_port.to_be(), TCP)
    }

    #[test]
    fn both_directions_have_one_key_and_one_hash() {
        let (there, back) = (key(A, 40_000, B, 8080), key(B, 8080, A, 40_000));
        assert_eq!(there, back);
        assert_eq!(there.hash(7), back.hash(7));
        assert_ne!(there.hash(7), there.hash(8));
    }

    #[test]
    fn one_address_is_ordered_by_port() {
        assert_eq!(key(A, 1, A, 256), key(A, 256, A, 1));
    }

    /// The published definition: the hash of a known connection never changes between releases.
    #[test]
    fn the_canonical_tuple_is_a_contract() {
        let v4_mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
        let mut tuple = std::vec::Vec::from(v4_mapped);
        tuple.extend(A);
        tuple.extend(v4_mapped);
        tuple.extend(B);
        tuple.extend(40_000u16.to_be_bytes());
        tuple.extend(8080u16.to_be_bytes());
        tuple.push(TCP);
        assert_eq!(key(B, 8080, A, 40_000).hash(1), murmur3_32(&tuple, 1));
    }

    #[test]
    fn an_address_keeps_its_bytes() {
        let bytes = core::array::from_fn(|i| i as u8);
        assert_eq!(address(bytes).map(u32::to_ne_bytes).as_flattened(), bytes);
    }
}
