//! Single values: a table for each kind that configurations and the command line do not already show.

use std::fmt::Debug;
use std::time::Duration;

use super::*;

#[track_caller]
fn accepts<T: Debug + PartialEq>(parse: fn(&str) -> Result<T, String>, cases: &[(&str, T)]) {
    for (text, expected) in cases {
        assert_eq!(parse(text).as_ref(), Ok(expected), "{text:?}");
    }
}

#[track_caller]
fn refuses<T: Debug>(parse: fn(&str) -> Result<T, String>, cases: &[&str]) {
    for text in cases {
        assert!(parse(text).is_err(), "{text:?} gave {:?}", parse(text));
    }
}

#[test]
fn endpoints() {
    let v4 = |a, port| SocketAddr::new(IpAddr::from(a), port);
    accepts(
        endpoint,
        &[
            ("10.0.0.4:80", v4([10, 0, 0, 4], 80)),
            ("0.0.0.0:65535", v4([0, 0, 0, 0], 65535)),
            ("[::ffff:10.0.0.4]:80", v4([10, 0, 0, 4], 80)),
            ("[fd00::4]:80", SocketAddr::new(IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 4]), 80)),
        ],
    );
    refuses(
        endpoint,
        &["", "80", ":80", "10.0.0.4", "10.0.0.4:", "10.0.0.4:65536", "10.0.0:80", "localhost:80"],
    );
    refuses(
        endpoint,
        &["[ff02::1]:80", "224.0.0.1:80", "[::ffff:224.0.0.1]:80", "10.0.0.4:0", " 10.0.0.4:80"],
    );
}

#[test]
fn patterns_of_interfaces() {
    for good in ["eth0", "veth*", "*", "eth[0-3]", "lan?", "a-name-longer-than-one-can-be-but-a-pattern*"] {
        assert_eq!(super::interfaces(good).unwrap(), good);
    }
    for (bad, why) in [
        ("a b*", "no space"),
        ("veth*/0", "slash"),
        ("veth**", "is no pattern"),
        ("eth[0", "is no pattern"),
        ("", "must not be empty"),
        ("sixteen-letters-", "longer than the 15 bytes"),
    ] {
        let said = super::interfaces(bad).unwrap_err();
        assert!(said.contains(why), "{bad}: {said}");
    }
    assert_eq!(on_displaced("reattach"), Ok(OnDisplaced::Reattach));
    assert!(on_displaced("fight").unwrap_err().contains("neither report nor reattach"));
}

#[test]
fn interfaces() {
    for name in ["lo", "eth0.100", "br-7", "fifteen-letters", "é", "-"] {
        assert_eq!(interface(name).as_deref(), Ok(name));
    }
    refuses(interface, &["", ".", "..", "a/b", "a:b", "a b", "a\n", "a\0b", "sixteen-letters-"]);
}

#[test]
fn times() {
    let s = Duration::from_secs;
    accepts(
        duration,
        &[("5s", s(5)), ("1m 30s", s(90)), ("1h", s(3600)), ("250ms", Duration::from_millis(250))],
    );
    refuses(duration, &["", "5", "-5s", "0s", "2years", "99999999999999999999s", "1e3s", "s"]);
}

#[test]
fn sizes() {
    accepts(
        bytes,
        &[("1", 1), ("1B", 1), ("100MB", 100_000_000), ("1GiB", 1 << 30), ("1.5KiB", 1536), ("1 kB", 1000)],
    );
    refuses(bytes, &["", "0", "0MB", "-1", "GB", "1.2.3MB", "1XB", "inf", "NaN"]);
}

#[test]
fn numbers() {
    accepts(rate, &[("1", 1), ("1000000", 1_000_000), ("007", 7)]);
    refuses(rate, &["", "0", "1000001", "4294967297", "+1", "-1", "1.0", "1_000", " 1", "٥"]);
    accepts(at_once, &[("65536", 65_536)]);
    refuses(at_once, &["65537"]);
}

#[test]
fn tokens() {
    for name in ["GET", "PROPFIND", "get2", "M-SEARCH", "x!#$%&'*+-.^_`|~"] {
        assert_eq!(method(name).as_deref(), Ok(name));
    }
    refuses(method, &["", "GET ", "G:T", "G\u{e9}T", "G\"", "Get", "delete", "CONNECT", "G\r\nX"]);
    accepts(header, &[("X-Build", "x-build".to_owned())]);
    refuses(header, &["", "x build", "x:", "x\r\n"]);
}

#[test]
fn paths() {
    refuses(path_prefix, &["", "api", "/a b", "/\u{e9}", "/\n"]);
    refuses(field_path, &["", " ", "a\nb"]);
    refuses(socket_path, &["", "a\0b", &"x".repeat(108)]);
    assert!(socket_path(&"x".repeat(107)).is_ok());
}
