//! What was counted while segments became streams.

use super::event::Close;

/// Counts since the start. Bytes are payload bytes that were captured, but for the gaps.
///
/// Every segment is followed, unknown, straggling, or of a refused connection. Every byte is a chunk's, duplicate,
/// before the beginning, refused, behind a FIN, far, in a reset, or not followed; until the streams are flushed it may also be held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Segments taken.
    pub segments: u64,
    /// Segments of connections that are followed.
    pub followed_segments: u64,
    /// Bytes taken.
    pub payload_bytes: u64,
    /// Bytes of segments that belong to no followed connection.
    pub unfollowed_bytes: u64,
    /// Bytes of segments with RST.
    pub reset_bytes: u64,
    /// Bytes of far segments.
    pub far_bytes: u64,
    /// Connections whose handshake was seen, at least in part.
    pub opened: u64,
    /// Connections that were open before they were seen.
    pub opened_late: u64,
    /// Connections closed by FIN from both ends.
    pub closed_fin: u64,
    /// Connections closed by RST.
    pub closed_reset: u64,
    /// Connections closed for their silence.
    pub closed_idle: u64,
    /// Connections closed because the input ended.
    pub closed_evicted: u64,
    /// Connections closed because the same addresses opened another.
    pub closed_reused: u64,
    /// Segments that would have opened a connection while the table was full.
    pub refused_connections: u64,
    /// Segments without SYN or payload of connections that are not followed.
    pub unknown_segments: u64,
    /// Segments with payload of connections that had just closed.
    pub straggling_segments: u64,
    /// Segments of a server that waited for the bytes of the client that they acknowledge.
    pub early_segments: u64,
    /// Bytes handed on as chunks.
    pub chunk_bytes: u64,
    /// Bytes copied because they came before their turn.
    pub copied_bytes: u64,
    /// Bytes that were there already: retransmissions and probes.
    pub duplicate_bytes: u64,
    /// Bytes before the first one of a direction whose beginning was not seen.
    pub before_bytes: u64,
    /// Duplicate bytes that differ from the first copy, as far as that was still held.
    pub conflicting_bytes: u64,
    /// Bytes not kept because of the cap over all connections.
    pub refused_bytes: u64,
    /// Bytes sent after the sender's FIN.
    pub after_fin_bytes: u64,
    /// FINs that contradict an earlier FIN or bytes already seen.
    pub contradicting_fins: u64,
    /// Segments more than 1 GiB away from the expected one.
    pub far_segments: u64,
    /// RSTs whose sequence number the receiver would not accept.
    pub implausible_resets: u64,
    /// Bytes reported as gaps.
    pub gap_bytes: u64,
    /// Gaps given up for the cap on bytes of a direction.
    pub gaps_by_bytes: u64,
    /// Gaps given up for the cap on chunks of a direction.
    pub gaps_by_chunks: u64,
    /// Gaps given up for their age.
    pub gaps_by_age: u64,
    /// Gaps given up because the receiver acknowledged the bytes: only our copy was lost.
    pub gaps_by_ack: u64,
    /// Gaps where the capture cut the frame.
    pub gaps_by_snap: u64,
    /// Gaps given up because the connection closed.
    pub gaps_by_close: u64,
}

/// Why a hole was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GaveUp {
    Bytes,
    Chunks,
    Age,
    Ack,
    Snap,
    Close,
}

impl Stats {
    pub(super) fn count_open(&mut self, late: bool) {
        *if late { &mut self.opened_late } else { &mut self.opened } += 1;
    }

    pub(super) fn count_close(&mut self, how: Close) {
        *match how {
            Close::Fin => &mut self.closed_fin,
            Close::Reset => &mut self.closed_reset,
            Close::Idle => &mut self.closed_idle,
            Close::Evicted => &mut self.closed_evicted,
            Close::Reused => &mut self.closed_reused,
        } += 1;
    }

    pub(super) fn count_gap(&mut self, why: GaveUp, bytes: u32) {
        self.gap_bytes += u64::from(bytes);
        *match why {
            GaveUp::Bytes => &mut self.gaps_by_bytes,
            GaveUp::Chunks => &mut self.gaps_by_chunks,
            GaveUp::Age => &mut self.gaps_by_age,
            GaveUp::Ack => &mut self.gaps_by_ack,
            GaveUp::Snap => &mut self.gaps_by_snap,
            GaveUp::Close => &mut self.gaps_by_close,
        } += 1;
    }
}
