//! Sequence numbers: 32 bits that wrap (RFC 9293, section 3.4).

/// A sequence number. It has no order of its own, only a distance from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seq(pub u32);

impl Seq {
    /// The number `count` bytes later; only the low 32 bits of `count` matter.
    pub fn plus(self, count: i64) -> Seq {
        // Truncation is the arithmetic that sequence numbers have.
        Seq(self.0.wrapping_add(count as u32))
    }

    /// How far `self` lies after `from`, in bytes, the shorter way round; negative if it lies before. `None` if
    /// both ways are equally long.
    pub fn distance(self, from: Seq) -> Option<i32> {
        let distance = self.0.wrapping_sub(from.0) as i32;
        (distance != i32::MIN).then_some(distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(to: u32, from: u32, expected: Option<i32>) {
        assert_eq!(Seq(to).distance(Seq(from)), expected, "{from} to {to}");
    }

    #[test]
    fn distance_takes_the_shorter_way_round() {
        check(7, 7, Some(0));
        check(8, 7, Some(1));
        check(6, 7, Some(-1));
        check(0, u32::MAX, Some(1));
        check(u32::MAX, 0, Some(-1));
        check(0x7fff_ffff, 0, Some(i32::MAX));
        check(0x8000_0000, 0, None);
        check(0, 0x8000_0000, None);
        check(0x8000_0001, 0, Some(-0x7fff_ffff));
    }

    #[test]
    fn plus_wraps() {
        assert_eq!(Seq(u32::MAX).plus(1), Seq(0));
        assert_eq!(Seq(5).plus((3 << 32) + 2), Seq(7));
        assert_eq!(Seq(5).plus(-6), Seq(u32::MAX));
    }
}
