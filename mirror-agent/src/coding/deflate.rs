//! gzip (RFC 1952), and what HTTP calls deflate: zlib (RFC 1950), or the bare format (RFC 1951) that some send for it.
//!
//! The members of a gzip body are taken apart here and not by flate2, which makes a new state for each: a megabyte
//! holds fifty thousand empty ones.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::Problem;
use super::room::Room;

/// What every gzip member begins with: its magic, and deflate as the method.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// Flags of a gzip header (RFC 1952, section 2.3.1).
mod flag {
    pub(super) const HEADER_CRC: u8 = 1 << 1;
    pub(super) const EXTRA: u8 = 1 << 2;
    pub(super) const NAME: u8 = 1 << 3;
    pub(super) const COMMENT: u8 = 1 << 4;
    pub(super) const RESERVED: u8 = 0b1110_0000;
}

pub(super) fn gzip(body: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    let mut room = Room::new(limit);
    let mut state = Decompress::new(false);
    let mut rest = member(&mut state, body, &mut room)?;
    while !rest.is_empty() {
        state.reset(false);
        rest = member(&mut state, rest, &mut room)?;
    }
    Ok(room.finish())
}

/// Browsers take both forms, and look at the first two bytes as we do: those of zlib would be a stored block with
/// padding that no encoder writes.
pub(super) fn deflate(body: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    let mut room = Room::new(limit);
    let [first, second, ..] = *body else { return Err(Problem::Truncated) };
    let is_zlib = first & 0x0f == 8 && first >> 4 <= 7 && u16::from_be_bytes([first, second]) % 31 == 0;
    let rest = inflate(&mut Decompress::new(is_zlib), body, &mut room)?;
    if rest.is_empty() { Ok(room.finish()) } else { Err(Problem::Corrupt) }
}

/// Decodes one member; returns what is behind it.
fn member<'b>(state: &mut Decompress, body: &'b [u8], room: &mut Room) -> Result<&'b [u8], Problem> {
    let start = room.len();
    let rest = inflate(state, header(body)?, room)?;
    let ([c0, c1, c2, c3, l0, l1, l2, l3], rest) = rest.split_first_chunk().ok_or(Problem::Truncated)?;
    let content = room.since(start);
    let mut crc = Crc::new();
    crc.update(content);
    let is_right = crc.sum() == u32::from_le_bytes([*c0, *c1, *c2, *c3])
        && content.len() as u32 == u32::from_le_bytes([*l0, *l1, *l2, *l3]);
    if is_right { Ok(rest) } else { Err(Problem::Corrupt) }
}

/// Reads a member's header; returns what is behind it.
fn header(body: &[u8]) -> Result<&[u8], Problem> {
    if body.iter().zip(MAGIC).any(|(&found, magic)| found != magic) {
        return Err(Problem::Corrupt);
    }
    let ([_, _, _, flags, ..], mut rest) = body.split_first_chunk::<10>().ok_or(Problem::Truncated)?;
    if flags & flag::RESERVED != 0 {
        return Err(Problem::Corrupt);
    }
    if flags & flag::EXTRA != 0 {
        let (len, extra) = rest.split_first_chunk().ok_or(Problem::Truncated)?;
        rest = extra.get(usize::from(u16::from_le_bytes(*len))..).ok_or(Problem::Truncated)?;
    }
    for text in [flag::NAME, flag::COMMENT] {
        if flags & text != 0 {
            let end = memchr::memchr(0, rest).ok_or(Problem::Truncated)?;
            rest = rest.get(end + 1..).unwrap_or_default();
        }
    }
    if flags & flag::HEADER_CRC == 0 {
        return Ok(rest);
    }
    let mut crc = Crc::new();
    crc.update(body.get(..body.len() - rest.len()).unwrap_or_default());
    let (found, rest) = rest.split_first_chunk().ok_or(Problem::Truncated)?;
    if crc.sum() as u16 == u16::from_le_bytes(*found) { Ok(rest) } else { Err(Problem::Corrupt) }
}

/// Decodes to the end of the stream; returns what is behind it.
fn inflate<'b>(state: &mut Decompress, body: &'b [u8], room: &mut Room) -> Result<&'b [u8], Problem> {
    let mut rest = body;
    loop {
        let before = (state.total_in(), state.total_out());
        let status = state.decompress(rest, room.free(), FlushDecompress::None);
        let status = status.map_err(|_| Problem::Corrupt)?;
        let (taken, written) = (state.total_in() - before.0, state.total_out() - before.1);
        rest = rest.get(taken as usize..).unwrap_or_default();
        room.filled(written as usize)?;
        match status {
            Status::StreamEnd => return Ok(rest),
            _ if taken == 0 && written == 0 => return Err(Problem::Truncated),
            _ => {}
        }
    }
}
