//! Whether an allow list leaves nothing out: a list that covers every address with every port fences nobody in.

use std::net::IpAddr;

use super::DestinationDraft;
use crate::config::errors::Errors;
use crate::config::prefix::Ports;

/// Every port that can be called.
const CALLABLE: Ports = Ports { low: 1, high: u16::MAX };

/// Names the destination with which one family is covered whole.
pub fn check(allow: &[DestinationDraft], errors: &mut Errors) {
    for is_v4 in [true, false] {
        let mut spans: Vec<(u128, u128)> = Vec::new();
        for draft in allow {
            if !draft.all_ports().iter().any(|ports| ports.covers(CALLABLE)) {
                continue;
            }
            let prefixes = draft.to.iter().flatten().map(|said| said.value);
            let prefixes = prefixes.filter(|prefix| prefix.address().is_ipv4() == is_v4);
            spans.extend(prefixes.map(|prefix| span(prefix.address(), prefix.length())));
            if covers_all(&mut spans, if is_v4 { u32::MAX.into() } else { u128::MAX }) {
                let (family, all) = if is_v4 { ("IPv4", "0.0.0.0/0") } else { ("IPv6", "::/0") };
                let what = format!(
                    "with it every {family} address may be called on every port, as if {all} were allowed: that is no \
                     fence (to watch without denying, say mode: report)"
                );
                errors.add(&draft.at, what);
                break;
            }
        }
    }
}

/// From the first address of a prefix to its last.
fn span(address: IpAddr, length: u8) -> (u128, u128) {
    match address {
        IpAddr::V4(v4) => {
            let first = u128::from(v4.to_bits());
            (first, first + ((1u128 << (32 - length.min(32))) - 1))
        }
        IpAddr::V6(v6) => (v6.to_bits(), v6.to_bits() | u128::MAX.checked_shr(length.into()).unwrap_or(0)),
    }
}

/// Whether the spans, put in order, cover 0 to `last` without a hole.
fn covers_all(spans: &mut [(u128, u128)], last: u128) -> bool {
    spans.sort_unstable();
    let mut next = 0; // the first address that nothing covers yet
    for (first, to) in spans {
        if *first > next {
            return false;
        }
        if *to >= last {
            return true;
        }
        next = next.max(*to + 1);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_those_of_the_prefixes() {
        let of = |address: &str, length| span(address.parse().unwrap(), length);
        assert_eq!(of("0.0.0.0", 0), (0, u32::MAX.into()));
        assert_eq!(of("10.0.0.0", 8), (0x0a00_0000, 0x0aff_ffff));
        assert_eq!(of("10.0.0.7", 32), (0x0a00_0007, 0x0a00_0007));
        assert_eq!(of("::", 0), (0, u128::MAX));
        assert_eq!(of("fd00::", 8), (0xfd << 120, (0xfd << 120) | (u128::MAX >> 8)));
        assert_eq!(of("::1", 128), (1, 1));
    }

    #[test]
    fn a_hole_of_one_address_is_a_hole() {
        assert!(covers_all(&mut [(5, 9), (0, 4)], 9));
        assert!(covers_all(&mut [(0, 9), (2, 3)], 9));
        assert!(!covers_all(&mut [(0, 3), (5, 9)], 9));
        assert!(!covers_all(&mut [(1, 9)], 9));
        assert!(!covers_all(&mut [(0, 8)], 9));
        assert!(!covers_all(&mut [], 9));
    }
}
