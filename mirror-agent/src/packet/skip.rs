//! Every reason why a frame is no segment.

/// Why a frame gave no [`Segment`](super::Segment). Each is counted; none is an error of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Skip {
    /// The link header, tags included, is longer than the capture.
    ShortLink,
    /// More than two VLAN tags.
    TooManyTags,
    /// ARP, MPLS, 802.3 with LLC, PPPoE and everything else that is not IP.
    NotIp,
    /// The IP headers are longer than the capture.
    ShortIp,
    /// IP headers that contradict themselves.
    BadIp,
    /// More IPv6 extension headers than are walked.
    TooManyExtensions,
    /// A fragment other than the first, where none are put together: it has no TCP header.
    LaterFragment,
    /// A fragment that was not captured whole: its datagram cannot be put together.
    CutFragment,
    /// A fragment that waits for the others of its datagram. Where it ended is counted in
    /// [`FragmentStats`](super::fragments::FragmentStats).
    FragmentHeld,
    /// A fragment that is held already.
    FragmentCopy,
    /// A fragment that overlaps another or contradicts the length of its datagram, which is given up; or a later one of
    /// such a datagram.
    FragmentConflict,
    /// The header of a GRE tunnel is longer than the capture or than its packet.
    ShortTunnel,
    /// More tunnels in each other, or fragments of fragments, than are opened.
    TooDeep,
    /// UDP that is no tunnel.
    Udp,
    /// Neither TCP nor UDP nor a tunnel that is known.
    OtherProtocol,
    /// The fixed part of the TCP header is longer than the capture.
    ShortTcp,
    /// A TCP header that contradicts itself or its IP header.
    BadTcp,
    /// A checksum of IPv4 or TCP that is wrong; only if checksums are to be looked at.
    BadChecksum,
}

impl Skip {
    /// All of them, in the order in which a frame can meet them; `ALL[skip.index()] == skip`.
    pub const ALL: [Skip; 18] = [
        Skip::ShortLink,
        Skip::TooManyTags,
        Skip::NotIp,
        Skip::ShortIp,
        Skip::BadIp,
        Skip::TooManyExtensions,
        Skip::LaterFragment,
        Skip::CutFragment,
        Skip::FragmentHeld,
        Skip::FragmentCopy,
        Skip::FragmentConflict,
        Skip::ShortTunnel,
        Skip::TooDeep,
        Skip::Udp,
        Skip::OtherProtocol,
        Skip::ShortTcp,
        Skip::BadTcp,
        Skip::BadChecksum,
    ];

    /// The place in [`ALL`](Skip::ALL) and in counters.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The name in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Skip::ShortLink => "short_link",
            Skip::TooManyTags => "too_many_tags",
            Skip::NotIp => "not_ip",
            Skip::ShortIp => "short_ip",
            Skip::BadIp => "bad_ip",
            Skip::TooManyExtensions => "too_many_extensions",
            Skip::LaterFragment => "later_fragment",
            Skip::CutFragment => "cut_fragment",
            Skip::FragmentHeld => "fragment_held",
            Skip::FragmentCopy => "fragment_copy",
            Skip::FragmentConflict => "fragment_conflict",
            Skip::ShortTunnel => "short_tunnel",
            Skip::TooDeep => "too_deep",
            Skip::Udp => "udp",
            Skip::OtherProtocol => "other_protocol",
            Skip::ShortTcp => "short_tcp",
            Skip::BadTcp => "bad_tcp",
            Skip::BadChecksum => "bad_checksum",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_in_order_and_names_are_distinct() {
        for (index, skip) in Skip::ALL.into_iter().enumerate() {
            assert_eq!(skip.index(), index);
        }
        let names: std::collections::BTreeSet<_> = Skip::ALL.iter().map(|skip| skip.as_str()).collect();
        assert_eq!(names.len(), Skip::ALL.len());
    }
}
