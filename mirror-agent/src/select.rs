//! May this request be replayed? Methods, paths and share decide; nothing reaches v2 unasked.

use std::borrow::Cow;

/// Parts in a whole share: one million.
pub const WHOLE_PPM: u32 = 1_000_000;

/// Which requests may be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Methods, case-sensitive (RFC 9110, section 9.1). By default those that change nothing at the server and
    /// that a passive copy can repeat: GET, HEAD and OPTIONS.
    pub methods: Vec<String>,
    /// Prefixes of the path, as bytes. Empty means every path.
    pub paths: Vec<String>,
    /// Share of the requests, in parts per million. It thins what the kernel's share let through.
    pub share_ppm: u32,
}

/// Why a request is not replayed. The first reason in the order below is the one that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unselected {
    /// It is a copy itself: a mirror, this or another, sent it to v1 to have a second answer.
    Copy,
    /// The method is not listed.
    Method,
    /// No prefix fits the path, or the path steps out of its own prefix.
    Path,
    /// Outside the share.
    Share,
}

impl Default for Selection {
    fn default() -> Self {
        let methods = ["GET", "HEAD", "OPTIONS"].map(str::to_owned).to_vec();
        Selection { methods, paths: Vec::new(), share_ppm: WHOLE_PPM }
    }
}

impl Unselected {
    /// Every reason, in the order in which they are tried.
    pub const ALL: [Unselected; 4] =
        [Unselected::Copy, Unselected::Method, Unselected::Path, Unselected::Share];

    /// The reason as the ledger and the metrics spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Unselected::Copy => "copy",
            Unselected::Method => "method",
            Unselected::Path => "path",
            Unselected::Share => "share",
        }
    }
}

/// Whether a request may be replayed. `target` is the request target as it was sent (RFC 9112, section 3.2), `hash`
/// is spread evenly over all of `u32`.
///
/// # Errors
///
/// The first reason not to.
pub fn select(method: &str, target: &[u8], hash: u32, rules: &Selection) -> Result<(), Unselected> {
    if !rules.methods.iter().any(|known| known == method) {
        return Err(Unselected::Method);
    }
    if !rules.paths.is_empty() && !path_selected(path_of(target), &rules.paths) {
        return Err(Unselected::Path);
    }
    if !in_share(hash, rules.share_ppm) {
        return Err(Unselected::Share);
    }
    Ok(())
}

/// The kernel's own formula, so that a share means the same on both sides: integers only, no remainder bias.
pub fn in_share(hash: u32, share_ppm: u32) -> bool {
    (u64::from(hash) * u64::from(WHOLE_PPM)) >> 32 < u64::from(share_ppm)
}

/// A path with a dot segment is never selected: `/public/../admin` begins with `/public`, and is `/admin`.
fn path_selected(path: &[u8], prefixes: &[String]) -> bool {
    !has_dot_segment(path) && prefixes.iter().any(|prefix| path.starts_with(prefix.as_bytes()))
}

/// The path in an origin-form or absolute-form target, without its query. `*` and `host:port` are themselves.
fn path_of(target: &[u8]) -> &[u8] {
    let end = target.iter().position(|&byte| byte == b'?' || byte == b'#').unwrap_or(target.len());
    let whole = target.get(..end).unwrap_or(target);
    if whole.starts_with(b"/") {
        return whole;
    }
    let Some(colon) = whole.windows(3).position(|three| three == b"://") else { return whole };
    let after = whole.get(colon + 3..).unwrap_or_default();
    match after.iter().position(|&byte| byte == b'/') {
        Some(slash) => after.get(slash..).unwrap_or_default(),
        None => b"/", // an empty path is `/` (RFC 9110, section 4.2.3)
    }
}

/// Servers differ in whether `\` and `%2f` part segments and `%2e` is a dot, so all of them count as if they did.
fn has_dot_segment(path: &[u8]) -> bool {
    let plain = plain_dots(path);
    plain.split(|&byte| byte == b'/' || byte == b'\\').any(|segment| segment == b"." || segment == b"..")
}

