//! What is known of a packet once it is known whose it is.

use mirror_common::count::side;
use mirror_common::flow::{Flow, mark, role};
use mirror_common::policy::ServicePolicy;

use crate::endpoint::Match;
use crate::packet::Packet;

/// The service, version and side that a packet belongs to.
#[derive(Clone, Copy)]
pub struct Subject {
    pub service: u8,
    pub version: u8,
    pub role: u8,
    pub side: u8,
}

impl Subject {
    /// Of a connection that has no entry yet.
    #[inline(always)]
    pub fn matched(matched: &Match) -> Self {
        let endpoint = matched.endpoint;
        Subject {
            service: endpoint.service,
            version: endpoint.version,
            role: endpoint.role,
            side: matched.side,
        }
    }

    /// Of a connection that has one: its entry says it, without another lookup.
    #[inline(always)]
    pub fn of(flow: &Flow, from_low: bool) -> Self {
        let client_is_low = flow.marks & mark::CLIENT_IS_LOW != 0;
        let side = if client_is_low == from_low { side::CLIENT } else { side::SERVER };
        Subject { service: flow.service, version: flow.version, role: flow.role, side }
    }

    /// Whether it is v1's, whose packets are mirrored and counted.
    #[inline(always)]
    pub fn is_primary(self) -> bool {
        self.role == role::PRIMARY
    }

    /// Where its packets are counted.
    #[inline(always)]
    pub fn side_index(self) -> u32 {
        self.service as u32 * 2 + self.side as u32
    }
}

/// A packet, whose it is, and what was decided for its connection.
pub struct Sighting<'a> {
    /// `CLOCK_MONOTONIC` in nanoseconds; 0 where nobody will ask.
    pub now: u64,
    pub packet: &'a Packet,
    pub subject: Subject,
    pub policy: &'a ServicePolicy,
}

/// What holds for a connection, decided at its first packet.
#[derive(Clone, Copy)]
pub struct Decided {
    /// A [`mirror_common::flow::decision`].
    pub decision: u8,
    /// The slot of the rule that decided, its generation then, and its ring.
    pub rule: u8,
    pub generation: u8,
    pub ring: u8,
}

impl Decided {
    /// As the connection's entry holds it.
    #[inline(always)]
    pub fn by(flow: &Flow) -> Self {
        Decided { decision: flow.decision, rule: flow.rule, generation: flow.generation, ring: flow.ring }
    }
}
