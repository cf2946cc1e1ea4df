//! Which service and version a packet belongs to, and who sent it.

use mirror_common::count::{Skip, side};
use mirror_common::flow::{Address, Endpoint, EndpointKey, role};
use mirror_common::policy::Control;

use crate::maps::ENDPOINTS_BY_KEY;
use crate::opaque;
use crate::packet::Packet;

/// The service's end of a packet, and the side that sent it.
pub struct Match {
    pub endpoint: Endpoint,
    pub side: u8,
}

/// The side follows from which end is known, never from the hook: a veth turns ingress and egress round.
#[inline(always)]
pub fn find(packet: &Packet, control: &Control) -> Result<Match, Skip> {
    // A bit is cheaper than a lookup, and most packets have one port that is an endpoint's.
    if control.has_port(packet.target_port)
        && let Some(endpoint) = lookup(&packet.target, packet.target_port, packet.protocol)
    {
        return Ok(Match { endpoint, side: side::CLIENT });
    }
    if control.has_port(packet.source_port)
        && let Some(endpoint) = lookup(&packet.source, packet.source_port, packet.protocol)
    {
        return Ok(Match { endpoint, side: side::SERVER });
    }
    if control.any_address != 0 {
        let any = [opaque::number(0) as u32; 4]; // the compiler would clear it by a call
        if let Some(endpoint) = lookup(&any, packet.target_port, packet.protocol) {
            return Ok(Match { endpoint, side: side::CLIENT });
        }
        if let Some(endpoint) = lookup(&any, packet.source_port, packet.protocol) {
            return Ok(Match { endpoint, side: side::SERVER });
        }
    }
    if control.everything != 0 {
        return Ok(Match { endpoint: everything(), side: guess(packet) });
    }
    Err(Skip::Unmatched)
}

#[inline(always)]
fn everything() -> Endpoint {
    Endpoint { service: 0, version: 0, role: role::PRIMARY, zero: 0 }
}

/// Without a known endpoint the lower port is taken for the service's.
#[inline(always)]
fn guess(packet: &Packet) -> u8 {
    let to_lower = u16::from_be(packet.target_port) <= u16::from_be(packet.source_port);
    if to_lower { side::CLIENT } else { side::SERVER }
}

#[inline(always)]
fn lookup(address: &Address, port: u16, protocol: u8) -> Option<Endpoint> {
    let key = EndpointKey { address: *address, port, protocol, zero: 0 };
    // SAFETY: the agent writes endpoints before it attaches and never changes one in place.
    unsafe { ENDPOINTS_BY_KEY.get(key) }.copied()
}
