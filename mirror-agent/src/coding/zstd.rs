//! Zstandard (RFC 8878), frame after frame, with the window that HTTP allows (RFC 9659).

use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge as WINDOW_TOO_LARGE;
use zstd::zstd_safe::{DCtx, DParameter, ErrorCode, InBuffer, OutBuffer, is_error_kind};

use super::Problem;
use super::room::Room;

/// A frame may ask for a window of this power of two at most: 8 MiB (RFC 9659, section 3).
const WINDOW: u32 = 23;

pub(super) fn decode(body: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    let mut context = DCtx::create();
    context.set_parameter(DParameter::WindowLogMax(WINDOW)).map_err(problem)?;
    let mut room = Room::new(limit);
    let mut input = InBuffer::around(body);
    loop {
        let read = input.pos();
        let free = room.free();
        let size = free.len();
        let mut output = OutBuffer::around(free);
        let wanted = context.decompress_stream(&mut output, &mut input).map_err(problem)?;
        let written = output.pos();
        room.filled(written)?;
        match (wanted, input.pos() == body.len()) {
            (0, true) => return Ok(room.finish()),
            (_, true) if written < size => return Err(Problem::Truncated),
            _ if written == 0 && input.pos() == read => return Err(Problem::Corrupt),
            _ => {}
        }
    }
}

fn problem(code: ErrorCode) -> Problem {
    if is_error_kind(code, WINDOW_TOO_LARGE) { Problem::Window } else { Problem::Corrupt }
}
