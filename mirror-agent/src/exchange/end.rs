//! How a request ends that becomes no exchange.

use crate::http::{Problem, Request, Response};

/// A request without an exchange, and what was seen of both messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Why there is no exchange.
    pub end: End,
    /// The request, as far as it was read; `None` if not even its head could be.
    pub request: Option<Box<Request>>,
    /// The response to it, as far as it was read.
    pub response: Option<Box<Response>>,
    /// What was wrong with the message that was refused.
    pub problem: Option<Problem>,
}

/// Why there is no exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    /// The connection ended before an answer began.
    Unanswered,
    /// The connection was reset before the answer was whole.
    Reset,
    /// Bytes of the request were not seen.
    RequestGap,
    /// Bytes of its answer, or all of it, were not seen.
    ResponseGap,
    /// Bytes were not seen, and it is no longer certain which answer is its own.
    Unpaired,
    /// It, or the answer, broke off.
    Truncated,
    /// The connection was no longer watched.
    Unwatched,
    /// More requests were under way than the limit allows.
    Crowded,
    /// More than a limit allows to hold.
    Oversize,
    /// It, or the answer, or something before it on the connection, is not HTTP/1.x, or has no certain length.
    Malformed,
    /// The connection became something else by it (101, or 2xx to CONNECT).
    Upgraded,
    /// The connection begins with a TLS handshake. The whole connection counts as one request.
    Tls,
    /// The connection is HTTP/2. The whole connection counts as one request.
    Http2,
}

/// The ledger's reasons why a request, or the answer to it, could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unmirrorable {
    /// [`End::Tls`].
    Tls,
    /// [`End::Http2`].
    Http2,
    /// [`End::Upgraded`].
    Upgrade,
    /// [`End::Oversize`].
    Oversize,
    /// Bytes were not seen.
    Gap,
    /// It was not there to its end, or not for us.
    Truncated,
    /// [`End::Malformed`].
    Malformed,
}

impl Ended {
    /// A request of which no more is known than that there is one.
    pub(super) fn unreadable(end: End, problem: Option<Problem>) -> Ended {
        Ended { end, request: None, response: None, problem }
    }

    /// The ledger's reason; `None` for a request that v1 did not answer.
    pub fn unmirrorable(&self) -> Option<Unmirrorable> {
        match self.end {
            End::Unanswered => None,
            End::Reset => self.response.as_ref().map(|_| Unmirrorable::Truncated),
            End::RequestGap | End::ResponseGap | End::Unpaired => Some(Unmirrorable::Gap),
            End::Truncated | End::Unwatched | End::Crowded => Some(Unmirrorable::Truncated),
            End::Oversize => Some(Unmirrorable::Oversize),
            End::Malformed => Some(Unmirrorable::Malformed),
            End::Upgraded => Some(Unmirrorable::Upgrade),
            End::Tls => Some(Unmirrorable::Tls),
            End::Http2 => Some(Unmirrorable::Http2),
        }
    }
}

impl End {
    /// Every end.
    pub const ALL: [End; 13] = [
        End::Unanswered,
        End::Reset,
        End::RequestGap,
        End::ResponseGap,
        End::Unpaired,
        End::Truncated,
        End::Unwatched,
        End::Crowded,
        End::Oversize,
        End::Malformed,
        End::Upgraded,
        End::Tls,
        End::Http2,
    ];

    /// The end's name, in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            End::Unanswered => "response_missing",
            End::Reset => "reset",
            End::RequestGap => "request_gap",
            End::ResponseGap => "response_gap",
            End::Unpaired => "unpaired",
            End::Truncated => "truncated",
            End::Unwatched => "unwatched",
            End::Crowded => "crowded",
            End::Oversize => "oversize",
            End::Malformed => "malformed",
            End::Upgraded => "upgraded",
            End::Tls => "tls",
            End::Http2 => "http2",
        }
    }

    /// The end that stands for a problem.
    pub(super) fn of(problem: Problem) -> End {
        if problem.is_size() { End::Oversize } else { End::Malformed }
    }
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
