//! Frames of every link: whatever they hold, each is one segment or one skip, and no byte is made up.

use mirror_agent::packet::fragments::Limits;
use mirror_agent::packet::{Decoder, Frame, Options, Segment, Skip, parse};

use crate::input::Input;
use crate::memory::Meter;

/// What fragments may take; small enough for a fuzzer to reach.
const HELD: usize = 64 << 10;

/// One byte of options, then frames.
pub(crate) fn run(data: &[u8]) {
    let mut input = Input(data);
    let (verify_checksums, mut now) = (input.u8() & 1 == 1, 0);
    let meter = Meter::start();
    let fragments = Limits { datagrams: 8, bytes: HELD, ..Limits::default() };
    let mut decoder = Decoder::new(Options { verify_checksums, fragments });
    let mut frames = 0;
    while !input.is_empty() {
        let frame = input.frame(&mut now);
        frames += 1;
        let parsed = parse(&frame);
        if let Ok(segment) = &parsed {
            check(segment, &frame);
        }
        let decoded = decoder.decode(&frame);
        if let Ok(segment) = &decoded {
            assert!(segment.payload.len() <= 65_535 && segment.at == frame.at);
        }
        if !verify_checksums {
            compare(&parsed, &decoded);
        }
    }
    let stats = decoder.stats();
    assert_eq!(stats.frames(), frames);
    let held = stats.fragments.fragments.sum() + stats.fragments.waiting;
    assert_eq!(stats.skipped(Skip::FragmentHeld), held);
    // A datagram may be joined at each of the five depths, in buffers that double as they grow.
    assert!(meter.peak() <= (2 * HELD + 10 * 65_535 + 65_536) as u64, "{} bytes", meter.peak());
}

/// The payload is a part of the frame, and the segment claims no more than its header can say, or passed.
fn check(segment: &Segment<'_>, frame: &Frame<'_>) {
    let (inner, outer) = (segment.payload.as_ptr_range(), frame.data.as_ptr_range());
    assert!(segment.payload.is_empty() || (outer.start <= inner.start && inner.end <= outer.end));
    assert!(segment.claimed_len() <= u64::from(frame.wire_len.max(65_535)));
}

/// Both ways to read agree on every frame that needs no memory.
fn compare(parsed: &Result<Segment<'_>, Skip>, decoded: &Result<Segment<'_>, Skip>) {
    match (parsed, decoded) {
        (Ok(one), Ok(other)) if one.payload.as_ptr() == other.payload.as_ptr() => {
            assert_eq!(format!("{one:?}"), format!("{other:?}"));
        }
        (Ok(_), Err(skip)) => {
            // A fragment, or what cannot be one.
            let held = matches!(skip, Skip::FragmentHeld | Skip::FragmentCopy | Skip::FragmentConflict);
            assert!(held || matches!(skip, Skip::CutFragment | Skip::BadIp), "a segment, and {skip:?}");
        }
        (Err(_), Ok(_)) | (Err(_), Err(_)) | (Ok(_), Ok(_)) => {}
    }
}
