//! What the first bytes of a segment are, and whether a second request hides behind the first.

use core::ptr::read_volatile;

use aya_ebpf::programs::TcContext;
use mirror_common::limits::REQUEST_SCAN;

use crate::opaque;
use crate::packet::load;

/// The first bytes of a segment that are looked at, as two numbers.
pub type Peek = [u64; 2];
/// How many bytes that is.
pub const PEEK: u32 = 16;

/// Words that are searched at a time, and where there are fewer bytes.
const CHUNK: usize = 8;
const SMALL_CHUNK: usize = 2;

/// Looks at the start of a segment; none where it is shorter than that.
#[inline(always)]
pub fn peek(ctx: &TcContext, at: u32, len: u32) -> Option<Peek> {
    if len < PEEK {
        return None;
    }
    load::<Peek>(ctx, at).ok().map(|peek| peek.map(u64::from_be))
}

/// A request's method, as far as the turn clock cares.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Its head is its end: GET, HEAD, OPTIONS, DELETE, TRACE.
    Bodiless,
    /// It may have a body: POST, PUT, PATCH, CONNECT.
    Body,
    /// The preface of HTTP/2 (RFC 9113, section 3.4).
    Http2,
    /// No request line of HTTP/1.
    None,
}

/// Reads the method at the start of a segment.
#[inline(always)]
pub fn method([word, _]: Peek) -> Method {
    if is_bodiless(word) {
        Method::Bodiless
    } else if may_have_body(word) {
        Method::Body
    } else if starts(word, b"PRI * HT") {
        Method::Http2
    } else {
        Method::None
    }
}

#[inline(always)]
fn is_bodiless(word: u64) -> bool {
    starts(word, b"GET ")
        || starts(word, b"HEAD ")
        || starts(word, b"OPTIONS ")
        || starts(word, b"DELETE ")
        || starts(word, b"TRACE ")
}

#[inline(always)]
fn may_have_body(word: u64) -> bool {
    starts(word, b"POST ") || starts(word, b"PUT ") || starts(word, b"PATCH ") || starts(word, b"CONNECT ")
}

/// One compare of a shifted word: the kernel has no `memcmp`.
#[inline(always)]
fn starts<const N: usize>(word: u64, prefix: &[u8; N]) -> bool {
    let mut wanted = 0u64;
    let mut i = 0;
    while i < N {
        wanted = wanted << 8 | prefix[i] as u64;
        i += 1;
    }
    word >> (64 - 8 * N as u32) == wanted
}

/// The status code at the start of a response, if it is one of HTTP/1 (RFC 9112, section 4).
#[inline(always)]
pub fn status([word, rest]: Peek) -> Option<u32> {
    if !starts(word, b"HTTP/1.") {
        return None;
    }
    let digit = |shift: u32| ((rest >> shift) as u32 & 0xff).wrapping_sub(b'0' as u32);
    let (hundreds, tens, ones) = (digit(48), digit(40), digit(32));
    if hundreds > 9 || tens > 9 || ones > 9 {
        return None;
    }
    Some(hundreds * 100 + tens * 10 + ones)
}

/// What stands in a segment of a request without a body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// It ends with the segment.
    Ends,
    /// It goes on in the next segment.
    Continues,
    /// Something stands behind it in the same segment: a second request.
    Followed,
    /// Too long to be searched.
    TooLong,
}

/// Searches a segment for the blank line that ends a head (RFC 9112, section 2.1).
#[inline(always)]
pub fn head(ctx: &TcContext, at: u32, len: u32) -> Head {
    if len > REQUEST_SCAN {
        return Head::TooLong;
    }
    if len < 4 {
        return Head::Continues;
    }
    let Ok(end) = load::<u32>(ctx, at + len - 4) else { return Head::Continues };
    if blank_line_within(ctx, at, len - 2) {
        return Head::Followed;
    }
    // A lone line feed ends a line too (section 2.2).
    let end = u32::from_be(end);
    if end == 0x0d0a_0d0a || end & 0xffff == 0x0a0a { Head::Ends } else { Head::Continues }
}

/// Whether `\n\r` or `\n\n` stands wholly inside the first `len` bytes.
#[inline(always)]
fn blank_line_within(ctx: &TcContext, at: u32, len: u32) -> bool {
    if len >= bytes::<CHUNK>() {
        search::<CHUNK>(ctx, at, len, REQUEST_SCAN)
    } else if len >= bytes::<SMALL_CHUNK>() {
        search::<SMALL_CHUNK>(ctx, at, len, bytes::<CHUNK>())
    } else {
        false // two request lines do not fit
    }
}

/// Searches `len` bytes, which are at least a chunk and at most `most`. Two chunks overlap by a byte, so that no pair
/// falls between them. The last one stands behind the loop: inside, the verifier would follow it once a round.
#[inline(always)]
fn search<const WORDS: usize>(ctx: &TcContext, at: u32, len: u32, most: u32) -> bool {
    let stride = bytes::<WORDS>() - 1;
    let last = len - bytes::<WORDS>();
    let mut offset = 0;
    for _ in 0..most / stride + 1 {
        if offset >= last {
            break;
        }
        if has_blank_line::<WORDS>(ctx, at + offset) {
            return true;
        }
        offset += stride;
    }
    has_blank_line::<WORDS>(ctx, at + last)
}

/// Whether a line feed stands in this chunk, with a line feed or a carriage return behind it.
///
/// The words are looked at one after another: all at once they take more registers than there are, and then more stack
/// than Linux 6.1 gives (512 bytes, less 32 for the compiler's `memset`).
#[inline(always)]
fn has_blank_line<const WORDS: usize>(ctx: &TcContext, at: u32) -> bool {
    let Ok(chunk) = load::<[u64; WORDS]>(ctx, at) else { return false };
    let (mut found, mut before) = (0u64, each(0xff));
    for word in &chunk {
        // SAFETY: a plain reference.
        let word = u64::from_le(unsafe { read_volatile(word) }) ^ each(b'\n');
        let first = word << 8 | before >> 56; // every byte's neighbour
        found |= zeros(first | word) | zeros(first | (word ^ each(b'\n' ^ b'\r')));
        before = word;
        found = opaque::number(found);
    }
    found & each(0x80) != 0
}

/// The top bit of a byte is set where a byte is zero, and never where none is; the other bits mean nothing.
#[inline(always)]
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(each(1)) & !word
}

const fn bytes<const WORDS: usize>() -> u32 {
    WORDS as u32 * 8
}

/// Eight times the same byte.
const fn each(byte: u8) -> u64 {
    byte as u64 * 0x0101_0101_0101_0101
}
