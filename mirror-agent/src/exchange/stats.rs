//! Counts of what a conversation did not use.

/// One connection's counts since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes of the client's that were skipped in search of a request.
    pub client_skipped: u64,
    /// Bytes of the server's that were skipped because it is not known what they answer.
    pub server_skipped: u64,
    /// Times the server sent what no request had asked for.
    pub orphans: u64,
    /// Interim responses.
    pub interim: u64,
    /// Gaps wholly within the content of one message.
    pub gaps_inside: u64,
    /// Gaps after which the next request, or the next response, had to be found.
    pub gaps_between: u64,
    /// Times pairing was given up for the rest of the connection.
    pub adrift: u64,
    /// Times the connection was given up because more requests waited than the limit allows.
    pub pipeline_full: u64,
    /// Requests not kept because those that wait hold as many bytes as the limit allows.
    pub pending_full: u64,
}
