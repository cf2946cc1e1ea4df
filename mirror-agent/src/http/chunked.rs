//! The chunked transfer coding (RFC 9112, section 7.1).

use super::Limits;
use super::fields;
use super::head::{HeadBuf, Taken};
use super::problem::Problem;

/// Bytes of a chunk's first line. Longer extensions are an attack.
const LINE_MAX: usize = 4096;

/// Where in the framing the next byte stands. Lines end with CR LF here, always: the licence to accept a lone
/// line feed is for the head and the trailers only (RFC 9112, section 2.2).
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    limits: Limits,
}

#[derive(Debug)]
enum State {
    /// In a chunk's first line: the size so far, and the line's length so far.
    Size {
        size: Option<u64>,
        part: Part,
        line: usize,
    },
    /// So many content bytes to come. Zero: the line end behind them is next.
    Data(u64),
    /// The line feed behind the content is next.
    DataLf,
    Trailers(HeadBuf),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Digits,
    /// Whitespace, which no digit may follow.
    Padding,
    Extension,
    Lf,
}

const FIRST: State = State::Size { size: None, part: Part::Digits, line: 0 };

impl Chunked {
    pub(super) fn new(limits: Limits) -> Chunked {
        Chunked { state: FIRST, limits }
    }

    /// Takes bytes from the front of `data`, hands on the content among them. `true` when the body has ended.
    pub(super) fn advance(
        &mut self,
        data: &mut &[u8],
        content: &mut impl FnMut(&[u8]),
    ) -> Result<bool, Problem> {
        while let [first, rest @ ..] = *data {
            match &mut self.state {
                State::Data(left @ 1..) => {
                    let (now, later) =
                        data.split_at(data.len().min(usize::try_from(*left).unwrap_or(usize::MAX)));
                    content(now);
                    *left -= now.len() as u64;
                    *data = later;
                    continue;
                }
                State::Trailers(buf) => return trailers(buf, data, &self.limits),
                State::Size { size, part, line } => {
                    *line += 1;
                    if let Some(size) = size_line(*first, size, part, *line)? {
                        self.state =
                            if size == 0 { State::Trailers(HeadBuf::default()) } else { State::Data(size) };
                    }
                }
                State::Data(_) if *first == b'\r' => self.state = State::DataLf,
                State::DataLf if *first == b'\n' => self.state = FIRST,
                State::Data(_) | State::DataLf => return Err(Problem::Chunk),
            }
            *data = rest;
        }
        Ok(false)
    }

    /// Passes over `n` content bytes that were not seen; `false` if they need not all be content of one chunk.
    pub(super) fn skip(&mut self, n: u64) -> bool {
        match &mut self.state {
            State::Data(left) if n <= *left => {
                *left -= n;
                true
            }
            _ => false,
        }
    }

    pub(super) fn allocated(&self) -> usize {
        match &self.state {
            State::Trailers(buf) => buf.allocated(),
            _ => 0,
        }
    }
}

/// One byte of a chunk's first line; the chunk's size when it was the last.
fn size_line(byte: u8, size: &mut Option<u64>, part: &mut Part, line: usize) -> Result<Option<u64>, Problem> {
    if line > LINE_MAX {
        return Err(Problem::Chunk);
    }
    match (*part, byte) {
        (Part::Lf, b'\n') => return Ok(*size),
        (Part::Digits, _) if byte.is_ascii_hexdigit() => {
            let digit = char::from(byte).to_digit(16).unwrap_or_default();
            let shifted = size.unwrap_or(0).checked_mul(16).ok_or(Problem::Chunk)?;
            *size = Some(shifted | u64::from(digit));
        }
        _ if size.is_none() => return Err(Problem::Chunk),
        (Part::Digits | Part::Padding | Part::Extension, b'\r') => *part = Part::Lf,
        (Part::Digits | Part::Padding, b' ' | b'\t') => *part = Part::Padding,
        (Part::Digits | Part::Padding, b';') => *part = Part::Extension,
        (Part::Extension, b'\t' | b' '..=b'~' | 0x80..) => {}
        _ => return Err(Problem::Chunk),
    }
    Ok(None)
}

fn trailers(buf: &mut HeadBuf, data: &mut &[u8], limits: &Limits) -> Result<bool, Problem> {
    match buf.take(data, limits.head) {
        Taken::More => Ok(false),
        Taken::TooLong => Err(Problem::HeadTooLong),
        Taken::Whole(block) => {
            fields::check_trailers(&block, limits.headers)?;
            Ok(true)
        }
    }
}
