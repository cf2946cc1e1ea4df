//! Finds the end of a body, and the content within its framing.

use super::Limits;
use super::chunked::Chunked;
use super::framing::Framing;
use super::problem::Problem;

/// A body that is being read.
#[derive(Debug)]
pub(super) enum BodyReader {
    /// So many bytes to come.
    Length(u64),
    /// In chunks.
    Chunked(Chunked),
    /// Whatever comes until the end of the connection.
    Close,
}

impl BodyReader {
    pub(super) fn new(framing: Framing, limits: Limits) -> BodyReader {
        match framing {
            Framing::Length(length) => BodyReader::Length(length),
            Framing::Chunked => BodyReader::Chunked(Chunked::new(limits)),
            Framing::Close => BodyReader::Close,
        }
    }

    /// Takes bytes from the front of `data`, hands on the content among them. `true` when the body has ended.
    pub(super) fn advance(
        &mut self,
        data: &mut &[u8],
        content: &mut impl FnMut(&[u8]),
    ) -> Result<bool, Problem> {
        match self {
            BodyReader::Chunked(chunked) => return chunked.advance(data, content),
            BodyReader::Close => {
                if !data.is_empty() {
                    content(data);
                }
                *data = &[];
            }
            BodyReader::Length(left) => {
                let (now, later) =
                    data.split_at(data.len().min(usize::try_from(*left).unwrap_or(usize::MAX)));
                if !now.is_empty() {
                    content(now);
                }
                *left -= now.len() as u64;
                *data = later;
            }
        }
        Ok(matches!(self, BodyReader::Length(0)))
    }

    /// Passes over `n` bytes that were not seen; `false` if they need not all be content of this body.
    pub(super) fn skip(&mut self, n: u64) -> bool {
        match self {
            BodyReader::Chunked(chunked) => chunked.skip(n),
            BodyReader::Close => true,
            BodyReader::Length(left) if n <= *left => {
                *left -= n;
                true
            }
            BodyReader::Length(_) => false,
        }
    }

    pub(super) fn allocated(&self) -> usize {
        match self {
            BodyReader::Chunked(chunked) => chunked.allocated(),
            _ => 0,
        }
    }
}
