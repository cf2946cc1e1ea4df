//! Why bytes were refused as HTTP/1.x.

/// What was wrong with a message. The connection cannot be decoded beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Problem {
    /// Not a request line (RFC 9112, section 3).
    RequestLine,
    /// Not a status line (RFC 9112, section 4).
    StatusLine,
    /// A version other than HTTP/1.x (RFC 9112, section 2.3).
    Version,
    /// Not a field line (RFC 9112, section 5).
    Field,
    /// A carriage return that ends no line (RFC 9112, section 2.2).
    BareCr,
    /// A folded field line in a request (RFC 9112, section 5.2).
    ObsFold,
    /// A head or trailer section over [`super::Limits::head`].
    HeadTooLong,
    /// More field lines than [`super::Limits::headers`].
    TooManyFields,
    /// A Content-Length that is no number, or several that differ (RFC 9112, section 6.3).
    ContentLength,
    /// A Transfer-Encoding from which no length follows (RFC 9112, section 6.3).
    TransferEncoding,
    /// Both Content-Length and Transfer-Encoding (RFC 9112, section 6.3).
    LengthConflict,
    /// Broken chunk framing (RFC 9112, section 7.1).
    Chunk,
    /// More interim responses than [`super::Limits::interim`].
    TooManyInterim,
    /// Response bytes that no request asked for.
    Unexpected,
    /// The sender finished in the middle of a message (RFC 9112, section 8).
    Incomplete,
}

impl Problem {
    /// Whether the message may have been right and was only more than we hold.
    pub fn is_size(self) -> bool {
        matches!(self, Problem::HeadTooLong | Problem::TooManyFields)
    }

    /// The problem's name, in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Problem::RequestLine => "request_line",
            Problem::StatusLine => "status_line",
            Problem::Version => "version",
            Problem::Field => "field",
            Problem::BareCr => "bare_cr",
            Problem::ObsFold => "obs_fold",
            Problem::HeadTooLong => "head_too_long",
            Problem::TooManyFields => "too_many_fields",
            Problem::ContentLength => "content_length",
            Problem::TransferEncoding => "transfer_encoding",
            Problem::LengthConflict => "length_conflict",
            Problem::Chunk => "chunk",
            Problem::TooManyInterim => "too_many_interim",
            Problem::Unexpected => "unexpected",
            Problem::Incomplete => "incomplete",
        }
    }
}
