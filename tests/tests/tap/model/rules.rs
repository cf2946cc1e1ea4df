//! Which share a connection falls under, and the caps: a list that is gone through, and numbers too wide to overflow.

use super::Key;
use super::span::Span;
use super::wire::End;

/// One rule, in its place in the list.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    pub slot: u8,
    pub share: u32,
    pub ring: u8,
    pub generation: u8,
    /// Lowest and highest port.
    pub ports: (u16, u16),
    /// Addresses (IPv4 in its mapped form) and their bits.
    pub prefixes: Vec<([u8; 16], u32)>,
}

/// How a service is mirrored.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub seed: u32,
    pub paused: bool,
    pub rest: u32,
    /// In the order in which they are tried.
    pub rules: Vec<Rule>,
    pub max_connections: u64,
    /// Costs in 1/1024 ns, and the burst in ns.
    pub packet_cost: u64,
    pub byte_cost: u64,
    pub connection_cost: u64,
    pub burst: u64,
    pub thresholds: [u64; 8],
}

impl Policy {
    /// The first rule that names a client. Rules are for v1 alone.
    pub fn first_match(&self, client: End, primary: bool) -> Rule {
        let names = |rule: &&Rule| {
            primary
                && (rule.ports.0..=rule.ports.1).contains(&client.1)
                && rule.prefixes.iter().any(|prefix| has(prefix, &client.0))
        };
        let rest = Rule { share: self.rest, ..Rule::default() };
        self.rules.iter().find(names).cloned().unwrap_or(rest)
    }

    /// Whether what was decided by a rule holds no more.
    pub fn is_share_gone(&self, slot: u8, generation: u8) -> bool {
        if slot == 0 {
            return self.rest == 0;
        }
        !self.rules.iter().any(|rule| rule.slot == slot && rule.generation == generation && rule.share != 0)
    }
}

/// Bit by bit.
pub fn has((prefix, bits): &([u8; 16], u32), address: &[u8; 16]) -> bool {
    let bit = |bytes: &[u8; 16], n: u32| bytes[n as usize / 8] >> (7 - n % 8) & 1;
    (0..*bits).all(|n| bit(prefix, n) == bit(address, n))
}

/// Whether the published hash of a connection is inside a share.
pub fn is_in(key: &Key, seed: u32, share: u32) -> bool {
    let (low, high, protocol) = key;
    let mut tuple = [&low.0[..], &high.0].concat();
    tuple.extend(low.1.to_be_bytes());
    tuple.extend(high.1.to_be_bytes());
    tuple.push(*protocol);
    (u128::from(murmur3(&tuple, seed)) * 1_000_000) >> 32 < u128::from(share)
}

/// MurmurHash3, x86, 32 bits, as its author wrote it down.
pub fn murmur3(data: &[u8], seed: u32) -> u32 {
    let mix = |k: u32| k.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let mut h = seed;
    for block in data.chunks(4) {
        let k = block.iter().rev().fold(0u32, |k, byte| k << 8 | u32::from(*byte));
        h ^= mix(k);
        if block.len() == 4 {
            h = h.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
        }
    }
    h ^= data.len() as u32;
    for (shift, by) in [(16, 0x85eb_ca6b), (13, 0xc2b2_ae35), (16, 1)] {
        h = (h ^ h >> shift).wrapping_mul(by);
    }
    h
}

/// Theoretical arrival times, and the connections at once.
#[derive(Clone, Debug, Default)]
pub struct Buckets {
    packets: u128,
    bytes: u128,
    connections: u128,
    pub open: u64,
}

impl Buckets {
    pub fn admit_packet(&mut self, policy: &Policy, len: u64, now: Span) -> bool {
        let packets = admit(self.packets, policy.packet_cost, 1, policy.burst, now);
        let bytes = admit(self.bytes, policy.byte_cost, len, policy.burst, now);
        if policy.packet_cost == 0 && policy.byte_cost == 0 {
            return true;
        }
        let (Some(packets), Some(bytes)) = (packets, bytes) else { return false };
        (self.packets, self.bytes) = (packets, bytes);
        true
    }

    pub fn admit_connection(&mut self, policy: &Policy, now: Span) -> bool {
        if policy.max_connections != 0 && self.open >= policy.max_connections {
            return false;
        }
        if policy.connection_cost != 0 {
            let Some(next) = admit(self.connections, policy.connection_cost, 1, policy.burst, now) else {
                return false;
            };
            self.connections = next;
        }
        self.open += 1;
        true
    }
}

/// The generic cell rate algorithm, as a leaky bucket that is asked how full it is.
fn admit(arrival: u128, cost: u64, units: u64, burst: u64, now: Span) -> Option<u128> {
    let now = u128::from(now.0);
    let fill = arrival.saturating_sub(now);
    (fill <= u128::from(burst)).then(|| now + fill + ((u128::from(cost) * u128::from(units)) >> 10))
}

/// Vectors of the reference implementation, as its verification suites quote them.
#[test]
fn the_hash_is_the_published_one() {
    let cases: [(&[u8], u32, u32); 6] = [
        (b"", 0, 0),
        (b"", 1, 0x514e_28b7),
        (b"", u32::MAX, 0x81f1_6f39),
        (&[0xff; 4], 0, 0x7629_3b50),
        (b"Hello, world!", 1234, 0xfaf6_cdb3),
        (b"The quick brown fox jumps over the lazy dog", 0x9747_b28c, 0x2fa8_26cd),
    ];
    cases.iter().for_each(|(data, seed, hash)| assert_eq!(murmur3(data, *seed), *hash));
}
