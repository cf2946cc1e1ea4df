//! Many connections in one capture, in the order of time, and the truth about them.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use pcap_file::pcap::{PcapHeader, PcapPacket, PcapTsResolution, PcapWriter};
use pcap_file::{DataLink, Endianness};

use super::dialogue::Dialogue;
use super::frame::{Dress, frame};
use super::kinds::dialogue;
use super::rng::Rng;
use super::tcp::{ACK, SYN, Segment, carry};
use super::truth::{Connection, Exchange, Fate, Feature, Message, Side};

/// When captures begin: some day in 2025.
const EPOCH: u64 = 1_750_000_000_000_000_000;

/// What a capture is made of.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many connections.
    pub connections: usize,
    /// Whether the network retransmits, reorders, probes and so on; else it only carries.
    pub quirks: bool,
    /// Whether frames of some connections are missing by their kind: SYNs, or a whole direction.
    pub partial: bool,
    /// Whether some bodies look like messages.
    pub decoys: bool,
}

/// A frame and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed {
    /// When it passed.
    pub at: u64,
    /// Its bytes, as many as were kept.
    pub bytes: Vec<u8>,
    /// Its length on the wire.
    pub len: usize,
    /// Index of its connection.
    pub connection: usize,
    /// Who sent it.
    pub from: Side,
    /// Where its payload lies in its direction, from and to; before the first byte it is negative.
    pub place: (i64, i64),
}

/// A capture without damage.
#[derive(Clone, Debug)]
pub struct Capture {
    /// In the order of time.
    pub frames: Vec<Timed>,
    /// In the order in which they begin.
    pub connections: Vec<Connection>,
}

impl Capture {
    /// The capture of this seed.
    pub fn new(seed: u64, options: Options) -> Capture {
        let mut rng = Rng::new(seed);
        let mut capture = Capture { frames: Vec::new(), connections: Vec::new() };
        let mut start = EPOCH + rng.between(0, 1_000_000_000);
        let mut reuse = None;
        for index in 0..options.connections {
            start += rng.between(0, 30_000_000);
            let (ends, begin) = match reuse.take() {
                Some((ends, over)) => (ends, over + rng.between(1_000_000, 2_000_000_000)),
                None => (ends(&mut rng, index), start),
            };
            let mut said = dialogue(&mut rng, &format!("c{index}"), options.decoys);
            if capture.connections.iter().any(|other| (other.client, other.server) == ends) {
                said.features.insert(Feature::PortReuse);
            }
            let over = capture.add(&mut rng, ends, said, begin, options);
            reuse = rng.chance(60).then_some((ends, over));
        }
        capture.frames.sort_by_key(|frame| frame.at);
        capture
    }

    /// Adds a connection, and returns when it is over.
    fn add(
        &mut self,
        rng: &mut Rng,
        (client, server): (SocketAddr, SocketAddr),
        mut said: Dialogue,
        start: u64,
        options: Options,
    ) -> u64 {
        let mut segments = carry(rng, &mut said, start, options.quirks);
        let over = segments.last().map_or(start, |segment| segment.at);
        // A second connection on the same ports that shows no SYN is not told from the first.
        if options.partial && !said.features.contains(&Feature::PortReuse) {
            leave_out(rng, &mut said, &mut segments);
        }
        tell_times(&mut said.exchanges, &segments, [said.streams[0].len(), said.streams[1].len()]);
        let dress =
            Dress { timestamps: rng.chance(500), padded: rng.chance(500), offloaded: rng.chance(200) };
        let connection = self.connections.len();
        self.frames.extend(segments.iter().map(|segment| {
            let bytes = frame(segment, client, server, dress);
            let place = (segment.place, segment.place + segment.payload.len() as i64);
            Timed { at: segment.at, len: bytes.len(), bytes, connection, from: segment.from, place }
        }));
        let (exchanges, features) = (said.exchanges, said.features);
        self.connections.push(Connection { client, server, exchanges, features });
        over
    }

    /// Every exchange of every connection.
    pub fn exchanges(&self) -> impl Iterator<Item = (&Connection, &Exchange)> {
        self.connections
            .iter()
            .flat_map(|connection| connection.exchanges.iter().map(move |exchange| (connection, exchange)))
    }
}

