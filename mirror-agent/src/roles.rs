//! Which end of a connection is the service, in traffic of which nobody said so.

use std::net::SocketAddr;

use hashbrown::HashSet;

use crate::http::{begins_request, begins_response};
use crate::packet::{End, Flags, FlowKey, Segment, Side};

/// Endpoints that are remembered as services. Beyond them, each segment is judged by itself.
const REMEMBERED: usize = 65_536;

/// Knows the services: those it was told of, or else those it finds.
#[derive(Debug)]
pub struct Roles {
    services: HashSet<End>,
    is_told: bool,
    unremembered: u64,
}

impl Roles {
    /// Only these are services. An unspecified address stands for every address.
    pub fn told(services: impl IntoIterator<Item = SocketAddr>) -> Roles {
        Roles { services: services.into_iter().map(End).collect(), is_told: true, unremembered: 0 }
    }

    /// Finds them: by the handshake (RFC 9293, section 3.5), by what begins a segment, and else by the lower port.
    pub fn found() -> Roles {
        Roles { services: HashSet::new(), is_told: false, unremembered: 0 }
    }

    /// The sender's side and the connection; `None` if neither end is a service.
    pub fn place(&mut self, segment: &Segment<'_>) -> Option<(Side, FlowKey)> {
        let side = if self.is_told { self.told_side(segment)? } else { self.found_side(segment) };
        let key = match side {
            Side::Client => FlowKey { client: segment.from, server: segment.to },
            Side::Server => FlowKey { client: segment.to, server: segment.from },
        };
        Some((side, key))
    }

    /// Times a service was found and not remembered, because there are too many.
    pub fn unremembered(&self) -> u64 {
        self.unremembered
    }

    fn told_side(&self, segment: &Segment<'_>) -> Option<Side> {
        let is_service = |end: SocketAddr| {
            let any = if end.is_ipv4() { [0, 0, 0, 0].into() } else { [0_u16; 8].into() };
            self.services.contains(&End(end))
                || self.services.contains(&End(SocketAddr::new(any, end.port())))
        };
        match (is_service(segment.to), is_service(segment.from)) {
            (true, _) => Some(Side::Client),
            (false, true) => Some(Side::Server),
            (false, false) => None,
        }
    }

    fn found_side(&mut self, segment: &Segment<'_>) -> Side {
        if segment.flags.has(Flags::SYN) {
            let side = if segment.flags.has(Flags::ACK) { Side::Server } else { Side::Client };
            return self.found_by(segment, side);
        }
        match (self.services.contains(&End(segment.to)), self.services.contains(&End(segment.from))) {
            (true, false) => Side::Client,
            (false, true) => Side::Server,
            _ if begins_request(segment.payload) => self.found_by(segment, Side::Client),
            _ if begins_response(segment.payload) => self.found_by(segment, Side::Server),
            _ if segment.from.port() < segment.to.port() => Side::Server,
            _ => Side::Client,
        }
    }

    fn found_by(&mut self, segment: &Segment<'_>, sender: Side) -> Side {
        let service = End(if sender == Side::Client { segment.to } else { segment.from });
        if self.services.len() < REMEMBERED {
            self.services.insert(service);
        } else if !self.services.contains(&service) {
            self.unremembered += 1;
        }
        sender
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Nanos;

    const SYN: u8 = Flags::SYN;
    const ACK: u8 = Flags::ACK;

    fn from_to(roles: &mut Roles, from: u16, to: u16, flags: u8, payload: &str) -> Option<Side> {
        let end = |port: u16| SocketAddr::from(([10, 0, 0, (port % 251) as u8], port));
        let segment = Segment {
            at: Nanos(0),
            from: end(from),
            to: end(to),
            seq: 0,
            ack: 0,
            flags: Flags(flags),
            payload: payload.as_bytes(),
            missing: 0,
        };
        let (side, key) = roles.place(&segment)?;
        let service = if side == Side::Client { key.server } else { key.client };
        assert_eq!(service, segment.to, "the key names both ends");
        Some(side)
    }

    #[test]
    fn the_handshake_says_who_is_the_service() {
        let mut roles = Roles::found();
        assert_eq!(from_to(&mut roles, 80, 9000, SYN, ""), Some(Side::Client));
        assert_eq!(from_to(&mut roles, 9000, 80, ACK, "HTTP/1.1 200 OK"), Some(Side::Server));
        assert_eq!(from_to(&mut roles, 80, 9000, ACK, "x"), Some(Side::Client));
        assert_eq!(from_to(&mut roles, 9001, 70, SYN | ACK, ""), Some(Side::Server));
        assert_eq!(from_to(&mut roles, 70, 9001, ACK, "y"), Some(Side::Client));
    }

    #[test]
    fn without_one_what_is_said_does_and_then_the_port() {
        let mut roles = Roles::found();
        assert_eq!(from_to(&mut roles, 1, 2, ACK, "..."), Some(Side::Server));
        assert_eq!(from_to(&mut roles, 2, 1, ACK, "..."), Some(Side::Client));
        assert_eq!(from_to(&mut roles, 1, 2, ACK, "GET / HTTP/1.1\r\n"), Some(Side::Client));
        assert_eq!(from_to(&mut roles, 2, 1, ACK, "..."), Some(Side::Server));
        assert_eq!(from_to(&mut roles, 9, 8, ACK, "HTTP/1.1 200 OK\r\n"), Some(Side::Server));
        assert_eq!(from_to(&mut roles, 8, 9, ACK, "..."), Some(Side::Client));
    }

    #[test]
    fn what_was_told_is_all_there_is() {
        let mut roles = Roles::told([SocketAddr::from(([10, 0, 0, 80], 80))]);
        assert_eq!(from_to(&mut roles, 9, 80, ACK, ""), Some(Side::Client));
        assert_eq!(from_to(&mut roles, 80, 9, SYN, ""), Some(Side::Server));
        assert_eq!(from_to(&mut roles, 9, 81, SYN, ""), None);
        let mut roles = Roles::told([SocketAddr::from(([0, 0, 0, 0], 81))]);
        assert_eq!(from_to(&mut roles, 9, 81, ACK, ""), Some(Side::Client));
    }

    #[test]
    fn too_many_services_are_counted() {
        let mut roles = Roles::found();
        for a in 0..=u16::MAX {
            for last in [1, 2] {
                let to = SocketAddr::from(([10, last, 0, 0], a));
                let from = SocketAddr::from(([10, 9, 9, 9], 9));
                let (at, flags) = (Nanos(0), Flags(SYN));
                let syn = Segment { at, from, to, seq: 0, ack: 0, flags, payload: &[], missing: 0 };
                assert_eq!(roles.place(&syn).map(|(side, _)| side), Some(Side::Client));
            }
        }
        assert_eq!((roles.services.len(), roles.unremembered()), (REMEMBERED, REMEMBERED as u64));
    }
}
