//! Prefixes of client addresses, and ranges of their ports: what a rule names.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A prefix of one family: an IPv6 prefix names no IPv4 client, however short it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

/// Ports from the lowest to the highest, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ports {
    /// The lowest.
    pub low: u16,
    /// The highest; not below the lowest.
    pub high: u16,
}

impl Prefix {
    /// Every client, of both families.
    pub const ALL: [Prefix; 2] = [
        Prefix { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), length: 0 },
        Prefix { address: IpAddr::V6(Ipv6Addr::UNSPECIFIED), length: 0 },
    ];

    /// Reads `10.0.0.0/8`, `fd00::/8`, or a single address. IPv4 mapped into IPv6 becomes plain IPv4.
    ///
    /// # Errors
    /// Why it is none; bits behind the prefix are most likely a slip, and are refused.
    pub fn parse(text: &str) -> Result<Prefix, String> {
        let malformed =
            || format!("{text:?} is not a prefix: write for example 10.0.0.0/8, fd00::/8 or 10.0.0.7");
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| malformed())?;
        let whole = bits_of(address);
        let length = match length {
            None => whole,
            Some(length) if length.bytes().all(|b| b.is_ascii_digit()) => {
                length.parse().map_err(|_| malformed())?
            }
            Some(_) => return Err(malformed()),
        };
        if length > whole {
            return Err(format!("{text} is longer than the {whole} bits of its address"));
        }
        let prefix = Prefix { address, length };
        if prefix.network() != address {
            return Err(format!(
                "{text} has bits behind its prefix: is {}/{length} meant?",
                prefix.network()
            ));
        }
        Ok(prefix.canonical())
    }

    /// The address, all zeros behind the prefix.
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// Its length in bits, at most 32 or 128.
    pub fn length(self) -> u8 {
        self.length
    }

    /// Whether every client that `other` names is named by this one too.
    pub fn covers(self, other: Prefix) -> bool {
        self.length <= other.length && self.contains(other.address)
    }

    /// Whether it names this client.
    pub fn contains(self, client: IpAddr) -> bool {
        let client = client.to_canonical();
        client.is_ipv4() == self.address.is_ipv4()
            && Prefix { address: client, length: self.length }.network() == self.address
    }

    fn network(self) -> IpAddr {
        match self.address {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.length)).unwrap_or(0);
                Ipv4Addr::from_bits(ip.to_bits() & mask).into()
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.length)).unwrap_or(0);
                Ipv6Addr::from_bits(ip.to_bits() & mask).into()
            }
        }
    }

    fn canonical(self) -> Prefix {
        match self.address.to_canonical() {
            address @ IpAddr::V4(_) if self.address.is_ipv6() && self.length >= 96 => {
                Prefix { address, length: self.length - 96 }
            }
            _ => self,
        }
    }
}

impl Ports {
    /// Every port.
    pub const ALL: Ports = Ports { low: 0, high: u16::MAX };

    /// Reads `5000` or `40000-40099`.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Ports, String> {
        let malformed = || format!("{text:?} is neither a port nor a range: write for example 40000-40099");
        let port = |text: &str| match text.bytes().all(|b| b.is_ascii_digit()) {
            true => text.parse::<u16>().map_err(|_| malformed()),
            false => Err(malformed()),
        };
        let (low, high) = text.split_once('-').unwrap_or((text, text));
        let (low, high) = (port(low)?, port(high)?);
        if high < low {
            return Err(format!("{text} is out of order: is {high}-{low} meant?"));
        }
        Ok(Ports { low, high })
    }

    /// Whether `other` has no port that this range has not.
    pub fn covers(self, other: Ports) -> bool {
        self.low <= other.low && other.high <= self.high
    }

    /// Whether the port is in it.
    pub fn contains(self, port: u16) -> bool {
        self.low <= port && port <= self.high
    }

    /// The same ports in as few ranges as can be, in order: each takes a slot in the kernel.
    pub fn merge(mut ranges: Vec<Ports>) -> Vec<Ports> {
        ranges.sort_unstable();
        let mut merged: Vec<Ports> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if u32::from(range.low) <= u32::from(last.high) + 1 => {
                    last.high = last.high.max(range.high);
                }
                _ => merged.push(range),
            }
        }
        merged
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low == self.high {
            write!(f, "{}", self.low)
        } else {
            write!(f, "{}-{}", self.low, self.high)
        }
    }
}

fn bits_of(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        Prefix::parse(text).unwrap()
    }

    #[test]
    fn a_prefix_is_read_and_shown() {
        let cases = [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.0.0.7", "10.0.0.7/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("fd00::/8", "fd00::/8"),
            ("::/0", "::/0"),
            ("::1", "::1/128"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
        ];
        for (text, shown) in cases {
            assert_eq!(prefix(text).to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_prefix_is_refused_with_a_reason() {
        let cases = [
            ("10.0.0.1/8", "10.0.0.1/8 has bits behind its prefix: is 10.0.0.0/8 meant?"),
            ("fd00::1/64", "fd00::1/64 has bits behind its prefix: is fd00::/64 meant?"),
            ("10.0.0.0/33", "10.0.0.0/33 is longer than the 32 bits of its address"),
            ("::/129", "::/129 is longer than the 128 bits of its address"),
        ];
        for (text, why) in cases {
            assert_eq!(Prefix::parse(text).unwrap_err(), why);
        }
        for text in ["", "/", "10.0.0/8", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/8/8", "team", "10.0.0.0/999"]
        {
            assert!(Prefix::parse(text).unwrap_err().contains("is not a prefix"), "{text}");
        }
    }

    #[test]
    fn families_are_apart() {
        assert!(prefix("::/0").contains("fd00::1".parse().unwrap()));
        assert!(!prefix("::/0").contains("10.0.0.1".parse().unwrap()));
        assert!(prefix("0.0.0.0/0").contains("::ffff:10.0.0.1".parse().unwrap()));
        assert!(!prefix("::/0").covers(prefix("10.0.0.0/8")));
        assert!(prefix("10.0.0.0/8").covers(prefix("10.1.0.0/16")));
        assert!(!prefix("10.1.0.0/16").covers(prefix("10.0.0.0/8")));
    }

    #[test]
    fn ports_are_read_and_merged() {
        let ranges = ["7-9", "5", "6", "20-30", "25-26", "65535"].map(|text| Ports::parse(text).unwrap());
        let merged: Vec<_> = Ports::merge(ranges.to_vec()).iter().map(Ports::to_string).collect();
        assert_eq!(merged, ["5-9", "20-30", "65535"]);
        assert_eq!(Ports::parse("9-7").unwrap_err(), "9-7 is out of order: is 7-9 meant?");
        for text in ["", "-", "1-", "65536", "a", "1-2-3", "+1"] {
            assert!(Ports::parse(text).unwrap_err().contains("neither a port nor a range"), "{text}");
        }
    }
}
