//! The host and the path template of a request: what many requests have in common.
//! `/users/7/orders?page=2` and `/users/8/orders` are both `/users/{id}/orders`.

mod pattern;
mod table;

use std::borrow::Cow;

pub use pattern::Pattern;
pub use table::{MAX_ROUTES, OTHER, Routes};

use crate::http::Request;

/// Bytes of a host. The longest name of the DNS (RFC 1035, section 2.3.4); beyond, it is cut.
pub const HOST: usize = 253;
/// Bytes of a template. Beyond, it is cut and ends with an ellipsis.
pub const TEMPLATE: usize = 256;

/// What stands for a segment that names one thing of many.
const ID: &[u8] = b"{id}";
const NONE: &[u8] = b"-";
const CUT: &[u8] = "…".as_bytes();

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The authority as sent, without user information; `-` if there is none.
    pub host: &'a [u8],
    /// The path as sent, without its query; `*` as it is, and `-` for CONNECT, which has none.
    pub path: &'a [u8],
}

impl<'a> Place<'a> {
    /// Where `request` goes, by the form of its target (RFC 9112, section 3.2).
    pub fn of(request: &'a Request) -> Place<'a> {
        let target = request.target.as_ref();
        if request.method.as_bytes() == b"CONNECT" {
            return Place { host: or_none(target), path: NONE };
        }
        // An absolute target goes before the Host field (RFC 9112, section 3.2.2).
        if let Some((authority, path)) = absolute(target) {
            return Place { host: or_none(authority), path: without_query(path) };
        }
        let host = request.headers.get("host").map_or(NONE, |host| or_none(host));
        Place { host, path: without_query(target) }
    }

    /// The host as it groups: in lower case (RFC 9110, section 4.2.3), and cut.
    pub fn host_key(&self, key: &mut Vec<u8>) {
        key.extend(self.host.iter().take(HOST).map(u8::to_ascii_lowercase));
    }
}

/// Appends the template of `path`. Of a template it is that template again.
pub fn template(path: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    for (index, segment) in path.split(|byte| *byte == b'/').enumerate() {
        if index > 0 {
            out.push(b'/');
        }
        out.extend_from_slice(&in_template(segment));
        if out.len() - start > TEMPLATE {
            let is_inner = |byte: &u8| *byte & 0xc0 == 0x80; // of a character in UTF-8: none is cut in two
            let end = start + TEMPLATE - CUT.len();
            let inner = out.iter().take(end + 1).rev().take(3).take_while(|byte| is_inner(byte)).count();
            out.truncate(end - inner);
            out.extend_from_slice(CUT);
            return;
        }
    }
}

/// Authority and the rest, if the target is in absolute form.
fn absolute(target: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = target.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"+-.".contains(byte))?;
    let rest = target.get(colon..)?.strip_prefix(b"://")?;
    let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let host = authority.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
    Some((host, if path.starts_with(b"/") { path } else { b"/" }))
}

fn without_query(path: &[u8]) -> &[u8] {
    path.split(|byte| *byte == b'?').next().unwrap_or_default()
}

fn or_none(text: &[u8]) -> &[u8] {
    if text.is_empty() { NONE } else { text }
}

fn in_template(segment: &[u8]) -> Cow<'_, [u8]> {
    if is_identifier(segment) {
        return ID.into();
    }
    // A file that is named by an identifier keeps its kind.
    match segment.iter().rposition(|byte| *byte == b'.').map(|dot| segment.split_at(dot)) {
        Some((stem, kind)) if is_kind(kind) && is_identifier(stem) => [ID, kind].concat().into(),
        _ => segment.into(),
    }
}

/// A dot, a letter, and at most four more letters or digits: not the end of a version such as 1.0.
fn is_kind(kind: &[u8]) -> bool {
    matches!(kind, [b'.', first, rest @ ..]
        if first.is_ascii_alphabetic() && rest.len() <= 4 && rest.iter().all(u8::is_ascii_alphanumeric))
}

