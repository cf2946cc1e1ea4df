//! What a stream tells the layer above it.

use crate::packet::Side;
use crate::time::Nanos;

/// Something that happened on one connection, in the order in which it is certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The connection is followed from here on.
    Opened {
        /// Its handshake was not seen: it was open before we looked, so the first bytes are from its middle.
        late: bool,
    },
    /// In-order bytes. Never empty, never a byte twice.
    Chunk {
        /// The end that sent them.
        from: Side,
        /// When the frame that completed them passed.
        at: Nanos,
        /// Where they stand in their direction. Chunks and gaps follow each other without a step; the first byte that
        /// is expected is 0, and a first chunk may turn out to stand before it.
        offset: i64,
        /// Where, in the other direction, stands the first byte that the sender had not received when it sent them;
        /// `None` if that is not known.
        ack: Option<i64>,
        /// The bytes; borrowed from the frame where possible.
        data: &'a [u8],
    },
    /// Bytes that were sent and not seen. They stand between two chunks and are inside neither.
    Gap {
        /// The end that sent them.
        from: Side,
        /// When they were given up.
        at: Nanos,
        /// Where they stand in their direction.
        offset: i64,
        /// How many they were.
        bytes: u32,
    },
    /// One end has sent its last byte (FIN, in order).
    Finished {
        /// The end that finished.
        from: Side,
        /// When.
        at: Nanos,
    },
    /// Nothing more will be said of this connection.
    Closed {
        /// When.
        at: Nanos,
        /// Why.
        how: Close,
    },
}

/// Why a connection is no longer followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Close {
    /// FIN from both ends.
    Fin,
    /// RST from either end.
    Reset,
    /// Nothing was seen of it for longer than the idle timeout.
    Idle,
    /// The table was full and it was the one to go, or the input ended.
    Evicted,
    /// The same addresses opened a new connection.
    Reused,
}
