//! HTTP/1.x as an observer reads it: the bytes of one direction in, messages out.
//! What two readers could understand differently is refused, because v1 and v2 are two readers (RFC 9112, 11.2).

mod body;
mod chunked;
mod content;
mod fields;
mod framing;
mod head;
mod headers;
mod message;
mod problem;
mod request;
mod response;
mod start_line;
#[cfg(test)]
mod tests;

pub use framing::Asked;
pub use headers::Headers;
pub use message::{Body, Method, Request, Response, Version};
pub use problem::Problem;
pub use request::{Begun, Partial, RequestDecoder, RequestGap, RequestItem};
pub use response::{ResponseDecoder, ResponseItem};
pub(crate) use start_line::{RESPONSE_START, begins_request, begins_response};

/// How much of a connection is kept. What happens beyond each limit is said at the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a head, and of a trailer section. Beyond: refused.
    pub head: usize,
    /// Field lines of a head, and of a trailer section. Beyond: refused.
    pub headers: usize,
    /// Bytes of a request's body as framed on the wire. Beyond: decoded on, not kept, ends as oversize.
    pub request_body: u64,
    /// Bytes of a response's content. Beyond: hashed, not kept.
    pub response_body: usize,
    /// Interim (1xx) responses before one final response. Beyond: refused.
    pub interim: u32,
    /// Requests of one connection that wait for their response. Beyond: the connection is given up.
    pub pipeline: usize,
    /// Bytes of whole requests of one connection that wait for their response. Beyond: the newest is oversize.
    pub pending: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head: 64 << 10,
            headers: 256,
            request_body: 16 << 20,
            response_body: 1 << 20,
            interim: 32,
            pipeline: 128,
            pending: 32 << 20,
        }
    }
}
