//! Numbers in the byte order of the machine that wrote the capture.

/// A byte order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    #[default]
    Little,
    Big,
}

/// A number is 0 where `bytes` ends before it: the length is checked once, before the numbers are asked for.
impl Order {
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> u16 {
        match self {
            Order::Little => u16::from_le_bytes(array(bytes, at)),
            Order::Big => u16::from_be_bytes(array(bytes, at)),
        }
    }

    pub(super) fn u32(self, bytes: &[u8], at: usize) -> u32 {
        match self {
            Order::Little => u32::from_le_bytes(array(bytes, at)),
            Order::Big => u32::from_be_bytes(array(bytes, at)),
        }
    }

    pub(super) fn i64(self, bytes: [u8; 8]) -> i64 {
        match self {
            Order::Little => i64::from_le_bytes(bytes),
            Order::Big => i64::from_be_bytes(bytes),
        }
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}
