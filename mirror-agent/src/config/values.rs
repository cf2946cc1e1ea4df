//! One value at a time: text in, checked value out, with a reason that says what to write instead.
//! Flags and the file share these, so both refuse the same texts in the same words.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::{OnDisplaced, Role, Share};
use crate::compare::{Redactor, Rules, Tolerance, VOLATILE_HTML, WELL_KNOWN, check_expression, check_path};
use crate::judge::Again;
use crate::route;

/// A socket path longer than this cannot be bound: `sun_path` holds 108 bytes and ends in a zero.
const SOCKET_PATH_MAX: usize = 107;
/// A longer time is a slip of the unit (`M` is months), and far longer ones overflow the clock.
const DURATION_MAX: Duration = Duration::from_secs(366 * 24 * 3600);

/// The address and port of one version. IPv4 mapped into IPv6 becomes plain IPv4: that is what is on the wire.
/// Address zero is accepted: as v1 it means any address of this host.
pub fn endpoint(text: &str) -> Result<SocketAddr, String> {
    let addr = listen(text)?;
    match addr.ip() {
        _ if addr.port() == 0 => Err(format!("{text} has port 0, which no service listens on")),
        ip if ip.is_multicast() => Err(format!("{text} is a multicast address, not a service")),
        IpAddr::V4(Ipv4Addr::BROADCAST) => Err(format!("{text} is the broadcast address, not a service")),
        _ => Ok(addr),
    }
}

/// An address to listen on; port 0 lets the kernel choose one.
pub fn listen(text: &str) -> Result<SocketAddr, String> {
    if let Ok(addr) = text.parse::<SocketAddr>() {
        let ip = addr.ip().to_canonical();
        return Ok(if ip == addr.ip() { addr } else { SocketAddr::new(ip, addr.port()) });
    }
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => Err(format!("{text} has no port: write for example {ip}:8080")),
        Ok(IpAddr::V6(ip)) => Err(format!("{text} has no port: write for example [{ip}]:8080")),
        Err(_) => {
            Err(format!("{text:?} is not ADDR:PORT: write for example 10.0.0.4:8080 or [fd00::4]:8080"))
        }
    }
}

/// The name of a network interface, by the kernel's own rule (`dev_valid_name`).
pub fn interface(text: &str) -> Result<String, String> {
    let shown = text.escape_debug();
    match text {
        "" => Err("an interface name must not be empty".to_owned()),
        "." | ".." => Err(format!("\"{shown}\" is not an interface name")),
        _ if text.len() > 15 => Err(format!("\"{shown}\" is longer than the 15 bytes of an interface name")),
        _ if text.bytes().any(|b| matches!(b, b'/' | b':' | 0) || b.is_ascii_whitespace()) => {
            Err(format!("\"{shown}\" is not an interface name: no space, slash or colon may be in it"))
        }
        _ => Ok(text.to_owned()),
    }
}

/// Whether a text is a pattern of interface names and not a name.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The name of a network interface, or a pattern of names: `*` is any text, `?` any letter, `[a-c]` one of these.
pub fn interfaces(text: &str) -> Result<String, String> {
    const PATTERN_MAX: usize = 64;
    let shown = text.escape_debug();
    if !is_pattern(text) {
        return interface(text);
    }
    if text.len() > PATTERN_MAX
        || text.bytes().any(|b| matches!(b, b'/' | b':' | 0) || b.is_ascii_whitespace())
    {
        return Err(format!("\"{shown}\" matches no interface name: no space, slash or colon may be in one"));
    }
    match glob::Pattern::new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("\"{shown}\" is no pattern: {}", error.msg)),
    }
}

/// What to do about a displaced tap.
pub fn on_displaced(text: &str) -> Result<OnDisplaced, String> {
    match text {
        "report" => Ok(OnDisplaced::Report),
        "reattach" => Ok(OnDisplaced::Reattach),
        _ => Err(format!("{text:?} is neither report nor reattach")),
    }
}

/// Which version is asked a second time.
pub fn again(text: &str) -> Result<Again, String> {
    match text {
        "off" => Ok(Again::Off),
        "v1" => Ok(Again::V1),
        "v2" => Ok(Again::V2),
        _ => Err(format!("{text:?} is neither v1, v2 nor off")),
    }
}

/// What v2 is.
pub fn role(text: &str) -> Result<Role, String> {
    match text {
        "shadow" => Ok(Role::Shadow),
        "observed" => Ok(Role::Observed),
        _ => Err(format!("{text:?} is neither shadow nor observed")),
    }
}

