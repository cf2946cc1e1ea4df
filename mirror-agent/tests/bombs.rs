//! A gibibyte of zeroes in a small body costs no more memory than the limit allows. Alone in its process, whose peak of
//! resident memory is what it looks at.

#![expect(clippy::unwrap_used, reason = "a test panics, for the stack trace; so do its helpers")]

use std::io::Write;

use flate2::{Compress, Compression, FlushCompress};
use mirror_agent::coding::{MAX_DECODED, Problem, decode};

const PIECE: usize = 1 << 20;
const PIECES: usize = 1 << 10;
/// What a decoder may take: its output twice while that grows, the largest window, and its tables.
const MOST: usize = 2 * MAX_DECODED + (16 << 20) + (8 << 20);

#[test]
fn a_gibibyte_of_zeroes() {
    for (coding, bomb) in [("gzip", gzip()), ("deflate", deflate()), ("br", br()), ("zstd", zstd())] {
        assert!(bomb.len() < 2 << 20, "{coding} {}", bomb.len());
        let before = forget_peak();
        assert_eq!(decode([coding.as_bytes()], &bomb, MAX_DECODED), Err(Problem::TooLong), "{coding}");
        let grown = memory("VmHWM:").saturating_sub(before);
        assert!(grown <= MOST, "{coding}: {grown} bytes");
    }
}

/// Sets the peak of resident memory to what there is now, and returns that.
fn forget_peak() -> usize {
    std::fs::write("/proc/self/clear_refs", "5").unwrap(); // proc(5)
    memory("VmRSS:")
}

/// A line of this process's status, in bytes.
fn memory(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
}

/// Zeroes in blocks that end at a byte, one block repeated. The decoder never sees that there is no end.
fn deflate() -> Vec<u8> {
    let mut encoder = Compress::new(Compression::best(), false);
    let mut flushed = || {
        let mut out = Vec::with_capacity(64 << 10);
        encoder.compress_vec(&vec![0; PIECE], &mut out, FlushCompress::Full).unwrap();
        out
    };
    [flushed(), flushed().repeat(PIECES - 1)].concat()
}

fn gzip() -> Vec<u8> {
    [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], &deflate()].concat()
}

fn br() -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 9, 24);
    let mut ends = Vec::new();
    for _ in 0..2 {
        encoder.write_all(&vec![0; PIECE]).unwrap();
        encoder.flush().unwrap();
        ends.push(encoder.get_ref().len());
    }
    let bytes = encoder.get_ref();
    [&bytes[..ends[0]], &bytes[ends[0]..ends[1]].repeat(PIECES - 1)].concat()
}

/// RFC 8878, section 3.1.1: a window of 8 MiB, and blocks that repeat one byte 128 Ki times.
fn zstd() -> Vec<u8> {
    let block = [0x02, 0x00, 0x10, 0x00];
    [&b"\x28\xb5\x2f\xfd\x00\x68"[..], &block.repeat(8 * PIECES)].concat()
}
