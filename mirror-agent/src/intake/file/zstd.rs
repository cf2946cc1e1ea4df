//! Zstandard (RFC 8878), frame after frame.
//!
//! The zstd crate's own reader drops what it decoded in the same call before it met a fault. Here the decoder is given
//! one block at a time, so every byte before the faulty block comes out.

use std::io::{BufRead, BufReader};

use zstd::stream::raw::{DParameter, Decoder, Operation, Status};

use super::error::Fault;
use super::stored::{Counted, peek};

/// A frame may ask for a window of this power of two at most: 128 MiB, what the zstd tool takes too unless told.
const WINDOW: u32 = 27;
/// The shortest frame header, with its magic.
const SHORTEST: usize = 5;
/// Bytes of a block's header. The decoder asks for a block and the header of the next; they are given one by one.
const BLOCK_HEADER: usize = 3;

/// A decoder of zstd frames.
pub(super) struct Zstd {
    input: BufReader<Counted>,
    decoder: Decoder<'static>,
    /// Bytes that the decoder gets next.
    wanted: usize,
    /// A frame has begun and has not ended.
    inside: bool,
    /// The last call filled all of its room in mid-frame: the decoder may hold more.
    full: bool,
}

impl Zstd {
    pub(super) fn new(input: BufReader<Counted>) -> Result<Zstd, Fault> {
        let mut decoder = Decoder::new().map_err(Fault::Read)?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW)).map_err(Fault::Read)?;
        Ok(Zstd { input, decoder, wanted: SHORTEST, inside: false, full: false })
    }

    pub(super) fn input(&self) -> &Counted {
        self.input.get_ref()
    }

    /// Decodes some bytes; 0 at the end of the last frame.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        loop {
            let flushing = self.full;
            let input: &[u8] = if flushing { &[] } else { peek(&mut self.input)? };
            if input.is_empty() && !flushing {
                return if self.inside { Err(Fault::PackingCut) } else { Ok(0) };
            }
            let block = input.get(..self.wanted).unwrap_or(input);
            let status = self.decoder.run_on_buffers(block, into);
            let status = status.map_err(|error| Fault::Packing(error.to_string()))?;
            self.note(&status, into.len());
            if status.bytes_written > 0 {
                return Ok(status.bytes_written);
            }
        }
    }

    fn note(&mut self, status: &Status, room: usize) {
        self.input.consume(status.bytes_read);
        self.inside = status.remaining > 0;
        self.full = self.inside && status.bytes_written == room;
        self.wanted = match status.remaining {
            0 => SHORTEST,
            asked if asked > BLOCK_HEADER => asked - BLOCK_HEADER,
            asked => asked,
        };
    }
}
