//! Marks a request as a copy: one header goes in behind the request line, and every other byte stays as it was.

/// The header that tells a version that a request is a copy.
pub const MARKER: (&str, &str) = ("x-mirror-shadow", "1");

/// The request with `name: value` as its first header.
///
/// `wire` is the message as it was sent, and `line_end` is where its first header line begins, just behind the
/// request line's LF. A header of the same name that the client sent is left out, so that nobody can forge the marker.
/// So are lines that begin with white space right behind the request line: they belong to no header, must be dropped
/// or refused (RFC 9112, section 2.2), and would continue ours. `name` and `value` come from the configuration and
/// hold no line break. Trailers are not headers (RFC 9110, section 6.5) and stay.
pub fn mark(wire: &[u8], line_end: usize, name: &str, value: &str) -> Vec<u8> {
    let (line, mut rest) = wire.split_at(line_end.min(wire.len()));
    let mut marked = Vec::with_capacity(wire.len() + name.len() + value.len() + 4);
    for part in [line, name.as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
        marked.extend_from_slice(part);
    }
    let mut dropping = true; // whether the line before was left out, and with it the lines that continue it
    while !rest.is_empty() {
        let (header, tail) = split_line(rest);
        if is_blank(header) {
            break; // the head ends here, and what follows is content
        }
        dropping = if continues(header) { dropping } else { is_named(header, name) };
        if !dropping {
            marked.extend_from_slice(header);
        }
        rest = tail;
    }
    marked.extend_from_slice(rest);
    marked
}

/// The first line with its LF, and what follows. Without any LF, all of it.
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |lf| lf + 1);
    bytes.split_at(end)
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\r\n" | b"\n")
}

/// The old line folding (RFC 9112, section 5.2).
fn continues(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

/// White space before the colon is not allowed, yet some servers take it for nothing.
fn is_named(line: &[u8], name: &str) -> bool {
    line.iter()
        .position(|&byte| byte == b':')
        .and_then(|colon| line.get(..colon))
        .is_some_and(|found| found.trim_ascii_end().eq_ignore_ascii_case(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAME: &str = "x-mirror-shadow";

    fn check(headers: &str, expect: &str) {
        let line = "GET /a HTTP/1.1\r\n";
        let got = mark(format!("{line}{headers}").as_bytes(), line.len(), NAME, "1");
        let want = format!("{line}x-mirror-shadow: 1\r\n{expect}");
        assert_eq!(String::from_utf8_lossy(&got), want, "{headers:?}");
    }

    #[test]
    fn every_other_byte_stays() {
        for same in [
            "\r\n",
            "\n",
            "",
            "Host: a\r\n\r\n",
            "Host: a\n\nbody",
            "host:a\r\nX-Mirror-Shadow-Not: 1\r\nx-mirror: 2\r\n\r\n",
            "a: 1\r\n folded\r\n\tmore\r\n\r\n",
            "no colon\r\n\r\n",
            "a: x-mirror-shadow: 1\r\n\r\n",
            "a: 1\r\n\r\nX-Mirror-Shadow: body\r\n",
            "0: \u{ff}\r\ncut in the mid",
        ] {
            check(same, same);
        }
    }

    #[test]
    fn a_forged_marker_goes() {
        check("X-Mirror-Shadow: 0\r\n\r\n", "\r\n");
        check("a: 1\r\nx-MIRROR-shadow:0\r\nb: 2\r\n\r\n", "a: 1\r\nb: 2\r\n\r\n");
        check("x-mirror-shadow \t: 0\r\n\r\n", "\r\n");
        check("x-mirror-shadow: 0\r\n 1\r\n\t2\r\nb: 2\r\n 3\r\n\r\n", "b: 2\r\n 3\r\n\r\n");
        check("x-mirror-shadow: 0\nx-mirror-shadow: 0\n\nrest", "\nrest");
        check("a: 1\r\nx-mirror-shadow: 0", "a: 1\r\n");
    }

    #[test]
    fn nothing_may_continue_the_marker() {
        check(" 0\r\n\t, 0\r\nHost: a\r\n\r\n", "Host: a\r\n\r\n");
        check(" X-Mirror-Shadow: 0\r\n\r\n", "\r\n");
    }

    #[test]
    fn a_line_end_beyond_the_message_is_its_end() {
        assert_eq!(mark(b"GET", 99, "n", "v"), b"GETn: v\r\n");
    }

    proptest! {
        /// Marking twice is marking once, and the head keeps its lines but for the marker.
        #[test]
        fn marking_is_idempotent(
            lines in prop::collection::vec("[a-z]{1,3}: [ -~]{0,8}|X-Mirror-Shadow: [01]", 0..8),
            body in prop::collection::vec(any::<u8>(), 0..32),
        ) {
            let line = b"GET / HTTP/1.1\r\n";
            let mut wire = line.to_vec();
            for header in &lines {
                wire.extend_from_slice(format!("{header}\r\n").as_bytes());
            }
            wire.extend_from_slice(b"\r\n");
            wire.extend_from_slice(&body);

            let once = mark(&wire, line.len(), NAME, "1");
            prop_assert_eq!(&mark(&once, line.len(), NAME, "1"), &once);

            let kept: String =
                lines.iter().filter(|l| !l.starts_with("X-")).map(|l| format!("{l}\r\n")).collect();
            let mut want = [&line[..], b"x-mirror-shadow: 1\r\n", kept.as_bytes(), b"\r\n"].concat();
            want.extend_from_slice(&body);
            prop_assert_eq!(once, want);
        }

        #[test]
        fn no_bytes_panic(wire in prop::collection::vec(any::<u8>(), 0..64), end in 0_usize..80) {
            prop_assert!(mark(&wire, end, NAME, "1").starts_with(wire.get(..end).unwrap_or(&wire)));
        }
    }
}
