//! What the first bytes of a segment are, and whether a second request hides behind the first.

use core::arch::asm;

use aya_ebpf::helpers::generated::bpf_skb_load_bytes;
use aya_ebpf::programs::TcContext;
use mirror_common::limits::REQUEST_SCAN;

use crate::maps::TEXTS;
use crate::opaque;
use crate::packet::load;

/// The first bytes of a segment that are looked at, as two numbers.
pub type Peek = [u64; 2];
/// How many bytes that is.
pub const PEEK: u32 = 16;

const _: () = assert!(REQUEST_SCAN.is_power_of_two());

/// Words that are searched at a time, and where there are fewer bytes.
const CHUNK: usize = 8;
const SMALL_CHUNK: usize = 1;

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
}

/// The bytes of one segment of a request, copied once: a call for each look would be most of what a request costs.
pub struct Text {
    start: *const u8,
    len: u32,
}

/// Room for a text, and for a chunk that begins at its last byte.
pub type TextRoom = [u64; (REQUEST_SCAN as usize + bytes::<CHUNK>() as usize) / 8];

/// Bytes of the blank line that ends a head, and of the line before it.
const TAIL: u32 = 4;

/// Copies a segment of a request; none where it is too short to hold the end of a head, or too long.
#[inline(always)]
pub fn copy(ctx: &TcContext, at: u32, len: u32) -> Option<Text> {
    let room = TEXTS.get_ptr_mut(0)?;
    // Two compares: of what the compiler would make of both in one, the verifier learns nothing of the length.
    let len = opaque::number(len as u64);
    if len > REQUEST_SCAN as u64 {
        return None;
    }
    let len = opaque::number(len);
    if len < TAIL as u64 {
        return None;
    }
    let len = opaque::number(len) as u32;
    // SAFETY: a live entry of this processor's own array, longer than that.
    let copied = unsafe { bpf_skb_load_bytes(ctx.skb.skb.cast(), at, room.cast(), len) };
    (copied == 0).then_some(Text { start: room.cast(), len })
}

impl Text {
    /// The first bytes; none where it is shorter than that.
    #[inline(always)]
    pub fn peek(&self) -> Option<Peek> {
        // SAFETY: inside the room.
        (self.len >= PEEK).then(|| unsafe { [word(self.start).to_be(), word(self.start.add(8)).to_be()] })
    }

    /// Searches it for the blank line that ends a head (RFC 9112, section 2.1).
    #[inline(always)]
    pub fn head(&self) -> Head {
        // SAFETY: inside the room; the text has as many bytes at least.
        let end = unsafe { tail(self.at(self.len - TAIL)) };
        if self.has_blank_line_before_end() {
            return Head::Followed;
        }
        // A lone line feed ends a line too (section 2.2).
        if end == 0x0d0a_0d0a || end & 0xffff == 0x0a0a { Head::Ends } else { Head::Continues }
    }

    /// The last two bytes.
    #[inline(always)]
    pub fn last_two(&self) -> [u8; 2] {
        // SAFETY: inside the room; the text has four bytes at least.
        let end = unsafe { tail(self.at(self.len - TAIL)) };
        [(end >> 8) as u8, end as u8]
    }

    /// Whether `\n\r` or `\n\n` stands wholly before the last two bytes.
    #[inline(always)]
    fn has_blank_line_before_end(&self) -> bool {
        let len = self.len - 2;
        if len >= bytes::<CHUNK>() {
            self.search::<CHUNK>(len, REQUEST_SCAN)
        } else if len >= bytes::<SMALL_CHUNK>() {
            self.search::<SMALL_CHUNK>(len, bytes::<CHUNK>())
        } else {
            self.short_has_blank_line(len)
        }
    }

    /// The same for less than a word: what stands behind it is of an earlier text, and is covered.
    #[inline(always)]
    fn short_has_blank_line(&self, len: u32) -> bool {
        // SAFETY: inside the room.
        let word = unsafe { word(self.start) } | u64::MAX << ((len * 8) & 63);
        blank_line_in(word, &mut each(0xff)) & each(0x80) != 0
    }

    /// Searches `len` bytes, which are at least a chunk and at most `most`. Two chunks overlap by a byte, so that no
    /// pair falls between them. The last one stands behind the loop: inside, the verifier would follow it once a round.
    #[inline(always)]
    fn search<const WORDS: usize>(&self, len: u32, most: u32) -> bool {
        let stride = bytes::<WORDS>() - 1;
        let last = len - bytes::<WORDS>();
        let mut offset = 0;
        for _ in 0..most / stride + 1 {
            if offset >= last {
                break;
            }
            if has_blank_line::<WORDS>(self.at(offset)) {
                return true;
            }
            offset += stride;
        }
        has_blank_line::<WORDS>(self.at(last))
    }

    /// A byte of it, with room for a chunk behind it whatever `offset` is: the mask changes nothing, but tells it the
    /// verifier.
    #[inline(always)]
    fn at(&self, offset: u32) -> *const u8 {
        let offset = opaque::number(offset as u64) & (REQUEST_SCAN as u64 - 1);
        // SAFETY: inside the room.
        unsafe { self.start.add(offset as usize) }
    }
}

/// Whether a line feed stands in this chunk, with a line feed or a carriage return behind it.
///
/// The words are looked at one after another: all at once they take more registers than there are, and then more stack
/// than the kernel gives (512 bytes).
#[inline(always)]
fn has_blank_line<const WORDS: usize>(chunk: *const u8) -> bool {
    let (mut found, mut before) = (0u64, each(0xff));
    for index in 0..WORDS {
        // SAFETY: whoever calls has a whole chunk there.
        found |= blank_line_in(unsafe { word(chunk.add(index * 8)) }, &mut before);
        found = opaque::number(found);
    }
    found & each(0x80) != 0
}

/// Four bytes of a text, as a number.
///
/// # Safety
///
/// They must be inside its room.
#[inline(always)]
unsafe fn tail(at: *const u8) -> u32 {
    let word: u64;
    // SAFETY: as of `word`.
    unsafe { asm!("{0} = *(u32 *)({1} + 0)", out(reg) word, in(reg) at, options(nostack, readonly)) }
    u32::from_be(word as u32)
}

/// The top bit of a byte is set where it is a line feed or a carriage return behind a line feed; `before` is the word
/// before, each byte of it zero where a line feed stands.
#[inline(always)]
fn blank_line_in(word: u64, before: &mut u64) -> u64 {
    let word = word ^ each(b'\n');
    let first = word << 8 | *before >> 56; // every byte's neighbour
    *before = word;
    zeros(first | word) | zeros(first | (word ^ each(b'\n' ^ b'\r')))
}

/// Eight bytes of a text, wherever they begin.
///
/// # Safety
///
/// They must be inside its room.
#[inline(always)]
unsafe fn word(at: *const u8) -> u64 {
    let word: u64;
    // In assembly, because the compiler would put a word of no alignment together from bytes.
    // SAFETY: as the caller promises, and the processor takes any alignment.
    unsafe { asm!("{0} = *(u64 *)({1} + 0)", out(reg) word, in(reg) at, options(nostack, readonly)) }
    word
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
