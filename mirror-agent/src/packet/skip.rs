//! Every reason why a frame is no segment.

/// Why a frame gave no [`Segment`](super::Segment). Each is counted; none is an error of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Skip {
    /// The link header, tags included, is longer than the capture.
    ShortLink,
    /// More than two VLAN tags.
    TooManyTags,
    /// ARP, MPLS, 802.3 and everything else that is not IP.
    NotIp,
    /// The IP headers are longer than the capture.
    ShortIp,
    /// IP headers that contradict themselves.
    BadIp,
    /// More IPv6 extension headers than are walked.
    TooManyExtensions,
    /// A fragment other than the first: it has no TCP header.
    LaterFragment,
    /// UDP.
    Udp,
    /// Neither TCP nor UDP.
    OtherProtocol,
    /// The fixed part of the TCP header is longer than the capture.
    ShortTcp,
    /// A TCP header that contradicts itself or its IP header.
    BadTcp,
}

impl Skip {
    /// All of them, in the order in which a frame can meet them; `ALL[skip as usize] == skip`.
    pub const ALL: [Skip; 11] = [
        Skip::ShortLink,
        Skip::TooManyTags,
        Skip::NotIp,
        Skip::ShortIp,
        Skip::BadIp,
        Skip::TooManyExtensions,
        Skip::LaterFragment,
        Skip::Udp,
        Skip::OtherProtocol,
        Skip::ShortTcp,
        Skip::BadTcp,
    ];

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
            Skip::Udp => "udp",
            Skip::OtherProtocol => "other_protocol",
            Skip::ShortTcp => "short_tcp",
            Skip::BadTcp => "bad_tcp",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_in_order_and_names_are_distinct() {
        for (index, skip) in Skip::ALL.into_iter().enumerate() {
            assert_eq!(skip as usize, index);
        }
        let names: std::collections::BTreeSet<_> = Skip::ALL.iter().map(|skip| skip.as_str()).collect();
        assert_eq!(names.len(), Skip::ALL.len());
    }
}
