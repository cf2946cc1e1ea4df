//! The share: which connections are mirrored. Integer only, so that every node and every language gives one answer.

/// The whole: a share of this many parts mirrors everything.
pub const WHOLE_PPM: u32 = 1_000_000;

/// MurmurHash3 x86 32-bit (Austin Appleby, public domain).
#[inline(always)]
pub fn murmur3_32(data: &[u8], seed: u32) -> u32 {
    let mut hash = seed;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
        hash = (hash ^ scramble(word)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let mut tail = 0;
    for (i, byte) in words.remainder().iter().enumerate() {
        tail |= (*byte as u32) << (8 * i);
    }
    if !words.remainder().is_empty() {
        hash ^= scramble(tail);
    }
    finish(hash ^ data.len() as u32)
}

/// Maps a hash evenly onto `0..parts`: `(hash * parts) >> 32`, without a division.
#[inline(always)]
pub fn bucket(hash: u32, parts: u32) -> u32 {
    ((hash as u64 * parts as u64) >> 32) as u32
}

/// Whether a connection with this hash is in a share of `share_ppm` parts per million.
///
/// Monotone: raising the share never removes a connection.
#[inline(always)]
pub fn is_in(hash: u32, share_ppm: u32) -> bool {
    bucket(hash, WHOLE_PPM) < share_ppm
}

#[inline(always)]
fn scramble(word: u32) -> u32 {
    word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

#[inline(always)]
fn finish(mut hash: u32) -> u32 {
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published vectors of flagd's fractional evaluation: four variants of weight 25 (open-feature/flagd,
    /// `fractional_test.go`).
    #[test]
    fn agrees_with_the_published_vectors() {
        let cases = [
            ("headerColorrachel@faas.com", "blue"),
            ("headerColormonica@faas.com", "yellow"),
            ("headerColorjoey@faas.com", "red"),
            ("headerColorross@faas.com", "blue"),
            ("my-seedrachel@faas.com", "green"),
            ("my-seedmonica@faas.com", "red"),
            ("my-seedjoey@faas.com", "blue"),
            ("my-seedross@faas.com", "green"),
        ];
        for (key, expect) in cases {
            let bucket = bucket(murmur3_32(key.as_bytes(), 0), 100);
            let colour = ["red", "blue", "green", "yellow"][bucket as usize / 25];
            assert_eq!(colour, expect, "{key}");
        }
    }

    #[test]
    fn the_edges_of_the_share_are_none_and_all() {
        for hash in [0, 1, u32::MAX / 2, u32::MAX] {
            assert!(!is_in(hash, 0));
            assert!(is_in(hash, WHOLE_PPM));
        }
    }

    proptest::proptest! {
        #[test]
        fn raising_the_share_never_removes_a_connection(hash: u32, low in 0..=WHOLE_PPM, more in 0..=WHOLE_PPM) {
            let high = (low + more).min(WHOLE_PPM);
            proptest::prop_assert!(!is_in(hash, low) || is_in(hash, high));
        }
    }
}
