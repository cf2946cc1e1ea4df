//! Where a segment stands in its direction's byte stream.

/// A segment's place, against the next byte expected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Exactly the next bytes.
    Next,
    /// Only bytes that were already seen.
    Old,
    /// Some bytes that were seen and some new ones.
    Overlap,
    /// Bytes are missing before it.
    Ahead,
}

/// Places a segment and moves `next` to its end, but never back.
#[inline(always)]
pub fn place(next: &mut u32, sequence: u32, len: u32) -> Place {
    let distance = sequence.wrapping_sub(*next) as i32;
    let end = sequence.wrapping_add(len);
    let place = if distance == 0 {
        Place::Next
    } else if distance > 0 {
        Place::Ahead
    } else if end.wrapping_sub(*next) as i32 <= 0 {
        return Place::Old;
    } else {
        Place::Overlap
    };
    *next = end;
    place
}
