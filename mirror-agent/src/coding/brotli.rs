//! Brotli (RFC 7932). Its window is 16 MiB at most; larger ones are an extension that HTTP does not have.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::Problem;
use super::room::Room;

pub(super) fn decode(body: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    let alloc = StandardAlloc::default;
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let mut room = Room::new(limit);
    let (mut left, mut read, mut total) = (body.len(), 0, 0);
    loop {
        let free = room.free();
        let (mut unfilled, mut written) = (free.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut read,
            body,
            &mut unfilled,
            &mut written,
            free,
            &mut total,
            &mut state,
        );
        room.filled(written)?;
        match result {
            BrotliResult::ResultSuccess if left == 0 => return Ok(room.finish()),
            BrotliResult::NeedsMoreInput => return Err(Problem::Truncated),
            BrotliResult::NeedsMoreOutput if written > 0 => {}
            _ => return Err(Problem::Corrupt),
        }
    }
}
