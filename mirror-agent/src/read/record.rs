//! One exchange as it is shown: complete, or as far as it was seen.

use std::net::SocketAddr;
use std::time::Duration;

use crate::http::{Body, Request, Response};
use crate::time::Nanos;

/// The `end` of an exchange of which both messages are whole.
pub const COMPLETE: &str = "complete";

/// One exchange, as far as it was seen.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// From 1, in the order in which exchanges end.
    pub id: u64,
    /// From 1, in the order in which connections were first seen.
    pub connection: u64,
    /// The end that asks.
    pub client: SocketAddr,
    /// The end that answers.
    pub server: SocketAddr,
    /// What was asked, as far as it was seen.
    pub request: Option<&'a Request>,
    /// What was answered, as far as it was seen.
    pub response: Option<&'a Response>,
    /// How it ended, in snake case; [`COMPLETE`] if nothing is missing.
    pub end: &'static str,
    /// What was odd about it, in snake case.
    pub problems: &'a [&'static str],
}

impl Record<'_> {
    /// Whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.end == COMPLETE
    }

    /// When its first byte was seen, of the request if there is one.
    pub fn start(&self) -> Option<Nanos> {
        self.request.map(|request| request.started).or(self.response.map(|response| response.started))
    }

    /// From the last byte of the request to the first of the response. None if anything is missing, and none for an
    /// answer that began before the request ended.
    pub fn ttfb(&self) -> Option<Duration> {
        between(self.whole_request()?.finished, self.whole_response()?.started)
    }

    /// From the first byte of the request to the last of the response. None if anything is missing.
    pub fn total(&self) -> Option<Duration> {
        between(self.whole_request()?.started, self.whole_response()?.finished)
    }

    fn whole_request(&self) -> Option<&Request> {
        self.request.filter(|_| self.is_complete())
    }

    fn whole_response(&self) -> Option<&Response> {
        self.response.filter(|_| self.is_complete())
    }
}

/// What is known of a body.
#[derive(Clone, Copy, Debug)]
pub struct SeenBody<'a> {
    /// The body.
    pub body: &'a Body,
    /// Whether the message it belongs to is whole.
    pub whole: bool,
}

impl SeenBody<'_> {
    /// The digest of the whole content; none if the message broke off.
    pub fn sha256(&self) -> Option<[u8; 32]> {
        if self.whole { self.body.sha256() } else { None }
    }

    /// Bytes that are held, if they are fewer than were seen.
    pub fn kept_bytes(&self) -> Option<u64> {
        let kept = self.body.kept.len() as u64;
        (kept < self.body.len).then_some(kept)
    }
}

/// None where the clock went backwards.
fn between(from: Nanos, to: Nanos) -> Option<Duration> {
    to.0.checked_sub(from.0).map(Duration::from_nanos)
}

#[cfg(test)]
pub(super) mod tests;
