//! Where tshark 4.0 differs from the truth, and why it is tshark that is wrong.

use mirror_tests::traffic::{Connection, Feature};

/// Something that tshark shows otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Index of the connection.
    pub connection: usize,
    /// The exchange.
    pub id: String,
    pub what: What,
}

/// What is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The request is not found.
    Request,
    /// Its body is another.
    RequestBody,
    /// The response is not found.
    Response,
    /// Its body is another.
    ResponseBody,
    /// The response is given to another request, or to none.
    Pair,
    /// A message is shown twice.
    Twice,
}

/// One reason.
struct Reason {
    /// The connection has one of these.
    features: &'static [Feature],
    what: &'static [What],
    /// It hits few messages of such connections, so that many would be a fault of ours.
    rare: bool,
    because: &'static str,
}

const REASONS: &[Reason] = &[
    Reason {
        features: &[Feature::Pipelined],
        what: &[What::Pair],
        rare: false,
        because: "a response is given to the latest request of the connection, not to the oldest that waits",
    },
    Reason {
        features: &[Feature::Pipelined],
        what: &[What::Response, What::ResponseBody],
        rare: false,
        because: "whether a response has a body follows from the method of the request it is given to, here the \
                  wrong one: a HEAD takes the body from the response before it, and a response to HEAD takes what \
                  follows for its body",
    },
    Reason {
        features: &[Feature::Interim, Feature::ContinueAccepted],
        what: &[What::Pair],
        rare: false,
        because: "an interim response takes the place of the final one if the request is whole already, and the final one \
                  is left without a request",
    },
    Reason {
        features: &[Feature::Early, Feature::ContinueIgnored],
        what: &[What::Pair],
        rare: false,
        because: "a request is known only once it is whole, so a response before that has none",
    },
    Reason {
        features: &[Feature::ContinueRefused],
        what: &[What::Request],
        rare: false,
        because: "a request whose body never comes is never shown",
    },
    Reason {
        features: &[Feature::Connect],
        what: &[What::Pair],
        rare: false,
        because: "the head of a 2xx to CONNECT is held back at times until bytes of the tunnel come, and then it is \
                  given to no request",
    },
    Reason {
        features: &[Feature::Overlapped, Feature::Retransmitted, Feature::Reordered, Feature::ZeroWindow],
        what: &[What::Request, What::RequestBody, What::Response, What::ResponseBody, What::Pair],
        rare: true,
        because: "a segment that repeats bytes and adds new ones is at times reassembled to the wrong place: the \
                  message is malformed, or what follows it on the connection is taken for a continuation",
    },
];

/// Of a thousand messages, so many may be hit by what is rare.
pub const RARE_PER_MILLE: usize = 15;

/// Whether it is known that tshark differs so on such a connection, and if so, whether that is rare.
pub fn explained(connection: &Connection, what: What) -> Option<bool> {
    let fits = |reason: &&Reason| connection.has_any(reason.features) && reason.what.contains(&what);
    let fitting: Vec<&Reason> = REASONS.iter().filter(fits).collect();
    assert!(fitting.iter().all(|reason| !reason.because.is_empty()));
    (!fitting.is_empty()).then(|| fitting.iter().all(|reason| reason.rare))
}
