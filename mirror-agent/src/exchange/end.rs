//! How a request ends that becomes no exchange.

/// Why there is no exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    /// It, or the answer to it, could not be read.
    Unmirrorable(Unmirrorable),
    /// The connection ended before an answer began.
    Unanswered,
}

/// Why a request, or the answer to it, could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unmirrorable {
    /// The connection begins with a TLS handshake. The whole connection counts as one request.
    Tls,
    /// The connection is HTTP/2. The whole connection counts as one request.
    Http2,
    /// The connection became something else by it (101, or 2xx to CONNECT).
    Upgrade,
    /// More than a limit allows to hold.
    Oversize,
    /// Bytes of it, or of an answer that may be its own, were not seen.
    Gap,
    /// It, or the answer, broke off; or more requests were under way than the limit allows.
    Truncated,
    /// It, or something before it on the connection, is not HTTP/1.x, or has no certain length.
    Malformed,
}

impl Unmirrorable {
    /// Every reason.
    pub const ALL: [Unmirrorable; 7] = [
        Unmirrorable::Tls,
        Unmirrorable::Http2,
        Unmirrorable::Upgrade,
        Unmirrorable::Oversize,
        Unmirrorable::Gap,
        Unmirrorable::Truncated,
        Unmirrorable::Malformed,
    ];

    /// The reason's name, in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Unmirrorable::Tls => "tls",
            Unmirrorable::Http2 => "http2",
            Unmirrorable::Upgrade => "upgrade",
            Unmirrorable::Oversize => "oversize",
            Unmirrorable::Gap => "gap",
            Unmirrorable::Truncated => "truncated",
            Unmirrorable::Malformed => "malformed",
        }
    }
}

impl From<Unmirrorable> for End {
    fn from(why: Unmirrorable) -> End {
        End::Unmirrorable(why)
    }
}
