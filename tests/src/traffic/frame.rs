//! Segments as Ethernet frames, with checksums as they should be or as an offloading sender leaves them.

use std::net::{IpAddr, SocketAddr};

use super::tcp::{SYN, Segment};
use super::truth::Side;

const TCP: u8 = 6;
const TTL: u8 = 64;
/// What a short frame is filled up to, without its checksum (IEEE 802.3, 3.2.7).
const SHORTEST: usize = 60;

/// How a connection's frames are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dress {
    /// With timestamps (RFC 7323).
    pub timestamps: bool,
    /// Short frames are filled up, with anything.
    pub padded: bool,
    /// The checksum covers the pseudo header only.
    pub offloaded: bool,
}

/// The frame of a segment.
pub(super) fn frame(segment: &Segment, client: SocketAddr, server: SocketAddr, dress: Dress) -> Vec<u8> {
    let (from, to) = if segment.from == Side::Client { (client, server) } else { (server, client) };
    let tcp = tcp(segment, from, to, dress);
    let mut frame = Vec::with_capacity(54 + tcp.len());
    frame.extend([2, 0, 0, 0, 0, 2 - segment.from as u8]);
    frame.extend([2, 0, 0, 0, 0, 1 + segment.from as u8]);
    match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            frame.extend([0x08, 0x00]);
            let mut header = vec![0x45, 0];
            header.extend((tcp.len() as u16 + 20).to_be_bytes());
            header.extend([segment.at as u8, segment.seq as u8, 0x40, 0, TTL, TCP, 0, 0]);
            header.extend(from.octets().into_iter().chain(to.octets()));
            let checksum = !fold(sum(&header));
            header[10..12].copy_from_slice(&checksum.to_be_bytes());
            frame.extend(header);
        }
        (from, to) => {
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            frame.extend((tcp.len() as u16).to_be_bytes());
            frame.extend([TCP, TTL]);
            frame.extend(octets(from).into_iter().chain(octets(to)));
        }
    }
    frame.extend(tcp);
    if dress.padded && frame.len() < SHORTEST {
        frame.resize(SHORTEST, 0xa5);
    }
    frame
}

fn tcp(segment: &Segment, from: SocketAddr, to: SocketAddr, dress: Dress) -> Vec<u8> {
    let options = options(segment, dress);
    let mut tcp = Vec::with_capacity(20 + options.len() + segment.payload.len());
    tcp.extend(from.port().to_be_bytes());
    tcp.extend(to.port().to_be_bytes());
    tcp.extend(segment.seq.to_be_bytes());
    tcp.extend(segment.ack.to_be_bytes());
    tcp.extend([((20 + options.len()) / 4 * 16) as u8, segment.flags]);
    tcp.extend(segment.window.to_be_bytes());
    tcp.extend([0, 0, 0, 0]);
    tcp.extend(options);
    tcp.extend(&segment.payload);
    let length = tcp.len() as u32;
    let pseudo = sum(&octets(from.ip())) + sum(&octets(to.ip())) + u32::from(TCP) + length;
    let checksum = if dress.offloaded { fold(pseudo) } else { !fold(pseudo + sum(&tcp)) };
    tcp[16..18].copy_from_slice(&checksum.to_be_bytes());
    tcp
}

fn options(segment: &Segment, dress: Dress) -> Vec<u8> {
    let mut options = Vec::new();
    if segment.flags & SYN != 0 {
        options.extend([2, 4, 0x05, 0xb4]);
        if !segment.payload.is_empty() {
            options.extend([34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1]);
        }
    }
    if dress.timestamps {
        options.extend([1, 1, 8, 10]);
        options.extend(((segment.at / 1_000_000) as u32).to_be_bytes());
        options.extend([0, 0, 0, 1]);
    }
    options
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The sum of the Internet checksum (RFC 1071), not yet folded.
fn sum(bytes: &[u8]) -> u32 {
    let word = |pair: &[u8]| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
    bytes.chunks(2).map(word).sum()
}

fn fold(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 1071, section 3.
    #[test]
    fn the_checksum_is_the_one_of_the_rfc() {
        assert_eq!(fold(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7])), 0xddf2);
    }
}