fn plain_dots(path: &[u8]) -> Cow<'_, [u8]> {
    if !path.contains(&b'%') {
        return Cow::Borrowed(path);
    }
    let mut plain = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&first, tail)) = rest.split_first() {
        let (byte, next) = match rest {
            [b'%', b'2', b'e' | b'E', next @ ..] => (b'.', next),
            [b'%', b'2', b'f' | b'F', next @ ..] | [b'%', b'5', b'c' | b'C', next @ ..] => (b'/', next),
            _ => (first, tail),
        };
        plain.push(byte);
        rest = next;
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_paths(paths: &[&str]) -> Selection {
        Selection { paths: paths.iter().map(|path| (*path).to_owned()).collect(), ..Selection::default() }
    }

    #[test]
    fn only_listed_methods_in_their_own_case() {
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert_eq!(select(method, b"/", 0, &Selection::default()), Ok(()), "{method}");
        }
        for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "get", "", "GET ", "GETX"] {
            let got = select(method, b"/", 0, &Selection::default());
            assert_eq!(got, Err(Unselected::Method), "{method}");
        }
    }

    #[test]
    fn a_path_is_selected_by_its_prefix() {
        let rules = with_paths(&["/api/", "/health"]);
        for (target, selected) in [
            ("/api/users", true),
            ("/api/", true),
            ("/api", false),
            ("/api?x=/api/", false),
            ("/API/users", false),
            ("/healthz", true),
            ("/other?/api/", false),
            ("http://shop.example/api/users?x=1", true),
            ("HTTPS://shop.example:8443/api/", true),
            ("http://shop.example/other", false),
            ("http://shop.example", false),
            ("http://api/health", true),
            ("*", false),
            ("shop.example:443", false),
            ("", false),
            ("/api/../admin", false),
            ("/api/%2e%2E/admin", false),
            ("/api/.%2e%2fadmin", false),
            ("/api/..\\admin", false),
            ("/api/..", false),
            ("/api/./x", false),
            ("/api/...", true),
            ("/api/a..b/.c", true),
            ("/api/x?next=/../y", true),
            ("/api/%2", true),
            ("/api/%", true),
        ] {
            let got = select("GET", target.as_bytes(), 0, &rules);
            assert_eq!(got, if selected { Ok(()) } else { Err(Unselected::Path) }, "{target}");
        }
    }

    #[test]
    fn an_empty_list_of_paths_selects_every_target() {
        for target in [&b"/"[..], b"*", b"", b"/a/../b", b"\xff\x00"] {
            assert_eq!(select("GET", target, 0, &Selection::default()), Ok(()));
        }
        assert_eq!(select("GET", b"http://shop.example", 0, &with_paths(&["/"])), Ok(()));
    }

    #[test]
    fn the_share_is_exact_at_its_edges() {
        for (hash, ppm, inside) in [
            (0, 0, false),
            (u32::MAX, 0, false),
            (0, 1, true),
            (4294, 1, true),  // 4294 * 10^6 < 2^32
            (4295, 1, false), // 4295 * 10^6 >= 2^32
            (u32::MAX, 999_999, false),
            (u32::MAX, WHOLE_PPM, true),
            (u32::MAX, u32::MAX, true),
            (0x7fff_ffff, 500_000, true),
            (0x8000_0000, 500_000, false),
        ] {
            assert_eq!(in_share(hash, ppm), inside, "{hash} {ppm}");
            let rules = Selection { share_ppm: ppm, ..Selection::default() };
            assert_eq!(select("GET", b"/", hash, &rules).is_ok(), inside);
        }
    }

    #[test]
    fn the_share_is_the_share_of_all_hashes() {
        // 2^32 is no multiple of 10^6: over evenly spaced hashes the count may be off by one, never more.
        for ppm in [1_u32, 10, 50_000, 333_333, 999_999] {
            let inside = (0..1_000_000_u64).filter(|i| in_share(((i << 32) / 1_000_000) as u32, ppm)).count();
            assert!(inside.abs_diff(ppm as usize) <= 1, "{ppm}: {inside}");
        }
    }

    #[test]
    fn the_first_reason_counts() {
        let rules = Selection { share_ppm: 0, ..with_paths(&["/a"]) };
        assert_eq!(select("POST", b"/b", 0, &rules), Err(Unselected::Method));
        assert_eq!(select("GET", b"/b", 0, &rules), Err(Unselected::Path));
        assert_eq!(select("GET", b"/a", 0, &rules), Err(Unselected::Share));
        assert_eq!(Unselected::ALL.map(Unselected::as_str), ["copy", "method", "path", "share"]);
    }
}
