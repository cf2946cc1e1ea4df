//! The words of the turn clock.

/// How a turn's response reads. Only the class of the status is known to the kernel.
pub mod outcome {
    /// Status 1xx to 4xx.
    pub const OK: u8 = 0;
    /// Status 5xx.
    pub const ERROR: u8 = 1;
    /// The status could not be read.
    pub const UNKNOWN: u8 = 2;
    /// How many there are.
    pub const COUNT: u32 = 3;
    /// Their names, by value.
    pub const NAMES: [&str; 3] = ["ok", "error", "unknown"];
}

/// What is measured of a turn.
pub mod measure {
    /// Last request byte to first response byte.
    pub const TTFB: u8 = 0;
    /// First request byte to last response byte.
    pub const TOTAL: u8 = 1;
    /// How many there are.
    pub const COUNT: u32 = 2;
    /// Their names, by value.
    pub const NAMES: [&str; 2] = ["ttfb", "total"];
}

/// How a round trip of TCP was measured.
pub mod round_trip {
    /// A SYN and what acknowledges it: no application and no delayed acknowledgement is in it.
    pub const HANDSHAKE: u8 = 0;
    /// A segment with data and the first acknowledgement without data that echoes its time stamp (RFC 7323, section 4).
    /// The peer may have delayed it (RFC 9293, section 3.8.6.3).
    pub const STAMP: u8 = 1;
    /// How many there are.
    pub const COUNT: u32 = 2;
    /// Their names, by value.
    pub const NAMES: [&str; 2] = ["handshake", "timestamp"];
}

/// Why a turn's latency is not certain and is counted instead of recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Ambiguous {
    /// More than one request was outstanding.
    Pipelined = 1,
    /// The client's first bytes are no HTTP/1 request.
    NotHttp = 2,
    /// HTTP/2: many turns share the connection.
    Http2 = 3,
    /// The connection changed its protocol.
    Upgrade = 4,
    /// Bytes of the turn were sent again.
    Retransmit = 5,
    /// Bytes of the turn came out of order, or some were never seen.
    Reordered = 6,
    /// Fewer bytes than a status line in the response's first segment.
    SplitHead = 7,
    /// The connection was reset, closed without an answer, or replaced by another one.
    Reset = 8,
    /// The response began before the request had ended.
    EarlyResponse = 9,
    /// A request head too long to be searched for a second request.
    LongRequest = 10,
}

impl Ambiguous {
    /// Names by value; index 0 is unused.
    pub const NAMES: [&'static str; 11] = [
        "",
        "pipelined",
        "not_http",
        "http2",
        "upgrade",
        "retransmit",
        "reordered",
        "split_head",
        "reset",
        "early_response",
        "long_request",
    ];
}
