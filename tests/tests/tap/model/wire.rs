//! A packet read from its bytes, one after another.

/// Address (IPv4 in its mapped form) and port.
pub type End = ([u8; 16], u16);

/// What a packet says.
#[derive(Debug)]
pub struct Seen<'a> {
    pub from: End,
    pub to: End,
    pub tcp: bool,
    pub fin: bool,
    pub syn: bool,
    pub rst: bool,
    pub ack: bool,
    pub sequence: u32,
    pub acknowledged: u32,
    /// Its time stamp and the one that it echoes, where they are laid out as RFC 7323 (appendix A) has it.
    pub stamps: Option<[u32; 2]>,
    pub payload: &'a [u8],
}

fn word(bytes: &[u8], at: usize) -> Result<u32, &'static str> {
    let bytes = bytes.get(at..at + 4).ok_or("malformed")?;
    Ok(bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)))
}

fn half(bytes: &[u8], at: usize) -> Result<u16, &'static str> {
    let bytes = bytes.get(at..at + 2).ok_or("malformed")?;
    Ok(u16::from(bytes[0]) << 8 | u16::from(bytes[1]))
}

/// Reads a packet, or says why it is passed unread.
pub fn parse(frame: &[u8], raw: bool) -> Result<Seen<'_>, &'static str> {
    let (kind, packet) = if raw {
        match frame.first().ok_or("malformed")? >> 4 {
            4 => (0x0800, frame),
            6 => (0x86dd, frame),
            _ => return Err("not_ip"),
        }
    } else {
        link(frame)?
    };
    let (addresses, protocol, transport) = match kind {
        0x0800 => ipv4(packet)?,
        0x86dd => ipv6(packet)?,
        _ => return Err("not_ip"),
    };
    match protocol {
        6 => tcp(addresses, transport?),
        17 => udp(addresses, transport?),
        _ => Err("other_protocol"),
    }
}

fn link(frame: &[u8]) -> Result<(u16, &[u8]), &'static str> {
    let (mut kind, mut at) = (half(frame, 12)?, 14);
    let is_tag = |kind| kind == 0x8100 || kind == 0x88a8;
    while is_tag(kind) {
        if at == 14 + 2 * 4 {
            return Err("too_deep");
        }
        kind = half(frame, at + 2)?;
        at += 4;
    }
    Ok((kind, frame.get(at..).unwrap_or_default()))
}

type Network<'a> = ([[u8; 16]; 2], u8, Result<&'a [u8], &'static str>);

/// What the packet claims of itself, where it is not cut short. A claim of 0 is left by segmentation offload.
fn claimed(packet: &[u8], from: usize, claimed: usize) -> Result<&[u8], &'static str> {
    let end = if claimed == 0 { packet.len() } else { claimed.min(packet.len()) };
    packet.get(from..end).ok_or("malformed")
}

fn ipv4(packet: &[u8]) -> Result<Network<'_>, &'static str> {
    let header = packet.get(..20).ok_or("malformed")?;
    let (header_len, total) = (usize::from(header[0] & 15) * 4, usize::from(half(packet, 2)?));
    if header[0] >> 4 != 4 || header_len < 20 || (total != 0 && total < header_len) {
        return Err("malformed");
    }
    if half(packet, 6)? & 0x1fff != 0 {
        return Err("later_fragment");
    }
    let address = |at: usize| {
        let mut address = [0; 16];
        (address[10], address[11]) = (0xff, 0xff);
        address[12..].copy_from_slice(&header[at..at + 4]);
        address
    };
    Ok(([address(12), address(16)], header[9], claimed(packet, header_len, total)))
}

fn ipv6(packet: &[u8]) -> Result<Network<'_>, &'static str> {
    let header = packet.get(..40).ok_or("malformed")?;
    if header[0] >> 4 != 6 {
        return Err("malformed");
    }
    let len = usize::from(half(packet, 4)?);
    let (mut kind, mut at, mut walked) = (header[6], 40, 0);
    while [0, 43, 44, 51, 60].contains(&kind) {
        if walked == 6 {
            return Err("too_deep");
        }
        let extension = packet.get(at..at + 4).ok_or("malformed")?;
        if kind == 44 && half(extension, 2)? >> 3 != 0 {
            return Err("later_fragment");
        }
        at += match kind {
            44 => 8,
            51 => 4 * (usize::from(extension[1]) + 2),
            _ => 8 * (usize::from(extension[1]) + 1),
        };
        kind = extension[0];
        walked += 1;
    }
    let address = |at: usize| header[at..at + 16].try_into().unwrap();
    Ok(([address(8), address(24)], kind, claimed(packet, at, if len == 0 { 0 } else { 40 + len })))
}

fn tcp([from, to]: [[u8; 16]; 2], segment: &[u8]) -> Result<Seen<'_>, &'static str> {
    let header = segment.get(..20).ok_or("malformed")?;
    let header_len = usize::from(header[12] >> 4) * 4;
    if header_len < 20 || header_len > segment.len() {
        return Err("malformed");
    }
    let stamps = (header_len >= 32 && segment[20..24] == [1, 1, 8, 10])
        .then(|| [word(segment, 24).unwrap(), word(segment, 28).unwrap()]);
    let flag = |bit: u8| header[13] & bit != 0;
    Ok(Seen {
        from: (from, half(header, 0)?),
        to: (to, half(header, 2)?),
        tcp: true,
        fin: flag(1),
        syn: flag(2),
        rst: flag(4),
        ack: flag(16),
        sequence: word(header, 4)?,
        acknowledged: word(header, 8)?,
        stamps,
        payload: &segment[header_len..],
    })
}

fn udp([from, to]: [[u8; 16]; 2], datagram: &[u8]) -> Result<Seen<'_>, &'static str> {
    let payload = datagram.get(8..).ok_or("malformed")?;
    let (from, to) = ((from, half(datagram, 0)?), (to, half(datagram, 2)?));
    let (fin, syn, rst, ack) = (false, false, false, false);
    let (sequence, acknowledged, stamps) = (0, 0, None);
    Ok(Seen { from, to, tcp: false, fin, syn, rst, ack, sequence, acknowledged, stamps, payload })
}
