//! The Internet checksum (RFC 1071) of an IPv4 header and of a TCP segment.

use std::net::IpAddr;

use super::ip::{Body, TCP};

/// Where the field stands in an IPv4 header, and in a TCP header.
const IPV4_FIELD: usize = 10;
const TCP_FIELD: usize = 16;

/// What a checksum says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// The bytes are as they were sent.
    Right,
    /// The network card was to fill it in (checksum offload).
    Unfinished,
    /// The bytes are not as they were sent.
    Wrong,
}

/// Looks at an IPv4 header, options included (RFC 791, section 3.1). A field of zero that is not right is what systems
/// leave that give the task to the card.
pub(super) fn ipv4(header: &[u8]) -> Finding {
    match fold(sum(header)) {
        0xffff => Finding::Right,
        _ if field(header, IPV4_FIELD) == 0 => Finding::Unfinished,
        _ => Finding::Wrong,
    }
}

/// Looks at a TCP segment that was captured whole (RFC 9293, section 3.1; RFC 8200, section 8.1). A field that holds the
/// sum of the pseudo-header waits for the card; some systems leave the length out of it for a segment yet to be cut.
pub(super) fn tcp(body: &Body<'_>) -> Finding {
    let ends = pseudo(body.source) + pseudo(body.destination) + u64::from(TCP);
    let with_len = ends + body.data.len() as u64;
    match (fold(with_len + sum(body.data)), field(body.data, TCP_FIELD)) {
        (0xffff, _) => Finding::Right,
        (_, left) if left == fold(with_len) || left == fold(ends) => Finding::Unfinished,
        _ => Finding::Wrong,
    }
}

fn pseudo(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => sum(&address.octets()),
        IpAddr::V6(address) => sum(&address.octets()),
    }
}

/// In words of 32 bits, which fold to the same as those of 16. The end is filled up with zeros.
fn sum(data: &[u8]) -> u64 {
    let (words, rest) = data.as_chunks::<4>();
    let mut last = [0; 4];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    words.iter().chain([&last]).map(|word| u64::from(u32::from_be_bytes(*word))).sum()
}

/// End-around carry until 16 bits are left.
fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

fn field(data: &[u8], at: usize) -> u16 {
    data.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u16::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Word by word as RFC 1071 begins to explain it: add, and add each carry at once.
    fn slow(data: &[u8]) -> u16 {
        let mut sum = 0_u16;
        for pair in data.chunks(2) {
            let word = u16::from(pair[0]) * 256 + pair.get(1).copied().map_or(0, u16::from);
            let (added, carry) = sum.overflowing_add(word);
            sum = added + u16::from(carry);
        }
        sum
    }

    #[test]
    fn the_example_of_rfc_1071() {
        let data = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(fold(sum(&data)), 0xddf2);
        assert_eq!(slow(&data), 0xddf2);
    }

    #[test]
    fn an_ipv4_header_with_its_checksum() {
        let right = [
            0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01,
            0xc0, 0xa8, 0x00, 0xc7,
        ];
        assert_eq!(ipv4(&right), Finding::Right);
        let with = |at: usize, byte| {
            let mut header = right;
            header[at] = byte;
            ipv4(&header)
        };
        assert_eq!(with(11, 0x62), Finding::Wrong);
        assert_eq!(with(19, 0xc8), Finding::Wrong);
        let mut empty = right;
        empty[10..12].fill(0);
        assert_eq!(ipv4(&empty), Finding::Unfinished);
    }

    proptest! {
        #[test]
        fn the_sum_is_that_of_the_slow_way(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(fold(sum(&data)), slow(&data));
        }

        #[test]
        fn the_sum_does_not_overflow_on_ones(len in 0_usize..70_000) {
            let data = vec![0xff; len];
            prop_assert_eq!(fold(sum(&data)), slow(&data));
        }
    }
}