/// A share that leaves something on both sides.
pub fn split(text: &str) -> Result<Share, String> {
    match part(text)? {
        Share::FULL => Err(format!("{text} leaves nothing for v1")),
        share => Ok(share),
    }
}

/// A share above zero.
pub fn part(text: &str) -> Result<Share, String> {
    match text.parse::<Share>().map_err(|error| error.to_string())? {
        Share::ZERO => Err(format!("{text} is no part at all")),
        share => Ok(share),
    }
}

/// A share above zero and up to a half: beyond, nothing would be claimed.
pub fn small_part(text: &str) -> Result<Share, String> {
    match part(text)? {
        share if share.ppm() > Share::FULL.ppm() / 2 => Err(format!("{text} is more than a half")),
        share => Ok(share),
    }
}

/// A share of good answers: some, and not all, which would leave no error budget to spend.
pub fn objective(text: &str) -> Result<Share, String> {
    match part(text)? {
        Share::FULL => Err(format!(
            "{text} leaves no error budget: the first error would be too many; write for example 99.9%"
        )),
        share => Ok(share),
    }
}

/// The period of an objective.
pub fn period(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        time if time < Duration::from_secs(3600) => Err(format!("{text} is shorter than an hour")),
        time => Ok(time),
    }
}

/// [`part`], or `off`.
pub fn part_or_off(text: &str) -> Result<Option<Share>, String> {
    or_off(text, part)
}

/// [`duration`], or `off`.
pub fn duration_or_off(text: &str) -> Result<Option<Duration>, String> {
    or_off(text, duration)
}

/// [`bytes()`], or `off`.
pub fn bytes_or_off(text: &str) -> Result<Option<u64>, String> {
    or_off(text, bytes)
}

/// A part of one processor, or several of them, in parts per million; or `off`.
pub fn processors_or_off(text: &str) -> Result<Option<u64>, String> {
    or_off(text, |text| match text.strip_suffix('%').map(|number| number.trim().parse::<f64>()) {
        Some(Ok(percent)) if percent > 0.0 && percent <= 1e6 => Ok((percent * 1e4) as u64),
        _ => {
            Err(format!("{text:?} is no part of a processor: write for example 80%, or 200% for two of them"))
        }
    })
}