/// Numbers and dates, UUIDs, long hexadecimal numbers, and long tokens that no person would make up.
pub(crate) fn is_identifier(segment: &[u8]) -> bool {
    let count = |is: fn(&u8) -> bool| segment.iter().filter(|byte| is(byte)).count();
    let (len, digits) = (segment.len(), count(u8::is_ascii_digit));
    if digits == 0 {
        return false;
    }
    let (hex, marks) = (count(u8::is_ascii_hexdigit), count(|byte| b"-_,:".contains(byte)));
    if digits + marks == len || (hex == len && len >= 8) || (hex == 32 && hex + marks == len) {
        return true;
    }
    let (lower, upper) = (count(u8::is_ascii_lowercase), count(u8::is_ascii_uppercase));
    let is_token = digits + lower + upper + count(|byte| b"-_=~%".contains(byte)) == len;
    let is_mixed = lower > 0 && upper > 0;
    len >= 16 && is_token && (is_mixed || digits * 6 >= len)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::{Body, Headers, Method, Version};
    use crate::time::Nanos;
    use bytes::Bytes;

    fn headers(lines: &[(&str, &[u8])]) -> Headers {
        let line = |(name, value): &(&str, &[u8])| {
            (Bytes::copy_from_slice(name.as_bytes()), Bytes::copy_from_slice(value))
        };
        lines.iter().map(line).collect()
    }

    fn request(method: &str, target: &[u8]) -> Request {
        Request {
            method: Method::new(method.to_owned()).unwrap(),
            target: Bytes::copy_from_slice(target),
            version: Version::Http11,
            headers: headers(&[]),
            body: Body { kept: Bytes::new(), len: 0, digest: None, whole: true },
            wire: Bytes::new(),
            line_end: 0,
            whole: true,
            started: Nanos(0),
            finished: Nanos(0),
        }
    }

    fn of(path: &[u8]) -> Vec<u8> {
        let mut out = b"before".to_vec();
        template(path, &mut out);
        out.split_off(6)
    }

    #[test]
    fn templates() {
        let cases = [
            ("/", "/"),
            ("", ""),
            ("*", "*"),
            ("/users/7/orders", "/users/{id}/orders"),
            ("/users//7/", "/users//{id}/"),
            ("/v2/reports/2026-03-01", "/v2/reports/{id}"),
            ("/batch/1,2,3", "/batch/{id}"),
            ("/docs/1.0/index.html", "/docs/1.0/index.html"),
            ("/a/0b1f6a2e-8d0c-4a56-9c1e-7b1c2f5e9a10", "/a/{id}"),
            ("/a/0B1F6A2E-8D0C-4A56-9C1E-7B1C2F5E9A10", "/a/{id}"),
            ("/commit/3f2a9c1b", "/commit/{id}"),
            ("/facade/decade", "/facade/decade"),
            ("/blob/9f86d081884c7d659a2feaa0c55ad015", "/blob/{id}"),
            ("/o/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/o/{id}"),
            ("/s/dGhpc0lzQVRva2VuMQ==", "/s/{id}"),
            ("/t/V1StGXR8_Z5jdHi6B-myT", "/t/{id}"),
            ("/img/12345.jpg", "/img/{id}.jpg"),
            ("/img/3f2a9c1b77.woff2", "/img/{id}.woff2"),
            ("/blog/my-article-about-top-10-things", "/blog/my-article-about-top-10-things"),
            ("/internationalization/users", "/internationalization/users"),
            ("/v1/oauth2/callback", "/v1/oauth2/callback"),
            ("/{id}/{id}.jpg", "/{id}/{id}.jpg"),
            ("/-/_", "/-/_"),
        ];
        for (path, expected) in cases {
            assert_eq!(of(path.as_bytes()).escape_ascii().to_string(), expected, "{path}");
        }
    }

    #[test]
    fn a_long_template_is_cut() {
        let cut = of(&b"/deep".repeat(20_000));
        assert_eq!(cut.len(), TEMPLATE);
        assert!(cut.ends_with("…".as_bytes()));
        assert_eq!(of(&cut), cut);
        for lead in 0..4 {
            let cut = of(&["x".repeat(lead), "€".repeat(100)].concat().into_bytes());
            let text = String::from_utf8(cut).unwrap();
            assert!(text.len() > TEMPLATE - 3 && text.ends_with("€…"), "{text}");
        }
    }

    #[test]
    fn the_place_follows_from_the_form_of_the_target() {
        let cases: [(&str, &str, &[u8], &str, &str); 9] = [
            ("GET", "/a?b=/c", b"Shop.Example:8080", "shop.example:8080", "/a"),
            ("GET", "/a", b"", "-", "/a"),
            ("GET", "http://API.example/a/b?c", b"shop.example", "api.example", "/a/b"),
            ("GET", "http://me:secret@api.example?c", b"shop.example", "api.example", "/"),
            ("GET", "http:///a", b"shop.example", "-", "/a"),
            ("GET", "/http://a/b", b"shop.example", "shop.example", "/http://a/b"),
            ("OPTIONS", "*", b"shop.example", "shop.example", "*"),
            ("CONNECT", "db.example:443", b"shop.example", "db.example:443", "-"),
            ("GET", "?", b"[FD00::4]:80", "[fd00::4]:80", ""),
        ];
        for (method, target, host, expected, path) in cases {
            let mut request = request(method, target.as_bytes());
            request.headers = headers(&[("host", host)]);
            let place = Place::of(&request);
            let mut key = Vec::new();
            place.host_key(&mut key);
            assert_eq!(key.escape_ascii().to_string(), expected, "{target}");
            assert_eq!(place.path.escape_ascii().to_string(), path, "{target}");
        }
        let mut request = request("GET", b"/");
        request.headers = headers(&[]);
        assert_eq!(Place::of(&request), Place { host: b"-", path: b"/" });
    }

    proptest! {
        #[test]
        fn any_bytes_have_one_template(path in proptest::collection::vec(any::<u8>(), 0..600)) {
            let once = of(&path);
            prop_assert!(once.len() <= TEMPLATE);
            prop_assert_eq!(of(&once), once);
        }

        #[test]
        fn the_template_of_a_template_is_itself(path in "[a-f0-9A-Z/._{}=-]{0,300}") {
            let once = of(path.as_bytes());
            prop_assert_eq!(of(&once), once);
        }

        #[test]
        fn every_number_is_the_same(a: u64, b: u64) {
            prop_assert_eq!(of(format!("/x/{a}/y").as_bytes()), of(format!("/x/{b}/y").as_bytes()));
        }

        #[test]
        fn any_target_has_a_place(
            target in proptest::collection::vec(any::<u8>(), 0..80), host in proptest::collection::vec(any::<u8>(), 0..300)
        ) {
            let mut request = request("GET", &target);
            request.headers = headers(&[("host", &host)]);
            let mut key = Vec::new();
            Place::of(&request).host_key(&mut key);
            prop_assert!(!key.is_empty() && key.len() <= HOST);
        }
    }
}
