//! Packets without tags and IP options whose headers lie in one piece: read in place, without a call.

use core::arch::asm;

use aya_ebpf::programs::TcContext;
use mirror_common::count::Skip;
use mirror_common::flow::{TCP, UDP, mapped};
use mirror_common::policy::Control;

use super::{ETHERNET, IPV4, IPV6, Packet, QINQ, RAW, VLAN, WITH_STAMPS, end_of, refuse_unknown};

/// The headers of IPv4 without options, IPv6 without extensions, UDP, and TCP without options.
const IPV4_HEADER: u32 = 20;
const IPV6_HEADER: u32 = 40;
const UDP_HEADER: u32 = 8;
const TCP_HEADER: u32 = 20;

/// The part of a packet that lies in one piece.
#[derive(Clone, Copy)]
struct Piece {
    start: usize,
    end: usize,
}

impl Piece {
    #[inline(always)]
    fn has(self, bytes: u32) -> bool {
        self.start + bytes as usize <= self.end
    }

    /// Four bytes, as they stand there.
    ///
    /// # Safety
    ///
    /// [`Piece::has`] must have said that they are there; else the program does not load.
    #[inline(always)]
    unsafe fn raw(self, at: u32) -> u32 {
        let word: u64;
        // In assembly, because nothing aligns a packet: the compiler would put the word together from bytes.
        // SAFETY: as the caller promises, and the processor takes any alignment.
        unsafe {
            asm!("{0} = *(u32 *)({1} + 0)", out(reg) word, in(reg) self.start + at as usize,
                options(nostack, pure, readonly));
        }
        word as u32
    }

    /// Four bytes, as a number.
    ///
    /// # Safety
    ///
    /// As of [`Piece::raw`].
    #[inline(always)]
    unsafe fn word(self, at: u32) -> u32 {
        // SAFETY: as the caller promises.
        u32::from_be(unsafe { self.raw(at) })
    }
}

/// Parses a plain packet; says `false` of one that is not plain.
#[inline(always)]
pub fn parse<const LINK: u32>(ctx: &TcContext, control: &Control, packet: &mut Packet) -> Result<bool, Skip> {
    let piece = Piece { start: ctx.data(), end: ctx.data_end() };
    if !piece.has(LINK + IPV4_HEADER + UDP_HEADER) {
        return Ok(false);
    }
    // SAFETY: the bytes are there.
    match unsafe { ethertype::<LINK>(piece) } {
        IPV4 => ipv4::<LINK>(ctx, control, piece, packet),
        IPV6 => ipv6::<LINK>(ctx, control, piece, packet),
        VLAN | QINQ => Ok(false),
        _ => Err(Skip::NotIp),
    }
}

/// # Safety
///
/// As of [`Piece::raw`].
#[inline(always)]
unsafe fn ethertype<const LINK: u32>(piece: Piece) -> u16 {
    if LINK == RAW {
        // SAFETY: as the caller promises.
        return match unsafe { piece.word(0) } >> 28 {
            4 => IPV4,
            6 => IPV6,
            _ => 0,
        };
    }
    // SAFETY: as the caller promises.
    unsafe { piece.word(ETHERNET - 4) as u16 }
}

#[inline(always)]
fn ipv4<const LINK: u32>(
    ctx: &TcContext,
    control: &Control,
    piece: Piece,
    packet: &mut Packet,
) -> Result<bool, Skip> {
    // SAFETY: the caller has looked.
    let (first, second, third) = unsafe { (piece.word(LINK), piece.word(LINK + 4), piece.word(LINK + 8)) };
    let total = first & 0xffff;
    if first >> 24 != 0x45 || (total != 0 && total < IPV4_HEADER + UDP_HEADER) {
        return Ok(false);
    }
    if second & 0x1fff != 0 {
        return Err(Skip::LaterFragment);
    }
    // SAFETY: as above.
    let (source, target) = unsafe { (piece.raw(LINK + 12), piece.raw(LINK + 16)) };
    packet.source = mapped(source);
    packet.target = mapped(target);
    let end = end_of(ctx, LINK, total);
    transport(control, piece, (third >> 16) as u8, LINK + IPV4_HEADER, end, packet)
}

#[inline(always)]
fn ipv6<const LINK: u32>(
    ctx: &TcContext,
    control: &Control,
    piece: Piece,
    packet: &mut Packet,
) -> Result<bool, Skip> {
    if !piece.has(LINK + IPV6_HEADER + UDP_HEADER) {
        return Ok(false);
    }
    // SAFETY: the bytes are there.
    let (first, second) = unsafe { (piece.word(LINK), piece.word(LINK + 4)) };
    let (claimed, protocol) = (second >> 16, (second >> 8) as u8);
    if first >> 28 != 6 || (protocol != TCP && protocol != UDP) || (claimed != 0 && claimed < UDP_HEADER) {
        return Ok(false); // extension headers, most likely
    }
    for i in 0..4 {
        // SAFETY: as above.
        unsafe {
            packet.source[i] = piece.raw(LINK + 8 + i as u32 * 4);
            packet.target[i] = piece.raw(LINK + 24 + i as u32 * 4);
        }
    }
    let total = if claimed == 0 { 0 } else { claimed + IPV6_HEADER };
    let end = end_of(ctx, LINK, total);
    transport(control, piece, protocol, LINK + IPV6_HEADER, end, packet)
}

/// Eight bytes of it are known to be there.
#[inline(always)]
fn transport(
    control: &Control,
    piece: Piece,
    protocol: u8,
    at: u32,
    end: u32,
    packet: &mut Packet,
) -> Result<bool, Skip> {
    if protocol != TCP && protocol != UDP {
        return Err(Skip::OtherProtocol);
    }
    // SAFETY: as the caller says.
    let ports = unsafe { piece.word(at) };
    packet.source_port = ((ports >> 16) as u16).to_be();
    packet.target_port = (ports as u16).to_be();
    refuse_unknown(control, packet.source_port, packet.target_port)?;
    packet.protocol = protocol;
    if protocol == TCP {
        return segment(piece, at, end, packet);
    }
    packet.segment.set_datagram(at + UDP_HEADER, end - at - UDP_HEADER);
    Ok(true)
}

#[inline(always)]
fn segment(piece: Piece, at: u32, end: u32, packet: &mut Packet) -> Result<bool, Skip> {
    if !piece.has(at + TCP_HEADER) {
        return Ok(false);
    }
    // SAFETY: the bytes are there.
    let header = unsafe { [piece.word(at + 4), piece.word(at + 8), piece.word(at + 12)] };
    let header_len = (header[2] >> 28) * 4;
    let payload_at = at + header_len;
    if header_len < TCP_HEADER || payload_at > end {
        return Err(Skip::Malformed);
    }
    packet.segment.set_segment(header, payload_at, end - payload_at);
    if header_len >= WITH_STAMPS {
        if !piece.has(at + WITH_STAMPS) {
            return Ok(false);
        }
        // SAFETY: the bytes are there.
        packet.segment.set_stamps(unsafe { [piece.word(at + 20), piece.word(at + 24), piece.word(at + 28)] });
    }
    Ok(true)
}