fn or_off<T>(text: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, String> {
    match text {
        "off" => Ok(None),
        _ => read(text).map(Some).map_err(|why| format!("{why}; or off")),
    }
}

/// The name of a service: it becomes a metric label, so its letters are few.
pub fn service_name(text: &str) -> Result<String, String> {
    let plain = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
    if plain && (1..=32).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is not a service name: 1 to 32 of a-z, 0-9, _ and -"))
}

/// The name of a ring: a metric label too, where rules without a ring have their number and all others are the rest.
pub fn ring_name(text: &str) -> Result<String, String> {
    match service_name(text) {
        Ok(name) if name == "rest" => Err("rest is what is in no ring: choose another name".to_owned()),
        Ok(name) if name.starts_with(|first: char| first.is_ascii_lowercase()) => Ok(name),
        _ => Err(format!("{text:?} is not a ring's name: 1 to 32 of a-z, 0-9, _ and -, a letter first")),
    }
}

/// An HTTP method (RFC 9110 section 9.1: a token, and its case counts).
pub fn method(text: &str) -> Result<String, String> {
    const KNOWN: [&str; 8] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"];
    let upper = text.to_ascii_uppercase();
    if !is_token(text) {
        Err(format!("{text:?} is not an HTTP method"))
    } else if text != upper && KNOWN.contains(&upper.as_str()) {
        Err(format!("methods are case-sensitive: write {upper}, not {text}"))
    } else if text == "CONNECT" {
        Err("CONNECT opens a tunnel and cannot be replayed".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// The name of a header field, in lower case (RFC 9110 section 5.1: a token, and its case does not count).
pub fn header(text: &str) -> Result<String, String> {
    if is_token(text) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(format!("{text:?} is not a header name"))
}

/// The beginning of a request path.
pub fn path_prefix(text: &str) -> Result<String, String> {
    if text.starts_with('/') && text.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is not the beginning of a path: it starts with / and has no space"))
}

/// The path of a field in an answer, for example `body.items[*].id`.
pub fn field_path(text: &str) -> Result<String, String> {
    if !text.trim().is_empty() && !text.chars().any(char::is_control) {
        return check_path(text).map(|()| text.to_owned()).map_err(|error| error.to_string());
    }
    Err(format!("{text:?} is not the path of a field: write for example body.items[*].id"))
}

/// The path of a member that tells the elements of an array apart.
pub fn key_path(text: &str) -> Result<String, String> {
    let path = field_path(text)?;
    let key = Rules::default().add_key(&path);
    key.map(|()| path).map_err(|_| format!("{text:?} is no key: write for example body.items[*].sku"))
}

/// The name of a rule of compare: a label in the metrics.
pub fn hiding_name(text: &str) -> Result<String, String> {
    let plain = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
    if text == WELL_KNOWN || text == VOLATILE_HTML {
        return Err(format!("{text} is what is counted under that is left out by default"));
    }
    if plain && (1..=64).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is not the name of a rule: 1 to 64 of a-z, 0-9, _ and -"))
}

/// Which requests: a path with `{NAME}` for any one segment, and `*` at the end for whatever follows.
pub fn route(text: &str) -> Result<String, String> {
    route::Pattern::parse(text).map(|_| text.to_owned())
}

/// A regular expression.
pub fn expression(text: &str) -> Result<String, String> {
    check_expression(text).map(|()| text.to_owned())
}

/// A regular expression of secrets.
pub fn secret_pattern(text: &str) -> Result<String, String> {
    Redactor::default().add_pattern(text).map(|()| text.to_owned())
}

/// A part of the names of secrets.
pub fn secret_name(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_alphanumeric) {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is in no name: it has neither letter nor digit"))
}

/// How far two numbers may be apart: `0.01`, or a part of them, `1%`.
pub fn tolerance(text: &str) -> Result<Tolerance, String> {
    let (number, part) = text.strip_suffix('%').map_or((text, false), |number| (number, true));
    match number.trim_end().parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() && !part => Ok(Tolerance::Absolute(number)),
        Ok(number) if number > 0.0 && number < 100.0 => Ok(Tolerance::Relative(number / 100.0)),
        _ => Err(format!("{text:?} is no tolerance: write for example 0.01, or 1% for a part of the larger")),
    }
}

/// A time above zero, and at most a year.
pub fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time.is_zero() => Err(format!("{text} is no time at all")),
        Ok(time) if time > DURATION_MAX => Err(format!("{text} is longer than a year")),
        Ok(time) => Ok(time),
        Err(_) => Err(format!("{text:?} is not a time: write for example 5s, 250ms or 1m 30s")),
    }
}

/// How much of a rate may come at once, as a time. Shorter than 1 ms no batch of packets would pass.
pub fn burst(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        time if time < Duration::from_millis(1) => Err(format!("{text} is shorter than 1ms")),
        time if time > Duration::from_secs(60) => Err(format!("{text} is longer than a minute")),
        time => Ok(time),
    }
}

/// A number of bytes above zero. `kB`, `MB`, `GB` are powers of 1000, `KiB`, `MiB`, `GiB` of 1024.
pub fn bytes(text: &str) -> Result<u64, String> {
    match text.parse::<bytesize::ByteSize>() {
        Ok(size) if size.as_u64() == 0 => Err(format!("{text} is no size at all")),
        Ok(size) => Ok(size.as_u64()),
        Err(_) => Err(format!("{text:?} is not a size: write for example 100MB or 1GiB")),
    }
}

/// A number of requests per second. Zero is refused, because a share of 0% says it better.
pub fn rate(text: &str) -> Result<u32, String> {
    whole(text, 1..=1_000_000)
}

/// A number of requests or connections at once; more would find no free port towards one v2.
pub fn at_once(text: &str) -> Result<u32, String> {
    whole(text, 1..=65_536)
}

/// A cap of the kernel's token buckets, in packets or connections per second.
pub fn cap(text: &str) -> Result<u64, String> {
    whole(text, 1..=1_000_000_000)
}

/// A number of worker threads; the kernel fans one packet socket group out to 256 members everywhere.
pub fn workers(text: &str) -> Result<usize, String> {
    whole(text, 1..=256)
}

/// `true` or `false`.
pub fn flag(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| format!("{text:?} is neither true nor false"))
}

/// The path of a Unix socket, short enough to be bound.
pub fn socket_path(text: &str) -> Result<PathBuf, String> {
    if text.len() > SOCKET_PATH_MAX {
        return Err(format!("{text} is longer than the {SOCKET_PATH_MAX} bytes of a socket path"));
    }
    file_path(text)
}

/// The path of a file.
pub fn file_path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() || text.contains('\0') {
        return Err("a path must not be empty".to_owned());
    }
    Ok(PathBuf::from(text))
}

fn whole<T: FromStr + PartialOrd + Display>(text: &str, range: RangeInclusive<T>) -> Result<T, String> {
    let (low, high) = (range.start(), range.end());
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("{text:?} is not a whole number from {low} to {high}"));
    }
    match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("{text} is not from {low} to {high}")),
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests;
