//! gzip (RFC 1952), member after member.
//!
//! flate2's own reader drops what it decoded in the same call before it met a fault, up to a whole buffer. Here every
//! byte before the fault comes out.

use std::io::{BufRead, BufReader};

use flate2::{Decompress, FlushDecompress, Status};

use super::error::Fault;
use super::stored::{Counted, peek};

/// The largest window that deflate has, as a power of two.
const WINDOW: u8 = 15;

/// A decoder of gzip members.
pub(super) struct Gzip {
    input: BufReader<Counted>,
    member: Decompress,
    /// A member has begun and has not ended.
    inside: bool,
    /// What went wrong behind bytes that were given first.
    fault: Option<Fault>,
}

impl Gzip {
    pub(super) fn new(input: BufReader<Counted>) -> Gzip {
        Gzip { input, member: Decompress::new_gzip(WINDOW), inside: false, fault: None }
    }

    pub(super) fn input(&self) -> &Counted {
        self.input.get_ref()
    }

    /// Decodes some bytes; 0 at the end of the last member.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        loop {
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            let written = self.step(into)?;
            if written > 0 || (!self.inside && peek(&mut self.input)?.is_empty()) {
                return Ok(written);
            }
        }
    }

    /// Gives the decoder what is at hand; returns how many bytes it wrote.
    fn step(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        let input = peek(&mut self.input)?;
        let before = (self.member.total_in(), self.member.total_out());
        let status = self.member.decompress(input, into, FlushDecompress::None);
        let taken = self.member.total_in() - before.0;
        let written = (self.member.total_out() - before.1) as usize;
        self.inside |= taken > 0;
        self.input.consume(taken as usize);
        match status {
            Ok(Status::StreamEnd) => {
                self.member = Decompress::new_gzip(WINDOW);
                self.inside = false;
            }
            Ok(_) if taken == 0 && written == 0 && self.inside => return Err(Fault::PackingCut),
            Ok(_) => {}
            // The decoder's own words depend on how the bytes came, and name the wrong thing where it fails fast.
            Err(_) => self.fault = Some(Fault::Packing("no gzip header, deflate data or checksum".into())),
        }
        Ok(written)
    }
}
