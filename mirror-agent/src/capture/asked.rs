//! What was asked for: which interfaces, whose packets, and which end of them is the service.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Result, bail};

use crate::cli::Capture;
use crate::config::ShadowInterface;
use crate::kernel::{interface, shadow};
use crate::packet::{Segment, Side};

/// Whose packets are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Those of one address and port.
    Endpoint(SocketAddr),
    /// Those of a port at any address.
    Port(u16),
    /// All TCP and UDP.
    Everything,
}

impl Wanted {
    pub(super) fn by(args: &Capture) -> Wanted {
        match (args.v1, args.port) {
            (Some(v1), _) if v1.ip().is_unspecified() => Wanted::Port(v1.port()),
            (Some(v1), _) => Wanted::Endpoint(v1),
            (None, Some(port)) => Wanted::Port(port),
            (None, None) => Wanted::Everything,
        }
    }

    /// The end that sent a segment, as the tap decides it; without a known endpoint the lower port is the service's.
    pub(super) fn sender(self, segment: &Segment<'_>) -> Side {
        let to_service = match self {
            Wanted::Endpoint(service) => segment.to == service,
            Wanted::Port(port) => segment.to.port() == port,
            Wanted::Everything => segment.to.port() <= segment.from.port(),
        };
        if to_service { Side::Client } else { Side::Server }
    }

    /// The same as an expression of libpcap.
    pub(super) fn filter(self) -> String {
        match self {
            Wanted::Endpoint(service) => format!("host {} and port {}", service.ip(), service.port()),
            Wanted::Port(port) => format!("port {port}"),
            Wanted::Everything => "tcp or udp".into(),
        }
    }

    /// The endpoint to tell the kernel; `None` for everything.
    pub(super) fn endpoint(self) -> Option<SocketAddr> {
        match self {
            Wanted::Endpoint(service) => Some(service),
            Wanted::Port(port) => Some(SocketAddr::new(IpAddr::from([0; 4]), port)),
            Wanted::Everything => None,
        }
    }
}

/// The interfaces to tap, each once.
///
/// # Errors
///
/// When one does not exist, or the clones would pass a tap again.
pub(super) fn interfaces(args: &Capture) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for name in &args.interfaces {
        interface::require(name)?;
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    if let Some(shadow) = &args.shadow_interface {
        match shadow {
            ShadowInterface::Existing(name) => {
                interface::require(name)?;
                shadow::check_not_tapped(name, &names)?;
            }
            ShadowInterface::Tunnel(tunnel) => {
                crate::kernel::tunnel::check(tunnel)?;
                if Wanted::by(args).endpoint().is_some_and(|end| tunnel.meets(end)) {
                    bail!(
                        "--shadow-interface {shadow} leads to what is captured: the clones would be cloned again"
                    );
                }
            }
        }
        if Wanted::by(args) == Wanted::Everything {
            // A tunnel's packets leave by a tapped interface, and would match again, and again.
            bail!(
                "--shadow-interface needs --port or --v1: a copy of everything could be copied again on its way"
            );
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Flags;
    use crate::time::Nanos;

    const CLIENT: &str = "10.0.0.1:40000";
    const SERVICE: &str = "10.0.0.2:8080";

    #[track_caller]
    fn check(wanted: Wanted, from: &str, to: &str, expected: Side) {
        let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
        let flags = Flags::default();
        let segment = Segment { at: Nanos(0), from, to, seq: 0, ack: 0, flags, payload: &[], missing: 0 };
        assert_eq!(wanted.sender(&segment), expected, "{wanted:?}");
    }

    #[test]
    fn the_side_follows_from_who_is_the_service() {
        for wanted in [Wanted::Endpoint(SERVICE.parse().unwrap()), Wanted::Port(8080), Wanted::Everything] {
            check(wanted, CLIENT, SERVICE, Side::Client);
            check(wanted, SERVICE, CLIENT, Side::Server);
        }
        check(Wanted::Port(40_000), SERVICE, CLIENT, Side::Client);
        check(Wanted::Everything, "10.0.0.1:53", "10.0.0.2:53", Side::Client);
    }

    #[test]
    fn a_filter_reads_as_libpcap_does() {
        assert_eq!(Wanted::Endpoint("[fd00::4]:80".parse().unwrap()).filter(), "host fd00::4 and port 80");
        assert_eq!(Wanted::Port(80).filter(), "port 80");
    }
}
