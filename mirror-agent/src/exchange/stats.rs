//! Counts of what a conversation did with its bytes, and how often each rule was used.

/// The counts of all conversations since they began. The bytes of a direction are those of its messages, those skipped, and
/// those that are not HTTP/1.x.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes of the client's that belong to requests, whole or not.
    pub request_bytes: u64,
    /// Bytes of the server's that belong to responses, whole or not.
    pub response_bytes: u64,
    /// Bytes of the client's that were skipped in search of a request.
    pub client_skipped: u64,
    /// Bytes of the server's that were skipped because it is not known what they answer.
    pub server_skipped: u64,
    /// Bytes, of both, behind the point where the connection was no longer read as HTTP/1.x.
    pub opaque_bytes: u64,
    /// Responses that no seen request had asked for.
    pub unasked: u64,
    /// Interim responses.
    pub interim: u64,
    /// Gaps wholly within the content of one message.
    pub gaps_inside: u64,
    /// Gaps after which the next request, or the next response, had to be found.
    pub gaps_between: u64,
    /// Times pairing was found again by the client's acknowledgment.
    pub anchored: u64,
    /// Times pairing was given up for the rest of the connection.
    pub adrift: u64,
    /// Times more requests waited than the limit allows.
    pub crowded: u64,
    /// Requests not kept because those that wait hold as many bytes as the limit allows.
    pub pending_full: u64,
    /// Connections given up because all together held too much.
    pub over_memory: u64,
}
