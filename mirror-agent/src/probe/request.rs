//! What a probe sends: the same bytes to both versions.

use std::net::SocketAddr;

use super::Spec;
use crate::rewrite::MARKER;

/// The header that tells a version which probe a request is.
pub const TAG: &str = "x-mirror-probe";

/// The request, with `host` as its Host if the probe names none. It is the only one on its connection.
///
/// Besides the tag it carries the marker of copies: where the socket's mark cannot be seen, because v1 is on another host,
/// that keeps it from being mirrored.
pub fn wire(probe: &Spec, host: SocketAddr) -> Vec<u8> {
    let (marker, value) = MARKER;
    let named = |name: &str| probe.headers.iter().any(|(given, _)| given == name);
    let mut text = format!("{} {} HTTP/1.1\r\n", probe.method, probe.path);
    for (name, value) in [("host", host.to_string()), ("user-agent", "mirror-agent".to_owned())] {
        if !named(name) {
            text += &format!("{name}: {value}\r\n");
        }
    }
    text += &format!("{marker}: {value}\r\n{TAG}: {}\r\n", probe.name);
    for (name, value) in &probe.headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += "connection: close\r\n\r\n";
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::{EVERY, Expect, TIMEOUT};

    #[test]
    fn what_is_sent() {
        let mut probe = Spec {
            name: "health".into(),
            method: "GET".into(),
            path: "/healthz?deep=1".into(),
            headers: Vec::new(),
            every: EVERY,
            timeout: TIMEOUT,
            expect: Expect::default(),
        };
        let sent = |probe: &Spec| String::from_utf8(wire(probe, "10.0.0.4:80".parse().unwrap())).unwrap();
        assert_eq!(
            sent(&probe),
            "GET /healthz?deep=1 HTTP/1.1\r\nhost: 10.0.0.4:80\r\nuser-agent: mirror-agent\r\n\
             x-mirror-shadow: 1\r\nx-mirror-probe: health\r\nconnection: close\r\n\r\n"
        );
        probe.headers = vec![("host".into(), "shop".into()), ("accept".into(), "*/*".into())];
        assert_eq!(
            sent(&probe),
            "GET /healthz?deep=1 HTTP/1.1\r\nuser-agent: mirror-agent\r\n\
             x-mirror-shadow: 1\r\nx-mirror-probe: health\r\nhost: shop\r\naccept: */*\r\nconnection: close\r\n\r\n"
        );
    }
}