/// Writes a pcap file with times in nanoseconds, of Ethernet frames, in the order given.
///
/// # Errors
///
/// When `to` cannot be written to.
pub fn write(to: impl io::Write, frames: &[Timed]) -> io::Result<()> {
    let header = PcapHeader {
        snaplen: 262_144,
        datalink: DataLink::ETHERNET,
        ts_resolution: PcapTsResolution::NanoSecond,
        endianness: Endianness::Little,
        ..PcapHeader::default()
    };
    let mut writer = PcapWriter::with_header(to, header).map_err(io::Error::other)?;
    for frame in frames {
        let at = Duration::from_nanos(frame.at);
        let packet = PcapPacket::new(at, frame.len as u32, &frame.bytes[..]).map_err(io::Error::other)?;
        writer.write_packet(&packet).map_err(io::Error::other)?;
    }
    Ok(())
}

/// A client and a server, the client like no other.
fn ends(rng: &mut Rng, index: usize) -> (SocketAddr, SocketAddr) {
    let (port, host, service) = (20_000 + index as u16, rng.between(1, 200) as u16, rng.pick(&[80, 8080]));
    if rng.chance(300) {
        let client = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, host);
        let server = Ipv6Addr::new(0xfd00, 1, 0, 0, 0, 0, 0, 1);
        ((client, port).into(), (server, service).into())
    } else {
        let client = Ipv4Addr::new(10, 0, 0, host as u8);
        ((client, port).into(), (Ipv4Addr::new(10, 1, 0, 1), service).into())
    }
}

/// Frames that a capture does not have because of where or when it was taken.
fn leave_out(rng: &mut Rng, said: &mut Dialogue, segments: &mut Vec<Segment>) {
    let feature = match rng.between(0, 99) {
        0..5 => Feature::NoSyn,
        5..10 => Feature::NoSynAck,
        10..13 => Feature::ClientOnly,
        13..16 => Feature::ServerOnly,
        _ => return,
    };
    said.features.insert(feature);
    segments.retain(|segment| match feature {
        Feature::NoSyn => segment.flags & SYN == 0 || segment.flags & ACK != 0,
        Feature::NoSynAck => segment.flags & SYN == 0 || segment.flags & ACK == 0,
        Feature::ClientOnly => segment.from == Side::Client,
        _ => segment.from == Side::Server,
    });
    let lost_data = said.features.contains(&Feature::FastOpen) && feature == Feature::NoSyn;
    for exchange in &mut said.exchanges {
        exchange.fate = match feature {
            Feature::ClientOnly | Feature::ServerOnly => Fate::Broken,
            _ if lost_data => Fate::Unsure,
            _ => exchange.fate,
        };
    }
}

/// When the bytes of each message were there: a byte is there when it and all before it were seen.
fn tell_times(exchanges: &mut [Exchange], segments: &[Segment], lens: [usize; 2]) {
    let times = [Side::Client, Side::Server].map(|side| times(side, segments, lens[side as usize]));
    let tell = |message: &mut Message, times: &[u64]| {
        message.first_ns = times[message.place.start];
        message.last_ns = times[message.place.end - 1];
    };
    for exchange in exchanges {
        // A request whose body was never sent has no last byte: its place ends behind what was sent.
        exchange.request.place.end = exchange.request.place.end.min(lens[0]);
        tell(&mut exchange.request, &times[0]);
        if let Some((_, response)) = &mut exchange.response {
            tell(response, &times[1]);
        }
    }
}

/// A time for each byte of a direction, `u64::MAX` if it is never there. Plain on purpose.
fn times(side: Side, segments: &[Segment], len: usize) -> Vec<u64> {
    let mut times = vec![u64::MAX; len];
    for segment in segments.iter().filter(|segment| segment.from == side) {
        for offset in 0..segment.payload.len() as i64 {
            if let Ok(place) = usize::try_from(segment.place + offset)
                && let Some(time) = times.get_mut(place)
            {
                *time = segment.at.min(*time);
            }
        }
    }
    let mut latest = 0;
    for time in &mut times {
        latest = latest.max(*time);
        *time = latest;
    }
    times
}
